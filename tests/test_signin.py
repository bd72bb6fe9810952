"""The way in, operation by operation (B22 to B28)."""

from tests.world import ALEX, FABRIKAM, STRANGER, World


def test_alex_signs_in_by_a_direct_link_and_lands_on_the_resource(world: World) -> None:
    browser = world.signed_in(ALEX, "/fabrikam.example/apps/project-plan?page=2")
    assert browser.url.endswith("/fabrikam.example/apps/project-plan?page=2")
    assert browser.h1 == "Project plan"
    assert world.rows("SELECT state, identity_provider FROM users WHERE mail = :mail", mail=ALEX) == [
        ("Accepted", "passcode")
    ]


def test_stranger_sees_the_same_pages_and_gets_no_mail(world: World) -> None:
    browser = world.browser().open(f"/{FABRIKAM}").submit("email-form", email=STRANGER).submit("send-code")
    assert browser.h1 == "Check your email"
    assert world.letters(STRANGER) == []
