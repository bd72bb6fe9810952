"""Guests who sign in at a provider: the same path as with a code (B6, B7, B19, B28, B31)."""

from tests.federation.person import Person, set_up
from tests.world import ALEX, World


def test_guest_of_a_google_address_signs_in_there_and_sees_what_is_shared(world: World, oidc) -> None:
    google = oidc("google")
    google.add_account("g-1", email=ALEX, email_verified=True)
    set_up(world, google)
    browser = Person(world, google).signs_in(ALEX, "g-1")
    assert browser.h1 == "Review permissions"
    assert browser.submit("consent", button=("decision", "accept")).h1 == "Project plan"
