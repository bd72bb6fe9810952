"""`flask guest`: exit codes, JSON by Microsoft Graph's names, the same rules and audit as operations (B20, B35)."""

import json
from typing import Any

import pytest

from tests.steps import audited, is_in, sign_in
from tests.world import ALEX, NICOLE, STRANGER, World

T = "fabrikam.example"
GUEST = [
    *("id", "displayName", "mail", "userType", "source", "externalUserState", "accountEnabled"),
    *("createdDateTime", "lastSignInDateTime"),
]
INVITATION = ["id", "invitedUserEmailAddress", "inviteRedeemUrl", "status"]


def shown(world: World, *args: str) -> Any:
    done = world.run("guest", *args, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_invite_shows_the_invitation_and_sends_it(world: World) -> None:
    extra = ["--name", "Sam", "--message", "Come in!", "--redirect", "/apps/welcome-pack"]
    made = shown(world, "invite", T, STRANGER, *extra)
    assert list(made) == INVITATION
    assert (made["invitedUserEmailAddress"], made["status"]) == (STRANGER, "PendingAcceptance")
    (letter,) = world.letters(STRANGER)
    assert made["inviteRedeemUrl"] in letter.part("plain") and "Come in!" in letter.part("plain")
    browser = world.browser().open(made["inviteRedeemUrl"])
    assert "Welcome pack" in browser.text


def test_invite_without_mail_shows_the_link_only(world: World) -> None:
    made = shown(world, "invite", T, STRANGER, "--no-mail")
    assert world.letters(STRANGER) == []
    assert world.browser().open(made["inviteRedeemUrl"]).status == 200


def test_invite_says_nothing_of_the_way_in(world: World) -> None:
    text = world.run("guest", "invite", T, STRANGER).stdout
    assert [line.partition(":")[0] for line in text.splitlines()] == INVITATION
    assert "OTP" not in text and "passcode" not in text.lower()


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["invite", T, "nobody"], 2, "@"),
        (["invite", T, f"{STRANGER}\udc80"], 2, "UTF-8"),
        (["invite", T, STRANGER, "--redirect", "https://evil.example"], 2, "path within the tenant"),
        (["invite", T, STRANGER, "--name", "x" * 201], 2, "200 characters"),
        (["invite", T, STRANGER, "--message", "x" * 2001], 2, "2,000 characters"),
        (["invite", "unknown.example", STRANGER], 2, "no tenant unknown.example"),
        (["invite", T], 2, "EMAIL"),
        (["invite", T, NICOLE], 1, "is a guest already; nothing was changed"),
        (["show", T, STRANGER], 1, f"There is no guest {STRANGER}"),
        (["show", "contoso.example", NICOLE], 1, "There is no guest"),
        (["list", T, "--state", "Rejected"], 2, "Rejected"),
        (["list", T, "--source", "Nonsense"], 2, "Nonsense"),
        (["resend", T, NICOLE], 1, "has accepted already"),
        (["resend", T, STRANGER], 1, "no guest"),
        (["revoke", T, STRANGER], 1, "no guest"),
        (["block", T, STRANGER], 1, "no guest"),
        (["unblock", T, STRANGER], 1, "no guest"),
        (["delete", T, STRANGER], 1, "no guest"),
        (["delete", T, "admin@fabrikam.example"], 1, "is a member"),
        (["delete", T, "nobody"], 2, "@"),
    ],
)  # fmt: skip
def test_refusal_says_why_on_stderr_and_changes_nothing(
    world: World, args: list[str], code: int, words: str
) -> None:
    before = world.rows("SELECT * FROM users ORDER BY id"), world.rows("SELECT * FROM invitations ORDER BY id")
    done = world.run("guest", *args)
    assert (done.exit_code, done.stdout) == (code, "")
    assert words in done.stderr and "Traceback" not in done.stderr
    after = world.rows("SELECT * FROM users ORDER BY id"), world.rows("SELECT * FROM invitations ORDER BY id")
    assert after == before


def test_list_has_graphs_names_and_the_words_of_source(world: World) -> None:
    found = shown(world, "list", T)
    assert [list(each) for each in found] == [GUEST, GUEST]
    assert [(each["mail"], each["source"], each["externalUserState"]) for each in found] == [
        (ALEX, "Invited user", "PendingAcceptance"),
        (NICOLE, "OTP", "Accepted"),
    ]
    assert {each["userType"] for each in found} == {"Guest"}


@pytest.mark.parametrize(
    ("narrow", "mails"),
    [
        (["--source", "otp"], [NICOLE]),
        (["--source", "Invited user"], [ALEX]),
        (["--state", "Accepted"], [NICOLE]),
        (["--state", "PendingAcceptance", "--source", "OTP"], []),
    ],
)
def test_list_can_be_narrowed(world: World, narrow: list[str], mails: list[str]) -> None:
    assert [each["mail"] for each in shown(world, "list", T, *narrow)] == mails


def test_empty_list_says_so(world: World) -> None:
    assert shown(world, "list", "woodgrove.example") == []
    assert world.run("guest", "list", "woodgrove.example").stdout == "none\n"


def test_show_has_the_guest_and_their_invitation(world: World) -> None:
    found = shown(world, "show", T, "AlexDoe@Gmail.com")
    assert set(found) == {*GUEST, *INVITATION}
    listed = next(each for each in shown(world, "list", T) if each["mail"] == ALEX)
    assert {name: found[name] for name in GUEST} == listed
    assert (found["status"], shown(world, "show", T, NICOLE)["status"]) == ("PendingAcceptance", "Completed")


def test_show_of_a_member_has_no_invitation(world: World) -> None:
    found = shown(world, "show", T, "admin@fabrikam.example")
    assert (found["userType"], found["source"], found["externalUserState"]) == ("Member", None, None)
    assert "inviteRedeemUrl" not in found


def test_last_sign_in_is_shown(world: World) -> None:
    assert shown(world, "show", T, NICOLE)["lastSignInDateTime"] is None
    sign_in(world)
    assert shown(world, "show", T, NICOLE)["lastSignInDateTime"].endswith("Z")


def test_resend_kills_the_old_link(world: World) -> None:
    old = shown(world, "show", T, ALEX)["inviteRedeemUrl"]
    new = shown(world, "resend", T, ALEX)["inviteRedeemUrl"]
    assert old != new
    assert len(world.letters(ALEX)) >= 1
    assert shown(world, "show", T, ALEX)["inviteRedeemUrl"] == new


def test_revoke_closes_the_link(world: World) -> None:
    assert world.run("guest", "revoke", T, ALEX).stdout == f"the invitation of {ALEX} is revoked\n"
    found = shown(world, "show", T, ALEX)
    assert (found["status"], found["inviteRedeemUrl"]) == ("revoked", None)


def test_block_and_unblock(world: World) -> None:
    done = sign_in(world)
    assert world.run("guest", "block", T, NICOLE).stdout == f"{NICOLE} is blocked\n"
    assert (is_in(world, done), shown(world, "show", T, NICOLE)["accountEnabled"]) == (False, False)
    assert world.run("guest", "unblock", T, NICOLE).stdout == f"{NICOLE} may sign in again\n"
    assert (is_in(world, done), shown(world, "show", T, NICOLE)["accountEnabled"]) == (False, True)


def test_delete_takes_the_guest_off_the_list(world: World) -> None:
    done = sign_in(world)
    assert world.run("guest", "delete", T, NICOLE.upper()).stdout == f"{NICOLE} is deleted\n"
    assert not is_in(world, done)
    assert [each["mail"] for each in shown(world, "list", T)] == [ALEX]


def test_every_change_is_audited_as_the_command_line(world: World) -> None:
    for args in (["invite", T, STRANGER], ["resend", T, STRANGER], ["revoke", T, STRANGER], ["block", T, NICOLE],
                 ["unblock", T, NICOLE], ["delete", T, NICOLE]):  # fmt: skip
        assert world.run("guest", *args).exit_code == 0
    for name in ("guest.invited", "invitation.resent", "invitation.revoked", "guest.blocked", "guest.unblocked"):
        assert audited(world, name)[-1] == ("success", "")
    assert audited(world, "guest.deleted") == [("success", "")]
    assert world.rows("SELECT DISTINCT actor FROM events WHERE name LIKE 'guest.%'") == [("command line",)]


def test_no_code_is_ever_printed(world: World) -> None:
    sign_in(world)
    code = world.code(NICOLE)
    printed = [world.run(*args).output for args in (["guest", "show", T, NICOLE], ["audit", T, "--json"])]
    printed += [world.run(*args).output for args in (["session", "list", T, "--json"], ["mail", "status"])]
    assert not [text for text in printed if code in text]


@pytest.mark.parametrize("option", ["--help"])
@pytest.mark.parametrize("name", ["invite", "list", "show", "resend", "revoke", "block", "unblock", "delete"])
def test_every_command_explains_itself(sqlite_world: World, name: str, option: str) -> None:
    done = sqlite_world.run("guest", name, option)
    assert (done.exit_code, len(done.output.splitlines()[2].strip()) > 10) == (0, True)
