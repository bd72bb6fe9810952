"""`flask guest`: exit codes, JSON by Microsoft Graph's names, the same rules and audit (B20, B32, B35)."""

import json
from typing import Any

import pytest

from tests.steps import ask, audited, enter, is_in, sign_in
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


def test_invite_shows_the_invitation_and_sends_it(sqlite_world: World) -> None:
    extra = ["--name", "Sam", "--message", "Come in!", "--redirect", "/apps/welcome-pack"]
    made = shown(sqlite_world, "invite", T, STRANGER, *extra)
    assert list(made) == INVITATION
    assert (made["invitedUserEmailAddress"], made["status"]) == (STRANGER, "PendingAcceptance")
    (letter,) = sqlite_world.letters(STRANGER)
    assert made["inviteRedeemUrl"] in letter.part("plain") and "Come in!" in letter.part("plain")
    browser = sqlite_world.browser().open(made["inviteRedeemUrl"])
    assert "Welcome pack" in browser.text


def test_invite_without_mail_shows_the_link_only(sqlite_world: World) -> None:
    made = shown(sqlite_world, "invite", T, STRANGER, "--no-mail")
    assert sqlite_world.letters(STRANGER) == []
    assert sqlite_world.browser().open(made["inviteRedeemUrl"]).status == 200


def test_invite_says_nothing_of_the_way_in(sqlite_world: World) -> None:
    text = sqlite_world.run("guest", "invite", T, STRANGER).stdout
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
        (["reset", T, STRANGER], 1, "no guest"),
        (["restore", T, NICOLE], 1, "was deleted"),
        (["block", T, STRANGER], 1, "no guest"),
        (["unblock", T, STRANGER], 1, "no guest"),
        (["delete", T, STRANGER], 1, "no guest"),
        (["delete", T, "admin@fabrikam.example"], 1, "is a member"),
        (["delete", T, "nobody"], 2, "@"),
    ],
)  # fmt: skip
def test_refusal_says_why_on_stderr_and_changes_nothing(
    sqlite_world: World, args: list[str], code: int, words: str
) -> None:
    before = (
        sqlite_world.rows("SELECT * FROM users ORDER BY id"),
        sqlite_world.rows("SELECT * FROM invitations ORDER BY id"),
    )
    done = sqlite_world.run("guest", *args)
    assert (done.exit_code, done.stdout) == (code, "")
    assert words in done.stderr and "Traceback" not in done.stderr
    after = (
        sqlite_world.rows("SELECT * FROM users ORDER BY id"),
        sqlite_world.rows("SELECT * FROM invitations ORDER BY id"),
    )
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
def test_list_can_be_narrowed(sqlite_world: World, narrow: list[str], mails: list[str]) -> None:
    assert [each["mail"] for each in shown(sqlite_world, "list", T, *narrow)] == mails


def test_empty_list_says_so(sqlite_world: World) -> None:
    sqlite_world.run("tenant", "create", "Empty", "--domain", "empty.example")
    assert shown(sqlite_world, "list", "empty.example") == []
    assert sqlite_world.run("guest", "list", "empty.example").stdout == "none\n"


def test_show_has_the_guest_and_their_invitation(world: World) -> None:
    found = shown(world, "show", T, "AlexDoe@Gmail.com")
    assert set(found) == {*GUEST, *INVITATION, "signInMethod", "signInReason", "mails"}
    listed = next(each for each in shown(world, "list", T) if each["mail"] == ALEX)
    assert {name: found[name] for name in GUEST} == listed
    assert (found["status"], shown(world, "show", T, NICOLE)["status"]) == ("PendingAcceptance", "Completed")


def test_show_of_a_member_has_no_invitation(sqlite_world: World) -> None:
    found = shown(sqlite_world, "show", T, "admin@fabrikam.example")
    assert (found["userType"], found["source"], found["externalUserState"]) == ("Member", None, None)
    assert "inviteRedeemUrl" not in found


def test_last_sign_in_is_shown(sqlite_world: World) -> None:
    assert shown(sqlite_world, "show", T, NICOLE)["lastSignInDateTime"] is None
    sign_in(sqlite_world)
    assert shown(sqlite_world, "show", T, NICOLE)["lastSignInDateTime"].endswith("Z")


def test_resend_kills_the_old_link(sqlite_world: World) -> None:
    old = shown(sqlite_world, "show", T, ALEX)["inviteRedeemUrl"]
    new = shown(sqlite_world, "resend", T, ALEX)["inviteRedeemUrl"]
    assert old != new
    assert len(sqlite_world.letters(ALEX)) >= 1
    assert shown(sqlite_world, "show", T, ALEX)["inviteRedeemUrl"] == new


def test_revoke_closes_the_link(sqlite_world: World) -> None:
    assert sqlite_world.run("guest", "revoke", T, ALEX).stdout == f"the invitation of {ALEX} is revoked\n"
    found = shown(sqlite_world, "show", T, ALEX)
    assert (found["status"], found["inviteRedeemUrl"]) == ("revoked", None)


def test_block_and_unblock(sqlite_world: World) -> None:
    done = sign_in(sqlite_world)
    assert sqlite_world.run("guest", "block", T, NICOLE).stdout == f"{NICOLE} is blocked\n"
    assert (is_in(sqlite_world, done), shown(sqlite_world, "show", T, NICOLE)["accountEnabled"]) == (False, False)
    assert sqlite_world.run("guest", "unblock", T, NICOLE).stdout == f"{NICOLE} may sign in again\n"
    assert (is_in(sqlite_world, done), shown(sqlite_world, "show", T, NICOLE)["accountEnabled"]) == (False, True)


def test_reset_makes_the_same_guest_pending_again(sqlite_world: World) -> None:
    before = shown(sqlite_world, "show", T, NICOLE)
    made = shown(sqlite_world, "reset", T, NICOLE)
    after = shown(sqlite_world, "show", T, NICOLE)
    assert (after["id"], after["externalUserState"], after["source"]) == (
        before["id"],
        "PendingAcceptance",
        "Invited user",
    )
    assert after["inviteRedeemUrl"] == made["inviteRedeemUrl"] != before["inviteRedeemUrl"]


def test_restore_brings_a_deleted_guest_back(sqlite_world: World) -> None:
    before = shown(sqlite_world, "show", T, NICOLE)
    sqlite_world.run("guest", "delete", T, NICOLE)
    assert sqlite_world.run("guest", "restore", T, NICOLE).stdout == f"{NICOLE} is a guest again\n"
    assert shown(sqlite_world, "show", T, NICOLE) == before


def test_delete_takes_the_guest_off_the_list(sqlite_world: World) -> None:
    done = sign_in(sqlite_world)
    assert sqlite_world.run("guest", "delete", T, NICOLE.upper()).stdout == f"{NICOLE} is deleted\n"
    assert not is_in(sqlite_world, done)
    assert [each["mail"] for each in shown(sqlite_world, "list", T)] == [ALEX]


def test_every_change_is_audited_as_the_command_line(sqlite_world: World) -> None:
    for args in (["invite", T, STRANGER], ["resend", T, STRANGER], ["revoke", T, STRANGER], ["block", T, NICOLE],
                 ["unblock", T, NICOLE], ["delete", T, NICOLE]):  # fmt: skip
        assert sqlite_world.run("guest", *args).exit_code == 0
    for name in ("guest.invited", "invitation.resent", "invitation.revoked", "guest.blocked", "guest.unblocked"):
        assert audited(sqlite_world, name)[-1] == ("success", "")
    assert audited(sqlite_world, "guest.deleted") == [("success", "")]
    assert sqlite_world.rows("SELECT DISTINCT actor FROM events WHERE name LIKE 'guest.%'") == [("command line",)]


@pytest.mark.case("A-07")
def test_no_code_is_ever_printed(sqlite_world: World) -> None:
    started = ask(sqlite_world)
    code = sqlite_world.code(NICOLE)
    enter(sqlite_world, started, code)
    printed = [sqlite_world.run(*args).output for args in (["guest", "show", T, NICOLE], ["audit", T, "--json"])]
    printed += [sqlite_world.run(*args).output for args in (["session", "list", T, "--json"], ["mail", "status"])]
    assert not [text for text in printed if code in text]


@pytest.mark.parametrize("option", ["--help"])
@pytest.mark.parametrize("name", ["invite", "list", "show", "resend", "revoke", "block", "unblock", "delete"])
def test_every_command_explains_itself(sqlite_world: World, name: str, option: str) -> None:
    done = sqlite_world.run("guest", name, option)
    assert (done.exit_code, len(done.output.splitlines()[2].strip()) > 10) == (0, True)
