"""What a provider says, and what somebody makes it say: believed only if it is right in everything.

Each is really sent: the provider signs it, or somebody else does, and a browser brings it.
"""

from typing import Any

import pytest

from guestauth import guests, invitations, openid
from tests.federation.person import DIRECTORY, PLAN, RIGHT, Person, ready
from tests.providers import PERSONAL
from tests.steps import audited
from tests.world import ALEX, BY, FABRIKAM, World

STRANGE = "00000000-dead-4bad-8000-000000000000"
NOT_RIGHT, NOT_CONFIRMED, OTHER = "didn't work", "Your address isn't confirmed", "You used another account"


def is_refused(person: Person, heading: str, reason: str) -> None:
    """Go the whole way, and see that nobody was let in, nothing was redeemed, a try was counted and logged."""
    browser = person.signs_in()
    assert heading in browser.h1 and browser.status == (400 if heading == NOT_RIGHT else 403)
    last = audited(person.world, "sign-in")[-1]
    assert last[0] == "refused" and reason in last[1], last
    assert person.world.rows("SELECT count(*) FROM sessions") == [(0,)]
    assert person.world.rows("SELECT max(tries) FROM sign_ins") == [(1,)]
    assert person.world.do(guests.find, FABRIKAM, ALEX).state == "PendingAcceptance"
    assert browser.open(PLAN).h1 == "Sign in to Fabrikam"


# Whose word counts


@pytest.mark.case("FD-01")
@pytest.mark.parametrize("verified", [None, False, 0, "0", "false", "True", "yes", [True], {"a": 1}])
def test_work_account_with_somebody_elses_address_is_refused(world: World, oidc, verified: Any) -> None:
    person = ready(world, oidc("azure_ad"), xms_edov=verified, email_verified=True)
    if verified is None:
        person.provider.forge(xms_edov=None)
    is_refused(person, NOT_CONFIRMED, "not confirmed")


@pytest.mark.case("FD-01")
@pytest.mark.parametrize("verified", [True, 1, "1", "true"])
def test_work_account_whose_address_is_verified_is_let_in(world: World, oidc, verified: Any) -> None:
    assert ready(world, oidc("azure_ad"), xms_edov=verified).signs_in().h1 == "Review permissions"


@pytest.mark.case("FD-01")
def test_who_writes_a_guests_address_into_their_account_learns_nothing_of_the_guest(world: World, oidc) -> None:
    person = ready(world, oidc("azure_ad"))
    person.accepts()
    thief = {**RIGHT["azure_ad"], "oid": "99999999-1111-4222-8333-abcdefabcdef", "xms_edov": False}
    seen = []
    for mail in (ALEX, "alexdoo@gmail.com"):
        person.provider.add_account("thief", email=mail, **thief)
        seen.append(Person(world, person.provider).signs_in(mail, "thief").text.replace(mail, "ADDRESS"))
    assert seen[0] == seen[1] and NOT_CONFIRMED in seen[0]


@pytest.mark.case("FD-02")
@pytest.mark.parametrize("tid", [STRANGE, PERSONAL, None, "", "{tenantid}", [DIRECTORY], DIRECTORY.upper()])
def test_account_of_a_directory_that_is_not_on_the_list_is_refused(world: World, oidc, tid: Any) -> None:
    person = ready(world, oidc("azure_ad"))
    person.provider.forge(tid=tid)
    is_refused(person, NOT_RIGHT, "directory that is not on the list")


@pytest.mark.case("FD-02")
@pytest.mark.parametrize("kind", ["azure_ad", "microsoft_account"])
def test_token_of_another_directorys_issuer_is_refused(world: World, oidc, kind: str) -> None:
    person = ready(world, oidc(kind))
    person.provider.forge(iss=person.provider.issuer_of(STRANGE).replace(PERSONAL, STRANGE))
    is_refused(person, NOT_RIGHT, "iss")


@pytest.mark.case("FD-02")
@pytest.mark.parametrize("oid", [None, "", 7, "x" * 256])
def test_work_account_without_a_name_of_its_own_is_nobody(world: World, oidc, oid: Any) -> None:
    person = ready(world, oidc("azure_ad"))
    person.provider.forge(oid=oid)
    is_refused(person, NOT_RIGHT, "does not say whose it is")


@pytest.mark.case("FD-03")
@pytest.mark.parametrize("verified", [False, "true", "True", 1, "1", None, [], {"true": True}])
@pytest.mark.parametrize("kind", ["google", "mock"])
def test_address_that_the_provider_has_not_verified_is_refused(
    world: World, oidc, kind: str, verified: Any
) -> None:
    is_refused(ready(world, oidc(kind), email_verified=verified), NOT_CONFIRMED, "not confirmed")


MAIL = "alex@firstup.example"


@pytest.mark.case("FD-03")
@pytest.mark.parametrize("hosted", [None, "", "other.example", "example", ["firstup.example"], True])
def test_google_does_not_speak_for_a_domain_that_is_not_the_accounts_workspace(
    world: World, oidc, hosted: Any
) -> None:
    world.do(invitations.invite, FABRIKAM, MAIL, by=BY)
    person = ready(world, oidc("google"), "firstup.example", mail=MAIL)
    person.provider.forge(hd=hosted)
    assert person.signs_in(MAIL).h1 == NOT_CONFIRMED
    assert world.rows("SELECT count(*) FROM sessions") == [(0,)]


@pytest.mark.case("FD-03")
@pytest.mark.parametrize("hosted", ["firstup.example", "FirstUp.Example"])
def test_google_speaks_for_the_accounts_workspace(world: World, oidc, hosted: str) -> None:
    world.do(invitations.invite, FABRIKAM, MAIL, by=BY)
    assert ready(world, oidc("google"), "firstup.example", mail=MAIL, hd=hosted).signs_in(MAIL).status == 200


@pytest.mark.case("FD-03")
@pytest.mark.parametrize(
    "mail", ["alexdoe@gmail.com.evil.example", "alexdo@gmail.com", "alexdoe@googlemail.com", "", [ALEX], 7]
)
def test_account_of_another_address_is_refused(world: World, oidc, mail: Any) -> None:
    person = ready(world, oidc("google"))
    person.provider.forge(email=mail)
    is_refused(person, OTHER, "another address")


# For whom, by whom, when


@pytest.mark.case("FD-04")
@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "somebody-else"},
        {"aud": ["somebody-else"]},
        {"aud": None},
        {"aud": ["guestauth", "somebody-else"]},  # two, and none says for which
        {"aud": ["guestauth", "somebody-else"], "azp": "somebody-else"},
        {"azp": "somebody-else"},
        {"aud": "somebody-else", "azp": "guestauth"},
    ],
)
def test_token_for_another_client_is_refused(world: World, oidc, claims: dict[str, Any]) -> None:
    person = ready(world, oidc("google"))
    person.provider.forge(**claims)
    is_refused(person, NOT_RIGHT, "the token is no good")


@pytest.mark.case("FD-05")
@pytest.mark.parametrize("nonce", [None, "", "0" * 64])
def test_token_of_another_sign_in_is_refused(world: World, oidc, nonce: str | None) -> None:
    person = ready(world, oidc("google"))
    person.provider.forge(nonce=nonce)
    is_refused(person, NOT_RIGHT, "nonce")


@pytest.mark.case("FD-06")
@pytest.mark.parametrize("signature", ["none", "stranger", "secret", "public"])
@pytest.mark.parametrize("kind", ["google", "azure_ad"])
def test_token_that_the_provider_has_not_signed_is_refused(world: World, oidc, kind: str, signature: str) -> None:
    person = ready(world, oidc(kind))
    person.provider.forge(signature=signature)
    is_refused(person, NOT_RIGHT, "not signed by the provider")


@pytest.mark.case("FD-09")
@pytest.mark.parametrize("iss", ["https://accounts.google.com", None, "", ["https://localhost"], "{origin}/"])
def test_token_of_another_issuer_is_refused(world: World, oidc, iss: Any) -> None:
    person = ready(world, oidc("google"))
    person.provider.forge(iss=iss and (iss.format(origin=person.provider.origin) if isinstance(iss, str) else iss))
    is_refused(person, NOT_RIGHT, "iss")


@pytest.mark.case("FD-07")
@pytest.mark.parametrize("seconds", [30, -30, -300])
def test_providers_clock_may_be_a_little_off(world: World, oidc, seconds: int) -> None:
    """Five minutes behind is usual: Azure AD dates its tokens back so far. They are good until they end."""
    person = ready(world, oidc("google"))
    person.provider.skew_clock(seconds)
    assert person.signs_in().h1 == "Review permissions"


@pytest.mark.case("FD-07")
@pytest.mark.parametrize(("seconds", "reason"), [(300, "future"), (-3700, "expired")])
def test_token_of_another_time_is_refused(world: World, oidc, seconds: int, reason: str) -> None:
    person = ready(world, oidc("google"))
    person.provider.skew_clock(seconds)
    is_refused(person, NOT_RIGHT, reason)


@pytest.mark.case("FD-07")
@pytest.mark.parametrize("claims", [{"exp": None}, {"iat": None}, {"exp": "soon"}, {"nbf": 32503680000}])
def test_token_that_does_not_say_when_it_holds_or_not_yet_is_refused(world: World, oidc, claims: Any) -> None:
    person = ready(world, oidc("google"))
    person.provider.forge(**claims)
    is_refused(person, NOT_RIGHT, "the token is no good")


# Keys


@pytest.mark.case("FD-08")
@pytest.mark.parametrize("kind", ["google", "mock"])
def test_new_key_of_the_provider_is_found(world: World, oidc, kind: str) -> None:
    person = ready(world, oidc(kind))
    person.accepts().submit("sign-out")
    person.provider.rotate_keys()
    for kept in openid._keys.values():
        kept.read_at -= openid.ASKED_AGAIN_AFTER + 1
    assert person.signs_in().h1 == "Project plan"


@pytest.mark.case("FD-08")
def test_tokens_of_unknown_keys_do_not_make_us_ask_for_keys_again_and_again(world: World, oidc) -> None:
    person = ready(world, oidc("google"))
    person.accepts().submit("sign-out")
    person.provider.rotate_keys()
    for _ in range(3):
        assert NOT_RIGHT in person.signs_in().h1
    assert len(person.provider.asked("jwks")) == 1


# What the provider says of itself


@pytest.mark.case("FD-09")
@pytest.mark.parametrize(
    "published",
    [
        {"issuer": "https://accounts.google.com"},
        {"issuer": None},
        {"token_endpoint": None},
        {"jwks_uri": 7},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": "https://user:password@localhost/token"},
    ],
)
def test_provider_that_says_it_is_another_is_not_left_for(world: World, oidc, published: dict[str, Any]) -> None:
    person = ready(world, oidc("google"))
    person.provider.publish(**published)
    person.asks(ALEX)
    assert person.browser.click("Continue with Google").status in (400, 503)
    person.provider.publish()
    openid.forget()  # as half a minute does
    assert person.again().h1 == "Review permissions"


@pytest.mark.case("FD-09")
@pytest.mark.parametrize("origin", ["https://localhost:1", "https://login.evil.example"])
def test_directory_of_another_host_is_not_believed(world: World, oidc, origin: str) -> None:
    person = ready(world, oidc("azure_ad"))
    person.provider.publish(issuer=f"{origin}/{{tenantid}}/v2.0")
    person.asks(ALEX)
    assert person.browser.click("Continue with Microsoft").status == 400


@pytest.mark.case("FD-09")
@pytest.mark.parametrize(
    "published",
    [{"token_endpoint_auth_methods_supported": each} for each in (None, 7, "client_secret_post", [[]])],
)
def test_nonsense_in_what_a_provider_says_of_itself_breaks_nothing(
    world: World, oidc, published: dict[str, Any]
) -> None:
    person = ready(world, oidc("google"))
    person.provider.publish(**published)
    assert person.signs_in().status in (200, 400)


def test_address_that_is_not_in_the_token_is_asked_for(world: World, oidc) -> None:
    person = ready(world, oidc("other"))
    person.provider.forge(email=None, email_verified=None)
    assert person.signs_in().h1 == "Review permissions"
    assert person.provider.asked("userinfo")


def test_address_of_another_than_the_token_s_subject_is_refused(sqlite_world: World, oidc) -> None:
    person = ready(sqlite_world, oidc("other"))
    person.provider.forge(email=None, email_verified=None, sub="somebody-else")
    is_refused(person, NOT_RIGHT, "tells of somebody else")


@pytest.mark.case("FD-03")
def test_what_the_token_says_verified_is_not_the_address_that_userinfo_tells(world: World, oidc) -> None:
    person = ready(world, oidc("other"), email_verified=False)
    person.provider.forge(email=None, email_verified=True)
    is_refused(person, NOT_CONFIRMED, "not confirmed")


@pytest.mark.case("FD-22")
def test_userinfo_that_is_down_costs_no_try(world: World, oidc) -> None:
    person = ready(world, oidc("other"))
    person.provider.forge(email=None)
    person.provider.fail(userinfo=503)
    assert person.signs_in().status == 503
    assert world.rows("SELECT max(tries) FROM sign_ins") == [(0,)]
    person.provider.fail()
    assert person.again().h1 == "Review permissions"
