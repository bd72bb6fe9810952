"""Guests who sign in at a provider: the same path as with a code (B6, B7, B19, B28, B31)."""

import json

import pytest

from guestauth import (
    guests,
    identity_providers,
    invitations,
    policies,
    redemptions,
    sessions,
    signin,
    tenants,
)
from guestauth.addresses import parse
from guestauth.database import operation
from tests.federation.person import NAMES, PLAN, RIGHT, Person, ready
from tests.probe import tables
from tests.providers import KINDS
from tests.test_sessions import changing
from tests.world import ADMIN, ALEX, BY, FABRIKAM, NICOLE, World

SOURCE = {
    "google": "Google",
    "microsoft_account": "Microsoft Account",
    "azure_ad": "External Azure Active Directory",
}
LATEST = "SELECT detail FROM events WHERE name = :name AND result = 'success' ORDER BY id DESC LIMIT 1"


def detail(world: World, name: str) -> dict[str, str]:
    """The details of the newest such event."""
    found = world.rows(LATEST, name=name)[0][0]
    return dict(json.loads(found) if isinstance(found, str) else found)


@pytest.mark.both
@pytest.mark.parametrize("kind", KINDS)
def test_guest_signs_in_there_accepts_and_sees_what_is_shared(world: World, oidc, kind: str) -> None:
    browser = ready(world, oidc(kind)).signs_in()
    assert browser.h1 == "Review permissions"
    assert browser.submit("consent", button=("decision", "accept")).h1 == "Project plan"
    user = world.do(guests.find, FABRIKAM, ALEX)
    assert (user.source, user.state) == (SOURCE.get(kind, "OpenID Connect"), "Accepted")
    assert user.identity_subject == RIGHT[kind].get("oid", "a-1")
    for event in ("sign-in", "invitation.redeemed"):
        said = detail(world, event)
        assert said["source"] == user.source and f"{NAMES[kind]} is set up for their address" in said["why"]
    assert len(world.letters(ALEX)) == 1  # the invitation: no code was sent


@pytest.mark.parametrize("kind", KINDS)
def test_guest_is_known_again_by_who_they_are_there_whatever_their_address_is(
    world: World, oidc, kind: str
) -> None:
    person = ready(world, oidc(kind))
    person.accepts().submit("sign-out")
    person.provider.add_account("a-1", email="new.name@elsewhere.example", **RIGHT[kind])
    assert person.signs_in().h1 == "Project plan"
    assert "was fixed to" in detail(world, "sign-in")["why"]


@pytest.mark.parametrize("kind", KINDS)
def test_another_account_of_the_same_address_is_refused(world: World, oidc, kind: str) -> None:
    person = ready(world, oidc(kind))
    person.accepts().submit("sign-out")
    other = {"oid": "8888d9b5-1111-4222-8333-abcdefabcdef"} if "oid" in RIGHT[kind] else {}
    person.provider.add_account("a-2", email=ALEX, **{**RIGHT[kind], **other})
    browser = person.signs_in(account="a-2")
    assert browser.status == 403 and "Fabrikam knows you by another account" in browser.text
    assert person.again(person.leaves()).h1 == "Project plan"


def test_address_in_capitals_is_the_same_address(world: World, oidc) -> None:
    assert ready(world, oidc("google"), mail="AlexDoe@Gmail.com").signs_in("ALEXDOE@GMAIL.COM").status == 200


def test_invitation_leads_to_the_provider_and_the_guest_to_what_is_shared(world: World, oidc) -> None:
    person = ready(world, oidc("google"))
    person.browser.open(world.invitation_path(ALEX)).submit("accept-invitation")
    browser = person.browser.open(person.provider.authorize(person.leaves(), "a-1"))
    assert browser.submit("consent", button=("decision", "accept")).path.endswith("/apps/project-plan")


def test_declining_leaves_everything_as_it_was(world: World, oidc) -> None:
    person = ready(world, oidc("google"))
    person.signs_in().submit("consent", button=("decision", "cancel"))
    user = world.do(guests.find, FABRIKAM, ALEX)
    assert (user.source, user.identity_subject) == ("Invited user", None)
    assert person.browser.open(PLAN).h1 == "Sign in to Fabrikam"


# Sessions (B28, B29)


@pytest.mark.both
def test_session_lasts_24_hours_and_leads_back_through_the_provider(world: World, oidc) -> None:
    person = ready(world, oidc("google"))
    person.accepts()
    world.advance(24 * 3600 - 60)
    assert person.browser.open(PLAN).h1 == "Project plan"
    world.advance(120)
    browser = person.browser.open(f"{PLAN}?page=2")
    assert browser.h1 == "It's time to sign in again" and "code" not in browser.text
    browser.submit("send-code")
    person.provider.skew_clock(24 * 3600 + 60)
    assert person.again().h1 == "Project plan" and browser.url.endswith(f"{PLAN}?page=2")


def test_session_that_is_over_leads_to_a_code_who_has_no_provider(world: World, oidc) -> None:
    ready(world, oidc("google"))
    nicole = world.whole_way(NICOLE)
    world.advance(24 * 3600 + 60)
    assert nicole.open("/fabrikam.example").submit("send-code").h1 == "Check your email"


@pytest.mark.both
def test_turning_codes_off_ends_sessions_by_code_and_no_others(world: World, oidc) -> None:
    alex, nicole = ready(world, oidc("google")).accepts(), world.signed_in(NICOLE)
    world.do(policies.turn_passcodes, FABRIKAM, on=False, by=BY)
    assert alex.open(PLAN).h1 == "Project plan"
    assert nicole.open("/fabrikam.example").h1 == "Sign in to Fabrikam"
    alex.submit("sign-out")
    assert Person(world, oidc("google")).signs_in().h1 == "Project plan"


ENDS = {
    "block": lambda world: world.do(guests.block, FABRIKAM, ALEX, by=BY),
    "delete": lambda world: world.do(guests.delete, FABRIKAM, ALEX, by=BY),
    "reset": lambda world: world.do(invitations.reset, FABRIKAM, ALEX, by=BY),
    "disable": lambda world: world.do(tenants.disable, FABRIKAM, by=BY),
    "sign out": lambda world: world.do(sessions.end_all, FABRIKAM, by=BY),
    "remove": lambda world: world.do(
        identity_providers.remove,
        world.do(identity_providers.listed, FABRIKAM)[0].provider.id,
        tenant_id=FABRIKAM,
        by=BY,
    ),
}


@pytest.mark.parametrize("end", [end for end in ENDS if end != "sign out"])  # after which they may come back
def test_what_ends_a_guests_access_ends_the_session_and_what_is_under_way(world: World, oidc, end: str) -> None:
    person = ready(world, oidc("google"))
    person.accepts()
    other = Person(world, person.provider)
    back = other.answered()
    ENDS[end](world)
    assert person.browser.open(PLAN).h1 != "Project plan"
    other.browser.open(back)
    assert other.browser.open(PLAN).h1 in ("Sign in to Fabrikam", "We can't find that page")


@pytest.mark.parametrize("kind", ["azure_ad", "other"])
def test_removing_a_provider_ends_its_sessions_and_a_fixed_guest_is_told(world: World, oidc, kind: str) -> None:
    person, nicole = ready(world, oidc(kind)), world.signed_in(NICOLE)
    person.accepts()
    at = FABRIKAM if kind == "other" else None
    found = world.do(identity_providers.listed, at)[0].provider
    assert world.do(identity_providers.effect_of_removing, found).locked_out == 1
    assert world.do(identity_providers.remove, found.id, tenant_id=at, by=BY) == 1
    assert person.asks(ALEX).h1 == "You can't sign in to Fabrikam at the moment"
    assert nicole.open("/fabrikam.example").status == 200
    world.do(invitations.reset, FABRIKAM, ALEX, by=BY)
    assert person.asks(ALEX).h1 == "Get a code to sign in"


def test_code_mailed_before_a_provider_was_set_up_lets_nobody_in(world: World, oidc) -> None:
    early = world.browser().open(PLAN).submit("email-form", email=ALEX).submit("send-code")
    code = world.code(ALEX)
    late = world.browser().open(PLAN).submit("email-form", email=ALEX).submit("send-code")
    ready(world, oidc("google"))
    assert early.submit("enter-code", code=code).errors and late.open(PLAN).h1 == "Sign in to Fabrikam"
    assert len(world.letters(ALEX)) == 2  # the invitation, and the first code: the second one was dropped


# Administrators (B34)


def test_administrator_of_a_covered_address_goes_on_to_a_code_from_the_same_page(world: World, oidc) -> None:
    person = ready(world, oidc("google"), "fabrikam.example", mail=ADMIN, hd="fabrikam.example")
    browser = person.asks(ADMIN, "/fabrikam.example/admin").submit("send-code")
    browser.submit("enter-code", code=world.code(ADMIN))
    assert browser.path.startswith("/fabrikam.example/admin") and browser.status == 200


@pytest.mark.case("FD-19")
def test_administrator_is_not_let_in_by_a_provider_but_can_go_on_to_a_code(world: World, oidc) -> None:
    person = ready(world, oidc("google"), "fabrikam.example", mail=ADMIN, hd="fabrikam.example")
    browser = person.signs_in(ADMIN)
    assert browser.status == 403 and "You can still get a code" in browser.text
    browser.submit("send-code").submit("enter-code", code=world.code(ADMIN))
    assert browser.open("/fabrikam.example/admin/guests").status == 200


# Who has accepted is one account there (B7)


@pytest.mark.both
def test_accepting_ends_what_others_with_the_same_address_have_begun(world: World, oidc) -> None:
    person = ready(world, oidc("google"))
    person.provider.add_account("a-2", email=ALEX, email_verified=True)
    other = Person(world, person.provider)
    other.signs_in(account="a-2")
    person.accepts()
    assert other.browser.open(PLAN).h1 == "Sign in to Fabrikam"
    assert person.browser.open(PLAN).h1 == "Project plan"
    assert world.rows("SELECT identity_subject, ended_reason FROM sessions WHERE ended_at IS NOT NULL") == [
        ("a-2", "way in was fixed")
    ]


@pytest.mark.both
@pytest.mark.parametrize("column", ["identity_provider", "identity_issuer", "identity_subject"])
def test_rows_decide_whose_session_it_is_even_if_nobody_ended_it(world: World, oidc, column: str) -> None:
    browser = ready(world, oidc("google")).accepts()
    changing(world, f"UPDATE users SET {column} = 'other' WHERE mail = '{ALEX}'")
    assert browser.open(PLAN).h1 == "Sign in to Fabrikam"


@pytest.mark.both
@pytest.mark.parametrize("subject", ["a-1", "a-2"])
def test_session_opens_for_the_account_that_accepted_only(world: World, oidc, subject: str) -> None:
    """What is fixed between the look at who they are and the session decides."""
    ready(world, oidc("google")).accepts()
    ((issuer,),) = world.rows("SELECT identity_issuer FROM sessions")
    user = world.do(guests.find, FABRIKAM, ALEX)
    started = world.do(signin.start, FABRIKAM, parse(ALEX), browser="b" * 64, target=None, by=BY)
    started.user_id = user.id
    proof = sessions.Proof(since=started.created_at, way="google", issuer=issuer, subject=subject)
    opening = operation(sessions.open_for)
    assert bool(world.do(opening, started, proof, secret="s", by=BY, replacing=None)) == (subject == "a-1")


@pytest.mark.both
@pytest.mark.parametrize("end", ["reset", "remove", "sign out"])
def test_accepting_in_a_session_that_was_ended_meanwhile_fixes_nothing(world: World, oidc, end: str) -> None:
    """As if the request had passed the gate just before."""
    ready(world, oidc("google")).signs_in()
    ((session, user),) = world.do(sessions.live, FABRIKAM)
    ENDS[end](world)
    with pytest.raises(invitations.InvitationUnknown):
        world.do(redemptions.redeem, FABRIKAM, user.id, session_id=session.id, by=BY)
    found = world.do(guests.find, FABRIKAM, ALEX)
    assert (found.state, found.identity_provider, found.identity_subject) == ("PendingAcceptance", None, None)


def test_nobody_accepts_in_anothers_session(world: World, oidc) -> None:
    ready(world, oidc("google")).signs_in()
    ((session, _),) = world.do(sessions.live, FABRIKAM)
    other = world.do(invitations.invite, FABRIKAM, "other@gmail.com", by=BY).user_id
    with pytest.raises(invitations.InvitationUnknown):
        world.do(redemptions.redeem, FABRIKAM, other, session_id=session.id, by=BY)
    assert world.do(guests.find, FABRIKAM, "other@gmail.com").identity_subject is None


@pytest.mark.both
def test_accepting_twice_changes_nothing_though_the_session_has_ended(world: World, oidc) -> None:
    ready(world, oidc("google")).accepts()
    ((session, user),) = world.do(sessions.live, FABRIKAM)
    world.do(sessions.sign_out, FABRIKAM, session.id, by=BY)
    before = tables(world)
    world.do(redemptions.redeem, FABRIKAM, user.id, session_id=session.id, by=BY)
    assert tables(world) == before
