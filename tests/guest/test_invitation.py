"""The invitation's landing page: B16, B18, B20; UX row "Invitation", acceptance 16; I-01, I-05, I-07, I-10."""

import re

import pytest

from guestauth import guests, invitations, tenants
from tests.probe import ask, ask_as, tables, token
from tests.world import ALEX, BY, FABRIKAM, NICOLE, STRANGER, WOODGROVE, World

DEAD = "This invitation link doesn't work"


def invited(world: World, mail: str = STRANGER, **how: str) -> str:
    """Invite somebody to Fabrikam and give the path of the link in their mail."""
    world.do(invitations.invite, FABRIKAM, mail, by=BY, **how)
    return world.invitation_path(mail)


def test_page_says_who_invites_whom_to_what_in_the_words_of_the_design(world: World) -> None:
    browser = world.browser().open(world.invitation_path(ALEX))
    assert (browser.status, browser.h1) == (200, "Fabrikam has invited you")
    for words in (
        f"Robin Meyer invited {ALEX} to use what Fabrikam shares.",
        "Message from Robin Meyer",
        "After you sign in you'll be taken to Project plan.",
        "Continue",
        "I wasn't expecting this",
    ):
        assert words in browser.text
    assert "here is the plan we spoke about" in browser.page.find(".//blockquote").text


def test_invitation_leads_the_whole_way_to_what_it_is_about(world: World) -> None:
    browser = world.browser().open(world.invitation_path(ALEX)).submit("accept-invitation")
    assert browser.h1 == "Get a code to sign in" and ALEX in browser.text
    browser.submit("send-code").submit("enter-code", code=world.code(ALEX))
    browser.submit("consent", button=("decision", "accept"))
    assert (browser.h1, browser.path) == ("Project plan", f"/{FABRIKAM}/apps/project-plan")


@pytest.mark.acceptance(16)
def test_opening_it_twenty_times_changes_nothing_and_sends_nothing(world: World) -> None:
    path = world.invitation_path(ALEX)
    before, letters = tables(world), len(world.letters())
    for turn in range(20):
        address, method = f"198.51.100.{turn}", ("GET", "HEAD")[turn % 2]
        answer = ask(world.app, path, method, headers={"User-Agent": f"Scanner/{turn}"}, REMOTE_ADDR=address)
        assert answer.status == 200
    assert (tables(world), len(world.letters())) == (before, letters)


def test_post_without_the_page_s_token_changes_nothing(sqlite_world: World) -> None:
    path = sqlite_world.invitation_path(ALEX)
    before = tables(sqlite_world)
    assert ask(sqlite_world.app, path, "POST", form={"decision": "accept"}).status == 400
    assert tables(sqlite_world) == before


@pytest.mark.parametrize("field", ["email", "mail", "to", "target", "user_id"])
def test_code_goes_to_the_invited_address_whatever_is_sent_along(sqlite_world: World, field: str) -> None:
    browser = sqlite_world.browser().open(sqlite_world.invitation_path(ALEX))
    form = {"csrf_token": token(browser, "accept-invitation"), field: NICOLE}
    browser.post(browser.path, form).submit("send-code")
    assert sqlite_world.letters(NICOLE) == [] and len(sqlite_world.letters(ALEX)) == 2


def test_address_that_accepted_already_signs_in_here(sqlite_world: World) -> None:
    path = sqlite_world.invitation_path(ALEX)
    sqlite_world.signed_in(ALEX)
    browser = sqlite_world.browser().open(path)
    assert (browser.status, browser.h1) == (200, "You've already accepted this invitation")
    assert f"Sign in as {ALEX} to use what Fabrikam shares." in browser.text
    browser.submit("accept-invitation").submit("send-code").submit("enter-code", code=sqlite_world.code(ALEX))
    assert browser.h1 == "Project plan"


def test_signed_in_guest_goes_straight_on(sqlite_world: World) -> None:
    path = sqlite_world.invitation_path(ALEX)
    assert sqlite_world.signed_in(ALEX).open(path).h1 == "Project plan"


def test_signed_in_as_somebody_else_chooses(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(NICOLE).open(sqlite_world.invitation_path(ALEX))
    assert f"You're signed in as {NICOLE}. This invitation is for {ALEX}." in browser.text
    assert f"Continue as {ALEX}" in browser.text
    assert browser.click(f"Stay signed in as {NICOLE}").h1 == "Fabrikam apps"


@pytest.mark.case("I-06")
def test_revoked_link_says_so_and_the_guest_gets_no_code(world: World) -> None:
    path = world.invitation_path(ALEX)
    world.do(invitations.revoke, FABRIKAM, ALEX, by=BY)
    browser = world.browser().open(path)
    assert (browser.status, browser.h1) == (404, "This invitation has been withdrawn")
    assert ALEX not in browser.text
    browser.click("Sign in to Fabrikam").submit("email-form", email=ALEX).submit("send-code")
    assert browser.h1 == "Check your email" and len(world.letters(ALEX)) == 1


@pytest.mark.case("I-06")
def test_replaced_link_says_so_and_the_newer_works(world: World) -> None:
    old = world.invitation_path(ALEX)
    world.do(invitations.resend, FABRIKAM, ALEX, by=BY)
    browser = world.browser().open(old)
    assert (browser.status, browser.h1) == (404, "There's a newer invitation")
    assert world.browser().open(world.invitation_path(ALEX)).h1 == "Fabrikam has invited you"


def test_link_of_a_deleted_guest_works_no_more(sqlite_world: World) -> None:
    path = sqlite_world.invitation_path(ALEX)
    sqlite_world.do(guests.delete, FABRIKAM, ALEX, by=BY)
    browser = sqlite_world.browser().open(path)
    assert (browser.status, browser.h1) == (404, DEAD) and ALEX not in browser.text


@pytest.mark.parametrize("tenant", ["woodgrove.example", str(WOODGROVE), "contoso.example"])
@pytest.mark.case("I-07")
def test_link_is_nothing_in_another_tenant(sqlite_world: World, tenant: str) -> None:
    ticket = sqlite_world.invitation_path(ALEX).rpartition("/")[2]
    browser = sqlite_world.browser().open(f"/{tenant}/invitations/{ticket}")
    assert (browser.status, browser.h1) == (404, DEAD)
    assert ALEX not in browser.text and "Fabrikam" not in browser.text


def test_link_with_another_tenant_in_its_query_is_refused(sqlite_world: World) -> None:
    path = sqlite_world.invitation_path(ALEX)
    assert sqlite_world.browser().open(path, tenantid="woodgrove.example").status == 400


@pytest.mark.parametrize("cut", [-1, -10, 20, 1])
def test_incomplete_link_says_what_to_do(sqlite_world: World, cut: int) -> None:
    tenant, _, ticket = sqlite_world.invitation_path(ALEX).rpartition("/")
    browser = sqlite_world.browser().open(f"{tenant}/{ticket[:cut]}")
    assert (browser.status, browser.h1) == (404, DEAD)
    assert "Open the link from the invitation again, or copy all of it into your browser." in browser.text


@pytest.mark.parametrize("ticket", [".", "..", "a.b", "x" * 5000, "é", "e30.x", "%", "null", "WyJhIl0.AAAA"])
def test_ticket_that_is_none_is_an_incomplete_link(sqlite_world: World, ticket: str) -> None:
    answer = ask(sqlite_world.app, f"/fabrikam.example/invitations/{ticket}")
    assert (answer.status, answer.h1) == (404, DEAD)


def test_link_works_by_domain_and_by_id(sqlite_world: World) -> None:
    ticket = sqlite_world.invitation_path(ALEX).rpartition("/")[2]
    for tenant in ("fabrikam.example", "FABRIKAM.example", str(FABRIKAM), str(FABRIKAM).upper()):
        assert sqlite_world.browser().open(f"/{tenant}/invitations/{ticket}").h1 == "Fabrikam has invited you"


@pytest.mark.case("I-11")
def test_what_the_inviter_wrote_is_text(sqlite_world: World) -> None:
    message = "<script>alert(1)</script> https://evil.example {{7*7}} \u202egnp.exe"
    browser = sqlite_world.browser().open(invited(sqlite_world, message=message))
    assert browser.page.find(".//blockquote").text == message
    assert not browser.page.xpath("//blockquote//*")


def test_page_loads_and_links_nothing_from_elsewhere(sqlite_world: World) -> None:
    path = sqlite_world.invitation_path(ALEX)
    browser = sqlite_world.browser().open(path)
    found = browser.page.xpath("//@href | //@src | //@action")
    assert not [link for link in found if re.match(r"\w+:|//", link) and not link.startswith("mailto:")]
    assert browser.headers["Referrer-Policy"] == "same-origin"


def test_invitation_to_nothing_in_particular_leads_to_the_apps(sqlite_world: World) -> None:
    path = invited(sqlite_world)
    browser = sqlite_world.browser().open(path)
    assert "you'll be taken to" not in browser.text
    browser.submit("accept-invitation").submit("send-code")
    browser.submit("enter-code", code=sqlite_world.code(STRANGER))
    assert browser.submit("consent", button=("decision", "accept")).h1 == "Fabrikam apps"


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "/sign-out", "/../woodgrove.example"])
def test_invitation_never_leads_out_of_the_tenant(sqlite_world: World, target: str) -> None:
    path = invited(sqlite_world, target=target)
    browser = sqlite_world.browser().open(path).submit("accept-invitation").submit("send-code")
    browser.submit("enter-code", code=sqlite_world.code(STRANGER))
    assert browser.submit("consent", button=("decision", "accept")).path == f"/{FABRIKAM}"


def test_page_open_while_the_invitation_is_revoked_starts_nothing(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open(sqlite_world.invitation_path(ALEX))
    sqlite_world.do(invitations.revoke, FABRIKAM, ALEX, by=BY)
    assert browser.submit("accept-invitation").status == 404
    assert sqlite_world.rows("SELECT * FROM sign_ins") == []


@pytest.mark.case("I-06")
def test_link_of_a_disabled_tenant_is_the_page_of_an_unknown_one(sqlite_world: World) -> None:
    path = sqlite_world.invitation_path(ALEX)
    sqlite_world.do(tenants.disable, FABRIKAM, by=BY)
    browser = sqlite_world.browser().open(path)
    assert (browser.status, browser.h1) == (404, "We can't find that page") and ALEX not in browser.text


def test_head_says_what_get_says(sqlite_world: World) -> None:
    path, browser = sqlite_world.invitation_path(ALEX), sqlite_world.browser().open("/fabrikam.example/sign-in")
    get, head = (ask_as(browser, sqlite_world.app, path, method) for method in ("GET", "HEAD"))
    assert (get.status, get.headers) == (head.status, head.headers) and head.body == b""
