"""Everything the console does the command line does too (B35): each action of a page has its command.

`COMMANDS` names for every rule of the console that takes a POST the command that does the same. A new action
without its twin fails here.
"""

from guestauth.web.admin.guest import ACTIONS
from tests.world import World

COMMANDS: dict[str, list[str]] = {
    "admin.invite": ["guest invite"],
    "admin.import_guests": ["guest import"],
    "admin.import_progress": ["guest import"],
    "admin.discard_import": ["guest import"],  # the command keeps no file to throw away
    "admin.guest_action": [
        f"guest {action}"
        for action in ("resend", "revoke", "reset", "block", "unblock", "clear-limits", "delete", "restore")
    ]
    + ["session end"],
    "admin.add_resource": ["resource add"],
    "admin.edit_resource": ["resource edit"],
    "admin.remove_resource": ["resource remove"],
    "admin.share_resource": ["resource share"],
    "admin.unshare_resource": ["resource unshare"],
    "admin.share_with_all": ["resource share", "resource unshare"],
    "admin.settings": ["policy one-time-passcode"],
    "admin.details": ["tenant change"],
    "admin.branding": ["tenant brand"],
    "admin.policy": ["policy set"],
    "admin.domain_list": ["policy domains"],
    "admin.domains": ["tenant verify-domain"],
    "admin.verify_domain": ["tenant verify-domain"],
    "admin.remove_domain": ["tenant remove-domain"],
    "admin.add_identity_provider": ["provider add"],
    "admin.test_identity_provider": ["provider test"],
    "admin.renew_client_secret": ["provider renew-secret"],
    "admin.remove_identity_provider": ["provider remove"],
    "admin.administrators": ["administrator add"],
    "admin.remove_administrator": ["administrator remove"],
}
SHOWN = {  # what the console shows, and the command that shows it
    "admin.guests": "guest list",
    "admin.guest": "guest show",
    "admin.export_guests": "guest export",
    "admin.resources": "resource list",
    "admin.resource": "resource opened",
    "admin.sign_ins": "audit show",
    "admin.audit": "audit show",
    "admin.policy": "policy show",
    "admin.settings": "tenant show",
    "admin.administrators": "administrator list",
    "admin.identity_providers": "provider list",
    "admin.identity_provider": "provider show",
}


def actions(world: World) -> set[str]:
    """Every endpoint of the console that changes something."""
    rules = [rule for rule in world.app.url_map.iter_rules() if rule.endpoint.startswith("admin.")]
    return {rule.endpoint for rule in rules if "POST" in (rule.methods or ())}


def test_every_action_of_the_console_has_its_command(sqlite_world: World) -> None:
    assert actions(sqlite_world) == set(COMMANDS), "name the command that does the same in COMMANDS"


def test_actions_on_a_guest_are_those_with_a_command(sqlite_world: World) -> None:
    words = {command.partition(" ")[2] for command in COMMANDS["admin.guest_action"]} - {"end"}
    assert set(ACTIONS) == words | {"end-sessions"}


def test_every_command_is_there(sqlite_world: World) -> None:
    for words in {each for every in COMMANDS.values() for each in every} | set(SHOWN.values()):
        answer = sqlite_world.run(*words.split(), "--help")
        assert answer.exit_code == 0, answer.output


def test_what_the_console_shows_a_command_shows_as_json(sqlite_world: World) -> None:
    for words in SHOWN.values():
        assert "--json" in sqlite_world.run(*words.split(), "--help").output or words == "guest export", words
