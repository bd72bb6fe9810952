"""What a browser brings back from a provider: worth something in that browser, for that sign-in, once."""

from functools import partial
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from guestauth import identity_providers, invitations, openid
from guestauth.keys import signer
from tests.e2e.parallel import together
from tests.federation.person import PLAN, RIGHT, Person, inner, parameters, ready, set_up
from tests.probe import ask_as, tables
from tests.steps import audited
from tests.world import ALEX, BY, CONTOSO, FABRIKAM, World

SESSIONS = "SELECT count(*) FROM sessions"
HERE = "/fabrikam.example/sign-in"


def bent(url: str, **changes: str | None) -> str:
    """Change parameters of an address; None takes one away."""
    kept = {**parameters(url), **changes}
    return (
        f"{url.partition('?')[0]}?{urlencode({name: value for name, value in kept.items() if value is not None})}"
    )


def sessions(world: World) -> int:
    return int(world.rows(SESSIONS)[0][0])


# The issuer in the answer (RFC 9207)


@pytest.mark.case("FD-10")
@pytest.mark.parametrize(
    ("kind", "iss"), [("other", ""), ("other", "https://evil.example"), ("google", "https://x")]
)
def test_answer_that_names_another_issuer_or_none_where_it_must_is_refused(
    world: World, oidc, kind: str, iss: str
) -> None:
    person = ready(world, oidc(kind))
    person.provider.send_iss(iss)
    assert "didn't work" in person.signs_in().h1 and "issuer" in audited(world, "sign-in")[-1][1]
    assert not person.provider.asked("token") and sessions(world) == 0


@pytest.mark.case("FD-10")
def test_azure_ad_may_name_the_issuer_of_the_directory_and_no_other(world: World, oidc) -> None:
    person = ready(world, oidc("azure_ad"))
    person.provider.send_iss(person.provider.issuer_of("00000000-dead-4bad-8000-000000000000"))
    assert "didn't work" in person.signs_in().h1
    person.provider.send_iss(person.provider.issuer_of(RIGHT["azure_ad"]["tid"]))
    assert person.again().h1 == "Review permissions"


@pytest.mark.case("FD-10")
def test_google_that_sends_no_issuer_is_taken_at_its_token(world: World, oidc) -> None:
    person = ready(world, oidc("google"))
    person.provider.send_iss("")
    assert person.signs_in().h1 == "Review permissions"


# The state


@pytest.mark.case("FD-11")
def test_state_that_is_not_ours_leads_nowhere(world: World, oidc) -> None:
    person = ready(world, oidc("google"))
    back = person.answered()
    state = parameters(back)["state"]
    with world.app.app_context():
        foreign = [signer(purpose).dumps(["x"] * 5) for purpose in ("visit", "federation")]
    for wrong in ("", "x", state[:-1], state[:-1] + "~", state[1:], f"{state}.x", *foreign, "é" * 10, None):
        answer = person.browser.open(bent(back, state=wrong))
        assert (answer.status, answer.h1) == (400, "This sign-in took too long"), wrong
    assert sessions(world) == 0 and person.browser.open(back).h1 == "Review permissions"


@pytest.mark.case("FD-11")
def test_state_is_good_for_half_an_hour(world: World, oidc) -> None:
    person = ready(world, oidc("google"))
    back = person.answered()
    world.advance(1790)
    assert person.browser.open(back).h1 == "Review permissions"
    other = Person(world, person.provider)
    back = other.answered()
    world.advance(1810)
    assert other.browser.open(back).h1 == "This sign-in took too long"


@pytest.mark.case("FD-11")
def test_answer_of_one_provider_is_not_taken_for_anothers(world: World, oidc) -> None:
    google, partner = ready(world, oidc("google")), set_up(world, oidc("other"), "partner.example")
    back = google.answered()
    there = back.replace(urlsplit(back).path, f"/sign-in/callback/{partner.id}")
    assert google.browser.open(there).h1 == "This sign-in took too long"
    assert sessions(world) == 0


@pytest.mark.case("FD-11")
def test_state_of_another_sign_in_or_tenant_opens_nothing(world: World, oidc) -> None:
    person = ready(world, oidc("google"))
    mine = urlsplit(inner(person, person.answered()))
    other = urlsplit(person.asks("bob@gmail.com").url).path
    for path in (f"{other}/return", mine.path.replace("fabrikam.example", str(CONTOSO))):
        assert person.browser.open(f"{path}?{mine.query}").status == 404
    assert sessions(world) == 0
    assert person.browser.open(f"{mine.path}?{mine.query}").h1 == "Review permissions"


@pytest.mark.case("FD-11")
def test_answer_of_a_provider_that_is_the_way_in_no_longer_leads_back(world: World, oidc) -> None:
    person = ready(world, oidc("google"))
    back = person.answered()
    set_up(world, oidc("azure_ad"), "gmail.com")
    assert person.browser.open(back).h1 == "Continue with Microsoft"


# Whose browser, how often


@pytest.mark.case("FD-12", "FD-14")
@pytest.mark.parametrize("kind", ["google", "mock"])
def test_answer_is_worth_nothing_in_another_browser_and_keeps_its_worth(world: World, oidc, kind: str) -> None:
    person = ready(world, oidc(kind))
    back, victim = person.answered(), Person(world, person.provider)
    assert victim.browser.open(back).h1 == "This sign-in isn't open in this browser"
    victim.asks(ALEX)
    assert victim.browser.open(back).status == 404 and victim.browser.open(PLAN).h1 == "Sign in to Fabrikam"
    assert person.browser.open(back).h1 == "Review permissions" and sessions(world) == 1


@pytest.mark.case("FD-14")
@pytest.mark.parametrize("kind", ["google", "azure_ad", "other", "mock"])
def test_somebody_elses_code_in_ones_own_answer_is_refused(world: World, oidc, kind: str) -> None:
    """Of PKCE `mock` knows nothing: there it is the nonce that tells."""
    person = ready(world, oidc(kind))
    stolen, thief = person.answered(), Person(world, person.provider)
    thief.asks(ALEX)
    browser = thief.browser.open(bent(stolen, state=parameters(thief.leaves())["state"]))
    assert "didn't work" in browser.h1 and sessions(world) == 0


@pytest.mark.case("FD-14")
@pytest.mark.parametrize("code", ["made-up", "x" * 5000, "\x00\r\n", "é"])
def test_made_up_code_is_refused(world: World, oidc, code: str) -> None:
    person = ready(world, oidc("google"))
    assert person.browser.open(bent(person.answered(), code=code)).status in (400, 503)
    assert sessions(world) == 0


@pytest.mark.case("FD-13")
@pytest.mark.both
def test_answer_works_once(world: World, oidc) -> None:
    person = ready(world, oidc("mock"))  # which itself takes a code again
    back = person.answered()
    person.browser.open(back).submit("consent", button=("decision", "accept"))
    thief = person.browser.fork()
    for browser in (person.browser, thief):
        assert browser.open(back).status in (200, 404)
    person.browser.open(PLAN).submit("sign-out")
    for browser in (person.browser, thief, world.browser()):
        assert browser.open(back).open(PLAN).h1 == "Sign in to Fabrikam"
    assert sessions(world) == 1


@pytest.mark.case("FD-13")
def test_reload_of_an_answer_that_let_in_shows_what_was_wanted(world: World, oidc) -> None:
    person = ready(world, oidc("google"))
    person.accepts()
    again = Person(world, person.provider)
    back = again.answered()
    assert again.browser.open(back).h1 == "Project plan" and again.browser.open(PLAN).h1 == "Project plan"
    assert sessions(world) == 2


@pytest.mark.case("FD-13", "FD-23")
def test_five_answers_that_do_not_fit_end_the_sign_in(world: World, oidc) -> None:
    person = ready(world, oidc("google"), email_verified=False)
    there = person.leaves() if person.asks(ALEX) else ""
    for _ in range(5):
        assert person.again(there).status == 403
    person.provider.add_account("a-1", email=ALEX, email_verified=True)
    assert person.again(there).h1 == "You need to start again" and sessions(world) == 0
    assert len(person.provider.asked("token")) == 5


# What else an address can have in it


@pytest.mark.case("FD-17")
@pytest.mark.parametrize("name", ["state", "code", "iss", "error"])
def test_parameter_that_is_there_twice_is_refused_and_nothing_used_up(world: World, oidc, name: str) -> None:
    person = ready(world, oidc("google"))
    back = person.answered()
    there, twice = inner(person, back), dict(parse_qsl(urlsplit(back).query)).get(name, "x")
    before = tables(world)
    for url in (back, f"http://127.0.0.1:5000{urlsplit(there).path}?{urlsplit(there).query}"):
        more = urlencode([(name, twice)] * (2 if name == "error" else 1))
        assert person.browser.open(f"{url}&{more}").status == 400
    assert tables(world) == before and person.browser.open(back).h1 == "Review permissions"


@pytest.mark.case("FD-17")
def test_head_uses_nothing_up(world: World, oidc) -> None:
    person = ready(world, oidc("google"))
    back = person.answered()
    there, before = urlsplit(inner(person, back)), tables(world)
    for parts in (urlsplit(back), there):
        answer = ask_as(person.browser, world.app, parts.path, "HEAD", query=parts.query)
        assert answer.status in (200, 303) and "Set-Cookie" not in dict(answer.headers)
    assert tables(world) == before and person.browser.open(back).h1 == "Review permissions"


@pytest.mark.case("FD-17")
def test_address_of_return_without_anything_leads_back_to_the_sign_in(world: World, oidc) -> None:
    person = ready(world, oidc("google"))
    page, before = urlsplit(person.asks(ALEX).url).path, tables(world)
    for query in ("", "?code=x", "?error=access_denied", "?state=x&code=y"):
        assert person.browser.open(f"{page}/return{query}").h1 == "Continue with Google"
    assert tables(world) == before
    assert world.browser().open(f"{page}/return?state=x").status == 404


@pytest.mark.case("FD-18")
@pytest.mark.parametrize(
    "to", ["https://evil.example/", "//evil.example", "/contoso.example/apps", "/\\evil.example"]
)
def test_coming_back_leads_to_pages_of_the_tenant_only(world: World, oidc, to: str) -> None:
    person = ready(world, oidc("google"))
    person.browser.open("/fabrikam.example/sign-in", to=to).submit("email-form", email=ALEX)
    browser = person.again().submit("consent", button=("decision", "accept"))
    assert browser.path == "/fabrikam.example" and not browser.history[-1].headers["Location"].startswith("http")


# Cancelled, and again and again


def test_who_cancels_at_the_provider_is_told_so_and_can_go_on(world: World, oidc) -> None:
    person = ready(world, oidc("google"))
    browser = person.signs_in(account=None)
    assert browser.h1 == "You haven't signed in" and "Send code" not in browser.text
    assert world.rows("SELECT max(tries) FROM sign_ins") == [(0,)]
    assert audited(world, "sign-in")[-1] == ("refused", "Google: access_denied")
    assert person.again().h1 == "Review permissions"


@pytest.mark.case("FD-23")
def test_made_up_errors_leave_one_line_in_the_log(world: World, oidc) -> None:
    person = ready(world, oidc("google"))
    back = person.answered()
    for n in range(10):
        assert (
            person.browser.open(bent(back, code=None, error=f"<b>{n}</b>\r\nline")).h1 == "You haven't signed in"
        )
    assert audited(world, "sign-in") == [("refused", "Google: not signed in")]


@pytest.mark.case("FD-23")
@pytest.mark.both
def test_coming_back_is_charged_to_where_it_comes_from_like_a_code(world: World, oidc) -> None:
    world.app.config["LIMIT_CLIENT_CODES_PER_10_MINUTES"] = 3
    person = ready(world, oidc("google"), email_verified=False)
    answers = [Person(world, person.provider).signs_in() for _ in range(4)]
    assert [each.status for each in answers] == [403, 403, 403, 429] and answers[3].headers[
        "Retry-After"
    ].isdigit()
    assert len(person.provider.asked("token")) == 3
    elsewhere = person.browser = world.browser(remote_addr="192.0.2.9")
    assert person.signs_in().status == 403 and elsewhere


@pytest.mark.case("FD-23")
def test_guests_own_browser_is_not_counted_with_strangers(world: World, oidc) -> None:
    own = world.whole_way(ALEX).submit("sign-out")
    world.do(invitations.reset, FABRIKAM, ALEX, by=BY)
    person = ready(world, oidc("google"))
    world.app.config["LIMIT_CLIENT_CODES_PER_10_MINUTES"] = 1
    Person(world, person.provider).signs_in(account=None)
    assert person.signs_in().status == 429
    person.browser = own
    assert person.signs_in().h1 == "Review permissions"


@pytest.mark.case("FD-23")
def test_browser_is_not_the_guests_own_by_a_providers_word(world: World, oidc) -> None:
    """Else a provider that an administrator has set up makes any number of browsers that are counted apart."""
    person = ready(world, oidc("google"))
    person.accepts().submit("sign-out").open(HERE).submit("email-form", email=ALEX)
    assert world.rows("SELECT count(*) FROM sign_ins WHERE known IS NOT NULL") == [(0,)]


@pytest.mark.case("FD-23")
def test_leaving_again_and_again_asks_the_provider_once(world: World, oidc) -> None:
    person = ready(world, oidc("google"))
    page = urlsplit(person.asks(ALEX).url).path
    before = tables(world)
    for _ in range(20):
        assert ask_as(person.browser, world.app, f"{page}/continue").status == 303
    assert len(person.provider.asked("discovery")) == 1 and tables(world) == before
    assert openid._settings


@pytest.mark.case("FD-13")
@pytest.mark.both
def test_provider_removed_while_guests_come_back_leaves_no_session(world: World, oidc) -> None:
    first = ready(world, oidc("google"))
    people = [first, *(Person(world, first.provider) for _ in range(4))]
    back = [(person, urlsplit(inner(person, person.answered()))) for person in people]
    made = world.do(identity_providers.listed, FABRIKAM)[0].provider
    steps = [partial(ask_as, who.browser, world.app, to.path, query=to.query) for who, to in back]
    steps.insert(2, partial(world.do, identity_providers.remove, made.id, tenant_id=FABRIKAM, by=BY))
    done = together(*steps)
    assert [each for each in done if isinstance(each, BaseException)] == []
    assert world.rows("SELECT count(*) FROM sessions WHERE ended_at IS NULL") == [(0,)]
