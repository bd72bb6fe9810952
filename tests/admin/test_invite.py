"""Inviting one guest from the console (B9, B16, B20)."""

import pytest

from guestauth import guests, policies
from guestauth.policies import DomainList
from tests.admin import CONSOLE, at_console
from tests.browser import Browser
from tests.probe import tables, token
from tests.world import ADMIN, ALEX, BY, FABRIKAM, NICOLE, STRANGER, World

INVITE = f"{CONSOLE}/guests/invite"


def at_invite(world: World) -> Browser:
    return at_console(world, "/guests/invite")


def test_invited_guest_gets_the_mail_and_lands_where_they_should(world: World) -> None:
    browser = at_invite(world).submit(
        "invite", email=STRANGER, display_name="Sam", message="Come in!\n\nAna", redirect="/apps/welcome-pack"
    )
    assert f"Invited: {STRANGER}" in browser.text and "is on its way" in browser.text
    (letter,) = world.letters(STRANGER)
    assert "Come in!" in letter.part("plain") and ADMIN in letter.message["Subject"]
    assert world.rows("SELECT 1 FROM invitations WHERE message = :text", text="Come in!\n\nAna")
    guest = world.browser().open(world.invitation_path(STRANGER)).submit("accept-invitation").submit("send-code")
    guest.submit("enter-code", code=world.code(STRANGER)).submit("consent", button=("decision", "accept"))
    assert guest.h1 == "Welcome pack"


def test_inviter_is_named_by_their_name(world: World) -> None:
    at_invite(world).submit("invite", email=STRANGER)
    assert world.rows("SELECT inviter FROM invitations ORDER BY created_at DESC")[0] == (ADMIN,)
    assert world.rows("SELECT actor FROM events WHERE name = 'guest.invited'")[-1] == ("administrator",)


def test_without_mail_the_link_is_there_to_hand_over(world: World) -> None:
    browser = at_invite(world).submit("invite", email=STRANGER, send_mail=False)
    assert "No mail was sent" in browser.text and world.letters(STRANGER) == []
    (link,) = browser.page.xpath("//button[@type='button'][@hidden]/@data-copy")
    assert world.browser().open(link).h1 == "Fabrikam has invited you"
    assert link in browser.text


def test_nothing_tells_which_way_in_they_will_have(sqlite_world: World) -> None:
    browser = at_invite(sqlite_world)
    pages = [browser.text, browser.submit("invite", email=STRANGER).text]
    pages.append(at_invite(sqlite_world).submit("invite", email="sam@example.com", send_mail=False).text)
    for text in pages:
        assert not [word for word in ("code", "OTP", "passcode") if word in text]


@pytest.mark.parametrize(("mail", "words"), [(NICOLE, "a guest already"), (ADMIN, "a member of Fabrikam")])
def test_who_is_there_already_is_said_to_be_and_nothing_changes(world: World, mail: str, words: str) -> None:
    browser = at_invite(world)
    before = tables(world)
    browser.submit("invite", email=mail, display_name="Other", message="Hi")
    assert (browser.status, browser.errors) == (422, [f"{mail} is {words}. Nothing was changed."])
    assert tables(world) == before
    assert browser.form("invite").fields["message"] == "Hi"


def test_who_is_there_already_is_linked_to(world: World) -> None:
    browser = at_invite(world).submit("invite", email=ALEX.upper())
    assert "can be sent again" in browser.text
    assert "resend" in " ".join(browser.click("Alex Doe").page.xpath("//a/@href"))


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"email": ""}, "in the correct format"),
        ({"email": "nobody"}, "in the correct format"),
        ({"email": STRANGER, "display_name": "x" * 201}, "200 characters"),
        ({"email": STRANGER, "message": "x" * 2001}, "2,000 characters"),
    ],
)
def test_what_is_no_good_is_said_and_everything_typed_is_kept(
    sqlite_world: World, typed: dict[str, str], words: str
) -> None:
    browser = at_invite(sqlite_world)
    before = tables(sqlite_world)
    browser.submit("invite", **typed, send_mail=False, redirect="/apps/project-plan")
    assert browser.status == 422 and words in browser.errors[0] and tables(sqlite_world) == before
    kept = browser.form("invite").fields
    assert {name: (kept[name] or "").lstrip("\n") for name in typed} == typed
    assert (kept["redirect"], kept["send_mail"]) == ("/apps/project-plan", None)


def test_message_of_two_thousand_characters_fits_however_its_lines_end(sqlite_world: World) -> None:
    message = "x\n" * 999 + "xx"
    assert "Invited" in at_invite(sqlite_world).submit("invite", email=STRANGER, message=message).text


def test_domain_that_is_not_let_in_is_refused(world: World) -> None:
    world.do(policies.limit_domains, FABRIKAM, DomainList("deny", ["example.com"]), by=BY)
    browser = at_invite(world).submit("invite", email=STRANGER)
    assert browser.errors == ["Fabrikam does not let guests of example.com in"]


@pytest.mark.parametrize("target", ["/apps/project-plan", "/account", "/apps/not-yet"])
def test_path_that_no_choice_offers_is_taken_if_it_is_a_page_of_the_tenant(world: World, target: str) -> None:
    browser = at_invite(world)
    form = {"csrf_token": token(browser, "invite"), "email": STRANGER, "redirect": target}
    assert "Invited" in browser.post(INVITE, form).text
    assert world.rows("SELECT target FROM invitations WHERE target = :target", target=target)


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "apps", "/../woodgrove.example", "/nothing", "/sign-out", "x"],
)
def test_path_that_is_none_of_the_tenant_is_refused_and_kept(sqlite_world: World, target: str) -> None:
    browser = at_invite(sqlite_world)
    form = {"csrf_token": token(browser, "invite"), "email": STRANGER, "redirect": target}
    assert browser.post(INVITE, form).status == 422 and "no page" in browser.errors[0]
    assert browser.form("invite").fields["redirect"] == target
    with pytest.raises(guests.GuestUnknown):
        sqlite_world.do(guests.find, FABRIKAM, STRANGER)


def test_page_of_what_comes_next_can_be_reloaded_and_knows_a_dead_link(sqlite_world: World) -> None:
    browser = at_invite(sqlite_world).submit("invite", email=STRANGER)
    assert "is on its way" in browser.open(browser.path).text
    assert browser.click("See this guest").h1 == STRANGER
    sqlite_world.run("guest", "revoke", "fabrikam.example", STRANGER)
    browser.open(f"{browser.path}/invited")
    assert "no longer works" in browser.text and not browser.page.xpath("//button/@data-copy")


def test_form_of_another_tenant_s_administrator_invites_to_their_own(world: World) -> None:
    browser = at_console(world, "/guests/invite", mail="admin@woodgrove.example", tenant="woodgrove.example")
    options = [option.text for option in browser.page.xpath("//select[@id='redirect']/option")]
    assert options == ["The list of apps", "Trail map"]
    form = {"csrf_token": token(browser, "invite"), "email": STRANGER}
    assert browser.post(INVITE, form).h1 == "Sign in to Fabrikam"
    assert len(world.rows("SELECT 1 FROM users WHERE mail = :mail", mail=STRANGER)) == 0
