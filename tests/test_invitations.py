"""Invitations: invite, resend, revoke, open, redeem, decline (B7 to B9, B16 to B20, I-03, I-05 to I-07, I-11)."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from guestauth import addresses, guests, invitations, passcodes, policies, redemptions, resources, signin, tenants
from guestauth.audit import Caller
from guestauth.keys import signer
from guestauth.models import User
from tests.probe import change
from tests.steps import another, arriving, ask, audited, code_of, enter, is_in, sign_in
from tests.world import ADMIN, ALEX, BY, CONTOSO, FABRIKAM, NICOLE, STRANGER, WOODGROVE, World

ROBIN = Caller(actor="administrator", name="Robin Meyer")
UNKNOWN = uuid.UUID("00000000-0000-4000-8000-000000000000")


def invite(world: World, mail: str = STRANGER, *, by: Caller = ROBIN, **more: Any) -> invitations.Invitation:
    return world.do(invitations.invite, FABRIKAM, mail, by=by, **more)


def ticket(world: World, invitation: invitations.Invitation) -> str:
    return world.do(invitations.link, invitation).rpartition("/")[2]


def opened(world: World, invitation: invitations.Invitation, tenant: uuid.UUID = FABRIKAM) -> invitations.Opened:
    return world.do(invitations.opened, tenant, ticket(world, invitation))


def user(world: World, mail: str = STRANGER) -> User:
    return world.do(guests.find, FABRIKAM, mail)


def everything(world: World) -> list[Any]:
    tables = ("users", "invitations", "letters", "sessions", "sign_ins", "passcodes", "events")
    return [world.rows(f"SELECT * FROM {table}") for table in tables]


def letters(world: World, mail: str = STRANGER) -> list[str]:
    return [letter.part("plain") for letter in world.letters(mail)]


# Inviting.


def test_invited_guest_is_pending_and_gets_a_letter_with_the_link(world: World) -> None:
    made = invite(world, message="Come in!", target="/apps/welcome-pack", display_name="Sam")
    (letter,) = letters(world)
    assert world.do(invitations.link, made) in letter
    assert "Come in!" in letter and "Robin Meyer invited you to Fabrikam" in letter and "Welcome pack" in letter
    assert (user(world).state, user(world).source, user(world).display_name) == (
        "PendingAcceptance",
        "Invited user",
        "Sam",
    )


def test_link_comes_from_the_public_url_and_names_the_tenant_by_its_id(world: World) -> None:
    served = another(world, PUBLIC_URL="https://guests.example.org")
    link = served.do(invitations.link, invite(world))
    assert link.startswith(f"https://guests.example.org/{FABRIKAM}/invitations/")


def test_letter_has_exactly_one_link_to_an_invitation(world: World) -> None:
    invite(world)
    (letter,) = world.letters(STRANGER)
    assert letter.part("plain").count("/invitations/") == 1
    assert letter.part("html").count("<a ") == letter.part("html").count("/invitations/") == 1


def test_inviting_without_mail_sends_none(world: World) -> None:
    invite(world, send_mail=False)
    assert letters(world) == []


@pytest.mark.parametrize("mail", [ALEX, NICOLE, ADMIN, "ALEXDOE@gmail.com"])
def test_inviting_who_is_there_already_changes_nothing_and_says_so(world: World, mail: str) -> None:
    world.deliver()
    before = everything(world)
    with pytest.raises(invitations.AlreadyAGuest, match="already"):
        invite(world, mail, display_name="Other", message="Other")
    assert everything(world) == before


def test_guest_of_another_tenant_can_be_invited_and_nothing_tells(world: World) -> None:
    world.do(invitations.invite, WOODGROVE, STRANGER, by=BY, display_name="Known as Sam")
    invite(world)
    assert user(world).display_name == ""


@pytest.mark.parametrize(
    "given",
    [
        {"display_name": "x" * 201},
        {"message": "x" * 2001},
        {"target": "apps"},
        {"target": "https://evil.example/"},
        {"target": "/" + "x" * 2000},
        {"target": "/apps\r\nX: y"},
        {"target": "/apps\u202e"},
        {"target": ""},
    ],
    ids=lambda given: ascii(given)[:40],
)
def test_bad_invitation_is_refused_whole(sqlite_world: World, given: dict[str, str]) -> None:
    before = everything(sqlite_world)
    with pytest.raises(invitations.InvitationRefused):
        invite(sqlite_world, **given)
    assert everything(sqlite_world) == before


def test_what_is_no_address_is_refused(world: World) -> None:
    with pytest.raises(addresses.NotAnAddress):
        invite(world, "sam@example.com,eve@example.com")


def test_limits_themselves_are_allowed(world: World) -> None:
    invite(world, display_name="x" * 200, message="é" * 2000, target="/" + "x" * 1999)
    assert "é" * 2000 in letters(world)[0]


def test_name_of_a_guest_is_one_line(world: World) -> None:
    invite(world, display_name=" Sam\r\nBcc: eve@example.com\u202e ")
    assert user(world).display_name.isprintable()


def test_inviter_without_a_name_is_the_tenant(world: World) -> None:
    invite(world, by=BY)
    assert "Fabrikam invited you to Fabrikam" in letters(world)[0]


@pytest.mark.parametrize(("tag", "subject"), [("nl", "heeft u uitgenodigd"), ("zh-Hant-TW", "邀請您加入")])
def test_letter_is_in_the_invitation_s_language_also_when_sent_again(world: World, tag: str, subject: str) -> None:
    invite(world, language=tag)
    world.do(invitations.resend, FABRIKAM, STRANGER, by=BY)
    assert subject in str(world.letters(STRANGER)[0].message["Subject"])


def test_letter_without_a_language_is_in_the_tenants(world: World) -> None:
    change(world, "UPDATE tenants SET language = 'nl'")
    invite(world)
    assert "heeft u uitgenodigd" in str(world.letters(STRANGER)[0].message["Subject"])


def test_code_mailed_before_the_invitation_was_revoked_stays_dead(world: World) -> None:
    invite(world)
    started = ask(world, STRANGER)
    code = code_of(world, started)
    world.do(invitations.revoke, FABRIKAM, STRANGER, by=BY)
    world.advance(1)
    world.do(invitations.resend, FABRIKAM, STRANGER, by=BY)
    with pytest.raises(passcodes.PasscodeWrong):
        enter(world, started, code)


def test_language_that_is_none_of_ours_is_refused(world: World) -> None:
    with pytest.raises(invitations.InvitationRefused):
        invite(world, language="xx")


def test_inviting_is_audited_and_so_is_its_letter(world: World) -> None:
    invite(world)
    world.deliver()
    found = world.rows("SELECT name, result FROM events WHERE address = :mail ORDER BY id", mail=STRANGER)
    assert [tuple(row) for row in found] == [("guest.invited", "success"), ("invitation.mailed", "success")]


# The link (B18).


def test_link_names_the_invitation_and_its_guest(world: World) -> None:
    found = opened(world, invite(world, target="/apps/project-plan?page=2"))
    assert (found.user.mail, found.what, found.invitation.closed) == (STRANGER, "Project plan", None)


@pytest.mark.parametrize("target", [None, "/account", "/apps/nothing", "/apps/"])
def test_link_that_leads_to_no_resource_names_none(sqlite_world: World, target: str | None) -> None:
    assert opened(sqlite_world, invite(sqlite_world, target=target)).what is None


def test_opening_a_link_any_number_of_times_changes_nothing(world: World) -> None:
    made = invite(world)
    world.deliver()
    before = everything(world)
    for _ in range(20):
        opened(world, made)
    assert everything(world) == before


@pytest.mark.case("I-01")
def test_ticket_is_nowhere_at_rest(world: World) -> None:
    made = invite(world)
    world.deliver()
    text = str(everything(world))
    assert ticket(world, made) not in text
    assert ticket(world, made).rpartition(".")[2] not in text


def test_link_is_not_valid_in_another_tenant(world: World) -> None:
    made = invite(world)
    for tenant in (CONTOSO, WOODGROVE, UNKNOWN):
        with pytest.raises(invitations.InvitationUnknown):
            opened(world, made, tenant)


@pytest.mark.parametrize("bad", ["", ".", "x", "x.y", "{0}x", "{0}\x00", "{1}", "{0}.{0}", "é.é", "x" * 5000])
def test_incomplete_or_changed_link_is_unknown(sqlite_world: World, bad: str) -> None:
    good = ticket(sqlite_world, invite(sqlite_world))
    with pytest.raises(invitations.InvitationUnknown):
        sqlite_world.do(invitations.opened, FABRIKAM, bad.format(good, good[:-1]))


@pytest.mark.parametrize("content", [None, 5, "no id", ["x"], {"id": 1}, UNKNOWN.hex])
def test_signed_nonsense_is_unknown(sqlite_world: World, content: Any) -> None:
    with sqlite_world.app.app_context():
        signed = signer("invitation").dumps(content)
    with pytest.raises(invitations.InvitationUnknown):
        sqlite_world.do(invitations.opened, FABRIKAM, signed)


def test_what_was_signed_for_another_purpose_is_unknown(world: World) -> None:
    made = invite(world)
    with world.app.app_context():
        signed = signer("session").dumps(made.id.hex)
    with pytest.raises(invitations.InvitationUnknown):
        world.do(invitations.opened, FABRIKAM, signed)


def test_link_goes_on_working_after_redemption(world: World) -> None:
    made = invite(world)
    world.do(redemptions.redeem, FABRIKAM, made.user_id, by=BY)
    assert opened(world, made).invitation.closed is None


def test_link_dies_with_its_guest(world: World) -> None:
    made = invite(world)
    world.do(guests.delete, FABRIKAM, STRANGER, by=BY)
    with pytest.raises(invitations.InvitationUnknown):
        opened(world, made)


def test_old_link_is_worthless_after_delete_and_invite_again(world: World) -> None:
    old = invite(world)
    world.do(guests.delete, FABRIKAM, STRANGER, by=BY)
    new = invite(world)
    with pytest.raises(invitations.InvitationUnknown):
        opened(world, old)
    assert opened(world, new).invitation.closed is None


# Sending again.


def test_resending_kills_the_old_link_and_keeps_the_words(world: World) -> None:
    old = invite(world, message="Come in!", target="/apps/welcome-pack")
    new = world.do(invitations.resend, FABRIKAM, STRANGER, by=BY)
    assert (opened(world, old).invitation.closed, opened(world, new).invitation.closed) == ("replaced", None)
    assert (new.message, new.target, new.inviter) == ("Come in!", "/apps/welcome-pack", "Robin Meyer")
    assert audited(world, "invitation.resent") == [("success", "")]


def test_only_the_new_invitations_letter_goes(world: World) -> None:
    old = invite(world)
    new = world.do(invitations.resend, FABRIKAM, STRANGER, by=BY)
    (letter,) = letters(world)
    assert ticket(world, new) in letter and ticket(world, old) not in letter
    assert ("refused", "the invitation is replaced") in audited(world, "invitation.dropped")


def test_resending_without_mail_sends_none(world: World) -> None:
    invite(world, send_mail=False)
    world.do(invitations.resend, FABRIKAM, STRANGER, by=BY, send_mail=False)
    assert letters(world) == []


@pytest.mark.parametrize("mail", [NICOLE, STRANGER, ADMIN])
def test_only_a_pending_guests_invitation_can_be_sent_again(world: World, mail: str) -> None:
    before = everything(world)
    with pytest.raises(invitations.InvitationUnknown):
        world.do(invitations.resend, FABRIKAM, mail, by=BY)
    assert everything(world) == before


# Revoking.


def test_revoked_link_is_closed_and_the_guest_gets_no_code(world: World) -> None:
    made = invite(world, send_mail=False)
    world.do(invitations.revoke, FABRIKAM, STRANGER, by=BY)
    assert opened(world, made).invitation.closed == "revoked"
    ask(world, STRANGER)
    assert letters(world) == []
    assert audited(world, "invitation.revoked") == [("success", "")]


def test_letter_of_a_revoked_invitation_is_dropped(world: World) -> None:
    invite(world)
    world.do(invitations.revoke, FABRIKAM, STRANGER, by=BY)
    assert letters(world) == []
    assert ("refused", "the invitation is revoked") in audited(world, "invitation.dropped")


@pytest.mark.parametrize(
    "end",
    [
        lambda world: world.do(guests.delete, FABRIKAM, STRANGER, by=BY),
        lambda world: world.do(guests.block, FABRIKAM, STRANGER, by=BY),
        lambda world: world.do(tenants.disable, FABRIKAM, by=BY),
    ],
    ids=["deleted", "blocked", "disabled"],
)
def test_letter_that_must_not_go_any_more_is_dropped(world: World, end: Callable[[World], Any]) -> None:
    invite(world)
    end(world)
    assert letters(world) == []
    assert ("refused", "the invitation is over") in audited(world, "invitation.dropped")


def test_revoked_guest_can_be_invited_again_by_sending_again(world: World) -> None:
    invite(world)
    world.do(invitations.revoke, FABRIKAM, STRANGER, by=BY)
    new = world.do(invitations.resend, FABRIKAM, STRANGER, by=BY)
    assert opened(world, new).invitation.closed is None
    assert is_in(world, sign_in(world, STRANGER))


def test_revoking_twice_does_no_harm(world: World) -> None:
    made = invite(world)
    for _ in range(2):
        world.do(invitations.revoke, FABRIKAM, STRANGER, by=BY)
    assert opened(world, made).invitation.closed == "revoked"


def test_revoking_after_sending_again_closes_the_standing_link(world: World) -> None:
    old = invite(world)
    new = world.do(invitations.resend, FABRIKAM, STRANGER, by=BY)
    world.do(invitations.revoke, FABRIKAM, STRANGER, by=BY)
    assert (opened(world, old).invitation.closed, opened(world, new).invitation.closed) == ("replaced", "revoked")


def test_revoking_what_was_accepted_kills_the_link_only(world: World) -> None:
    world.do(invitations.revoke, FABRIKAM, NICOLE, by=BY)
    assert (user(world, NICOLE).revoked_at, user(world, NICOLE).state) == (None, "Accepted")
    assert is_in(world, sign_in(world))


@pytest.mark.parametrize("action", [invitations.revoke, invitations.resend])
def test_no_tenant_can_touch_anothers_invitation(world: World, action: Callable[..., Any]) -> None:
    made = invite(world)
    with pytest.raises(invitations.InvitationUnknown):
        world.do(action, WOODGROVE, STRANGER, by=BY)
    assert opened(world, made).invitation.closed is None


# Resetting (B8).


@pytest.mark.acceptance(30)
def test_reset_guest_is_the_same_pending_again_with_the_same_shares(world: World) -> None:
    before, done = user(world, NICOLE), sign_in(world)
    shared = [each.slug for each in world.do(resources.of_user, before)]
    made = world.do(invitations.reset, FABRIKAM, NICOLE, by=BY)
    after = user(world, NICOLE)
    assert (after.id, after.state, after.source, after.accepted_at) == (
        before.id,
        "PendingAcceptance",
        "Invited user",
        None,
    )
    assert [each.slug for each in world.do(resources.of_user, after)] == shared
    assert (is_in(world, done), opened(world, made).invitation.closed) == (False, None)


def test_reset_sends_a_new_invitation_and_kills_the_old_link_and_codes(world: World) -> None:
    old, started = invite(world), ask(world, STRANGER)
    code = code_of(world, started)
    world.do(redemptions.redeem, FABRIKAM, old.user_id, by=BY)
    made = world.do(invitations.reset, FABRIKAM, STRANGER, by=BY)
    assert opened(world, old).invitation.closed == "replaced"
    assert [ticket(world, made) in letter for letter in letters(world)] == [True]
    with pytest.raises(signin.PasscodeWrong):
        enter(world, started, code)
    assert audited(world, "guest.reset") == [("success", "")]


def test_reset_of_who_is_no_guest_is_refused(world: World) -> None:
    for mail in (STRANGER, ADMIN):
        with pytest.raises(invitations.InvitationUnknown):
            world.do(invitations.reset, FABRIKAM, mail, by=BY)


# Lists of domains (B21).


def limit(world: World, kind: str, *domains: str) -> None:
    world.do(policies.limit_domains, FABRIKAM, policies.DomainList(kind, domains), by=BY)


def test_domain_that_is_not_let_in_cannot_be_invited(world: World) -> None:
    limit(world, "deny", "example.com")
    before = everything(world)
    with pytest.raises(invitations.DomainRefused, match=r"example\.com"):
        invite(world)
    assert everything(world) == before
    invite(world, "sam@firstup.example")


def test_domain_that_is_no_longer_let_in_cannot_be_accepted(world: World) -> None:
    limit(world, "allow", "firstup.example")
    with pytest.raises(invitations.DomainRefused, match=r"gmail\.com"):
        world.do(redemptions.redeem, FABRIKAM, user(world, ALEX).id, by=BY)
    assert user(world, ALEX).state == "PendingAcceptance"


# Redeeming.


def test_accepting_fixes_the_way_in(world: World) -> None:
    done = sign_in(world, ALEX)
    world.do(redemptions.redeem, FABRIKAM, user(world, ALEX).id, by=BY)
    accepted = user(world, ALEX)
    assert (accepted.state, accepted.identity_provider, accepted.source) == ("Accepted", "passcode", "OTP")
    assert accepted.accepted_at is not None
    assert is_in(world, done)


@pytest.mark.case("I-03")
def test_accepting_twice_changes_nothing_and_is_audited_once(world: World) -> None:
    before = len(audited(world, "invitation.redeemed"))
    for _ in range(2):
        world.do(redemptions.redeem, FABRIKAM, user(world, ALEX).id, by=BY)
    assert len(audited(world, "invitation.redeemed")) == before + 1


def test_accepted_moment_never_moves(world: World) -> None:
    first = user(world, NICOLE).accepted_at
    world.advance(100)
    world.do(redemptions.redeem, FABRIKAM, user(world, NICOLE).id, by=BY)
    assert user(world, NICOLE).accepted_at == first


ENDS: dict[str, Callable[[World], Any]] = {
    "revoked": lambda world: world.do(invitations.revoke, FABRIKAM, ALEX, by=BY),
    "blocked": lambda world: world.do(guests.block, FABRIKAM, ALEX, by=BY),
    "deleted": lambda world: world.do(guests.delete, FABRIKAM, ALEX, by=BY),
    "opted out": lambda world: world.do(policies.turn_passcodes, FABRIKAM, on=False, by=BY),
    "disabled": lambda world: world.do(tenants.disable, FABRIKAM, by=BY),
}


@pytest.mark.parametrize("end", ENDS)
def test_who_may_no_longer_cannot_accept(world: World, end: str) -> None:
    alex = user(world, ALEX)
    ENDS[end](world)
    with pytest.raises(invitations.InvitationUnknown):
        world.do(redemptions.redeem, FABRIKAM, alex.id, by=BY)
    assert world.rows("SELECT state FROM users WHERE mail = :mail", mail=ALEX) == [("PendingAcceptance",)]


def test_nobody_accepts_in_another_tenant(world: World) -> None:
    with pytest.raises(invitations.InvitationUnknown):
        world.do(redemptions.redeem, WOODGROVE, user(world, ALEX).id, by=BY)
    assert user(world, ALEX).state == "PendingAcceptance"


def test_declining_signs_out_and_leaves_everything_as_it_was(world: World) -> None:
    done = sign_in(world, ALEX)
    arrival = arriving(world, done)
    assert arrival and arrival.session
    world.do(redemptions.decline, FABRIKAM, arrival.session.id, by=BY)
    assert not is_in(world, done)
    assert (user(world, ALEX).state, audited(world, "invitation.declined")) == (
        "PendingAcceptance",
        [("success", "")],
    )
    assert is_in(world, sign_in(world, ALEX))


def test_newest_invitation_of_a_guest_is_found(world: World) -> None:
    first = invite(world)
    assert getattr(world.do(invitations.of_guest, first.user_id), "id", None) == first.id
    world.advance(1)
    second = world.do(invitations.resend, FABRIKAM, STRANGER, by=BY)
    assert getattr(world.do(invitations.of_guest, first.user_id), "id", None) == second.id
    assert world.do(invitations.of_guest, UNKNOWN) is None


def test_removed_resource_is_named_no_longer(world: World) -> None:
    made = invite(world, target="/apps/welcome-pack")
    world.do(resources.remove, FABRIKAM, "welcome-pack", by=BY)
    assert opened(world, made).what is None
