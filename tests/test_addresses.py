"""What is an email address, a domain name, and when two are the same (B4, F6, F12, M-04, M-05, T-08, R-08)."""

import pytest

from guestauth import addresses, invitations, tenants
from guestauth.addresses import NotAnAddress, domain_or_none, parse, suggestion_or_none
from tests.steps import ask
from tests.world import BY, FABRIKAM, World

LONGEST = "a" * 64 + "@" + ".".join(["b" * 61] * 3) + ".ex"  # 64 + 1 + 188 = 253 characters

NO_ADDRESS = [
    "",
    "a",
    "@example.com",
    "a@",
    "a@@example.com",
    "a@localhost",
    "a@host.test",
    "a@host.local",
    "a@[127.0.0.1]",
    '"e@attacker.example"@example.com',
    '"a b"@example.com',
    "a@example.com,b@example.com",
    "a@example.com;b@example.com",
    "a@example.com(b@example.com)",
    "<v@example.com>a@firstup.example",
    "Alex <alex@example.com>",
    "a\uff20example.com",
    "a@example.com\x00",
    "a\r\nBcc: b@example.com",
    "a@exa\r\nmple.com",
    "a@example\u2028.com",
    "a b@example.com",
    "\u212aelvin@example.com",
    "m\u0131ke@example.com",
    "\u017fam@example.com",
    "e\u0301@example.com",
    "\u202ealex@example.com",
    "a@\u2603.example",
    "a@example.com.",
    ".a@example.com",
    "a..b@example.com",
    "a" * 65 + "@example.com",
    "a@" + "b" * 64 + ".example",
    "a" * 255,
    "a@" + "b." * 200000 + "example",
    "\ud800@example.com",
]


@pytest.mark.parametrize("typed", NO_ADDRESS, ids=lambda typed: ascii(typed)[:40])
@pytest.mark.case("M-04", "R-08")
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(NotAnAddress) as refusal:
        parse(typed)
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize(
    ("typed", "mail"),
    [
        ("alex@example.com", "alex@example.com"),
        (" alex@example.com\n", "alex@example.com"),
        ("Alex.Doe@EXAMPLE.com", "Alex.Doe@example.com"),
        ("alex@bücher.example", "alex@xn--bcher-kva.example"),
        ("alex@faß.de", "alex@xn--fa-hia.de"),
        ("alex@ex\uff41mple.com", "alex@example.com"),
        ("alex@example\u3002com", "alex@example.com"),
        ("o'brien+x@example.com", "o'brien+x@example.com"),
        (LONGEST, LONGEST),
    ],
)
def test_mail_goes_to_the_ascii_form_with_its_local_part_as_typed(typed: str, mail: str) -> None:
    assert (parse(typed).mail, parse(typed).key) == (mail, mail.lower())


@pytest.mark.parametrize(
    ("one", "other"),
    [("a.b@gmail.com", "ab@gmail.com"), ("a+x@gmail.com", "a@gmail.com"), ("a@faß.de", "a@fass.de")],
)
def test_dots_tags_and_sharp_s_are_part_of_an_identity(one: str, other: str) -> None:
    assert parse(one).key != parse(other).key


@pytest.mark.parametrize("one", ["ALICE@Example.COM", "alice@EXAMPLE.com", "Alice@example\uff0ecom"])
def test_letter_case_and_width_are_not(one: str) -> None:
    assert parse(one).key == "alice@example.com"


def test_address_that_grows_too_long_in_ascii_is_refused() -> None:
    typed = "a" * 60 + "@" + ".".join(["ü" * 30] * 5) + ".example"
    assert len(typed) < 254
    with pytest.raises(NotAnAddress):
        parse(typed)


@pytest.mark.parametrize(
    "typed", ["Nicole@FirstUp.Example", "NICOLE@FIRSTUP.EXAMPLE", " nicole@firstup\u3002example"]
)
@pytest.mark.case("M-05")
def test_spellings_of_one_guest_are_one_guest(world: World, typed: str) -> None:
    with pytest.raises(invitations.AlreadyAGuest):
        world.do(invitations.invite, FABRIKAM, typed, by=BY)
    ask(world, typed)
    assert [letter.message["To"] for letter in world.letters("nicole@firstup.example")] == [
        "nicole@firstup.example"
    ]


# Domains.


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("fabrikam.example", "fabrikam.example"),
        (" FABRIKAM.Example. ", "fabrikam.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.EXAMPLE", "xn--bcher-kva.example"),
        ("faß.de", "xn--fa-hia.de"),
        ("\uff46abrikam\u3002example", "fabrikam.example"),
    ],
)
def test_domain_is_lower_case_ascii(typed: str, name: str) -> None:
    assert domain_or_none(typed) == name


@pytest.mark.parametrize(
    "typed",
    ["", ".", "..", "fabrikam", "a..b", "a b.example", "-a.example", "a_b.example", "a.example/x", "a.example:80",
     "\x00.example", "\u2603.example", "xn--a.example", "a" * 64 + ".example", "a." * 2000, "\ud800.example"],
    ids=lambda typed: ascii(typed)[:40],
)  # fmt: skip
def test_what_is_no_domain_is_none(typed: str) -> None:
    assert domain_or_none(typed) is None


def test_look_alike_is_another_domain() -> None:
    assert domain_or_none("c\u043entoso.example") not in (None, "contoso.example")


def test_internationalised_domain_names_its_tenant_in_every_spelling(world: World) -> None:
    world.do(tenants.create, "Bücher", domains=["BÜCHER.example"], by=BY)
    for typed in ("bücher.example", "Bücher.Example", "xn--bcher-kva.example"):
        assert world.do(tenants.find, typed).name == "Bücher"


# Slips.


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("alexdoe@gmial.com", "alexdoe@gmail.com"),
        (" alexdoe@GMAIL.con ", "alexdoe@gmail.com"),
        ("a@hotmial.com", "a@hotmail.com"),
        ("alexdoe@gmail.com", None),
        ("alex@example.com", None),
        ("gmial.com", None),
        ("@gmial.com", None),
        ("", None),
    ],
)
def test_slip_in_a_well_known_domain_is_noticed(typed: str, meant: str | None) -> None:
    assert suggestion_or_none(typed) == meant


def test_no_name_server_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_: pytest.fail("a name server was asked"))
    assert parse("a@does-not-exist.example").mail
    assert addresses.MOST_CHARACTERS == 254


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("xn--bcher-kva.example", "bücher.example"),
        ("*.xn--bcher-kva.example", "*.bücher.example"),
        ("shop.example", "shop.example"),
        ("a_b.example", "a_b.example"),
        ("xn--a.example", "xn--a.example"),
    ],
)
def test_domain_is_shown_as_people_write_it_where_that_is_possible(name: str, shown: str) -> None:
    assert addresses.in_unicode(name) == shown
