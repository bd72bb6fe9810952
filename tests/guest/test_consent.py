"""Review permissions: B19, B16; UX row "Review permissions"; L-10."""

import pytest

from guestauth import invitations, tenants
from tests.guest import at_consent, at_enter_code
from tests.probe import action, tables, token
from tests.world import ALEX, BY, FABRIKAM, NICOLE, World

ACCEPT, CANCEL = ("decision", "accept"), ("decision", "cancel")
PLAN = "/fabrikam.example/apps/project-plan?page=2"


def state(world: World, mail: str = ALEX):
    """What the guest's row says of redemption."""
    return world.rows("SELECT state, identity_provider, accepted_at FROM users WHERE mail = :mail", mail=mail)[0]


def test_page_says_what_the_tenant_wants_in_the_words_of_the_design(world: World) -> None:
    browser = at_consent(world)
    assert (browser.status, browser.h1) == (200, "Review permissions")
    for words in (
        "Fabrikam (fabrikam.example) wants to:",
        "Receive your name and email address",
        "Record what you do in what it shares",
        "Use this to manage your access",
        "Only accept if you trust Fabrikam.",
        "Fabrikam has not given a link to its privacy statement.",
        "Accept",
        "Cancel",
    ):
        assert words in browser.text


def test_accepting_redeems_once_and_shows_what_was_asked_for(world: World) -> None:
    browser = at_consent(world, ALEX, PLAN)
    assert state(world)[0] == "PendingAcceptance"
    browser.submit("consent", button=ACCEPT)
    assert (browser.h1, browser.url[-len(PLAN) :]) == ("Project plan", PLAN)
    assert state(world)[:2] == ("Accepted", "passcode")
    browser.submit("sign-out").open(PLAN).submit("email-form", email=ALEX).submit("send-code")
    assert browser.submit("enter-code", code=world.code(ALEX)).h1 == "Project plan"


def test_cancelling_leaves_everything_as_it_was_and_signs_out(world: World) -> None:
    before = state(world)
    browser = at_consent(world, ALEX, PLAN).submit("consent", button=CANCEL)
    assert browser.h1 == "Sign-in cancelled"
    assert "You haven't been signed in to Fabrikam. Nothing was shared." in browser.text
    assert state(world) == before and not browser.has_form("sign-out")
    assert browser.open(PLAN).h1 == "Sign in to Fabrikam"


def test_who_cancelled_can_come_back_and_accept(sqlite_world: World) -> None:
    path = sqlite_world.invitation_path(ALEX)
    at_consent(sqlite_world).submit("consent", button=CANCEL)
    browser = sqlite_world.browser().open(path).submit("accept-invitation").submit("send-code")
    browser.submit("enter-code", code=sqlite_world.code(ALEX)).submit("consent", button=ACCEPT)
    assert browser.h1 == "Project plan"


@pytest.mark.parametrize(
    "path", ["", "/apps", "/apps/project-plan", "/apps/project-plan/download", "/apps/none", "/consent"]
)
def test_nothing_is_shown_before_accepting(sqlite_world: World, path: str) -> None:
    browser = at_consent(sqlite_world).open(f"/fabrikam.example{path}")
    assert browser.h1 == "Review permissions"


def test_privacy_statement_is_linked_where_the_tenant_has_one(sqlite_world: World) -> None:
    statement = "https://litware.example/privacy"
    tenant = sqlite_world.do(
        tenants.create, "Litware", domains=["litware.example"], privacy_statement_url=statement, by=BY
    )
    sqlite_world.do(invitations.invite, tenant.id, ALEX, by=BY)
    browser = at_consent(sqlite_world, ALEX, "/litware.example")
    assert {statement} == set(browser.page.xpath("//a[contains(., 'rivacy statement of Litware')]/@href"))
    assert "has not given a link" not in browser.text


def test_page_opened_again_changes_nothing(sqlite_world: World) -> None:
    browser = at_consent(sqlite_world)
    before = tables(sqlite_world)
    for _ in range(3):
        assert browser.open("/fabrikam.example/consent").h1 == "Review permissions"
    assert tables(sqlite_world) == before


def test_accepting_twice_ends_well_and_counts_once(sqlite_world: World) -> None:
    browser = at_consent(sqlite_world, ALEX, PLAN)
    form = {"csrf_token": token(browser, "consent"), "decision": "accept", "to": PLAN}
    place = action(browser, "consent")
    for _ in range(2):
        assert browser.post(place, form).h1 == "Project plan"
    events = sqlite_world.rows(
        "SELECT COUNT(*) FROM events WHERE name = 'invitation.redeemed' AND address = :a", a=ALEX
    )
    assert events == [(1,)]


@pytest.mark.parametrize("decision", ["", "yes", "ACCEPT", "accept\u200b"])
def test_answer_that_is_neither_is_asked_again(sqlite_world: World, decision: str) -> None:
    browser = at_consent(sqlite_world)
    form = {"csrf_token": token(browser, "consent"), "decision": decision}
    assert browser.post(action(browser, "consent"), form).status == 422
    assert browser.errors == ["Choose Accept or Cancel"] and state(sqlite_world)[0] == "PendingAcceptance"
    assert browser.submit("consent", button=ACCEPT).h1 == "Fabrikam apps"


def test_invitation_revoked_while_the_page_is_open_cannot_be_accepted(world: World) -> None:
    browser = at_consent(world)
    world.do(invitations.revoke, FABRIKAM, ALEX, by=BY)
    assert browser.submit("consent", button=ACCEPT).h1 == "Sign in to Fabrikam"
    assert state(world)[0] == "PendingAcceptance"


def test_guest_who_accepted_is_not_asked(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(NICOLE).open(
        "/fabrikam.example/consent", to="/fabrikam.example/apps/welcome-pack"
    )
    assert browser.h1 == "Welcome pack"


def test_stranger_without_a_session_is_led_to_sign_in(sqlite_world: World) -> None:
    assert sqlite_world.browser().open("/fabrikam.example/consent").h1 == "Sign in to Fabrikam"
    assert sqlite_world.browser().open("/fabrikam.example/consent/cancelled").h1 == "Sign-in cancelled"


def test_second_tab_with_the_page_ends_well_after_accepting(sqlite_world: World) -> None:
    browser = at_consent(sqlite_world, ALEX, PLAN)
    page = browser.url
    browser.submit("consent", button=ACCEPT)
    assert browser.open(page).h1 == "Project plan"


def test_administrator_is_not_asked(world: World) -> None:
    browser = at_enter_code(world, "admin@fabrikam.example")
    assert browser.submit("enter-code", code=world.code("admin@fabrikam.example")).h1 == "Fabrikam apps"
