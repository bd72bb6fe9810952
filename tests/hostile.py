"""Input that no page of ours sends, and who sends it where: for tests of what is refused.

`addresses` gives every rule of the application a path that leads somewhere; `Actor` is who asks; `decent` looks at
every answer. `NOT_TEXT`, `ODD`, `BODIES` and `ELSEWHERE` are what is sent.
"""

import itertools
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from guestauth import keys
from tests import SOAK
from tests.guest import at_enter_code
from tests.probe import FORM, Answer, ask, token
from tests.world import FABRIKAM, NICOLE, World

TURNS = itertools.count()
SIGN_IN, APPS = "/fabrikam.example/sign-in", "/fabrikam.example"
METHODS = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "FOO",
    "get",
    "PROPFIND",
]
FIELDS = [
    "email",
    "to",
    "code",
    "decision",
    "advance",
    "reset",
    "tenantid",
    "csrf_token",
    "q",
    "login_hint",
    "lang",
]

NOT_TEXT = {
    "NUL": b"a\x00b",
    "invalid": b"\xff\xfe",
    "surrogate": b"\xed\xa0\x80",
    "overlong": b"\xc0\xaf\xc0\xae",
}
NOT_TEXT |= {"cut": b"\xe8\xa8", "replacement": "\ufffd".encode()}
ODD = [
    "\u202egnp",
    "\ufeffx",
    "😀" * 99,
    "ǅ",
    "\x1b[31m",
    "\r\nX: y",
    "%0d%0aX: y",
    "\u2028",
    "a\u0300" * 99,
    "İı",
]
ODD += [
    "../..",
    "..;/",
    "//evil.example",
    "\\evil",
    "'\"><script>",
    "{{7*7}}",
    "${7*7}",
    "%s%n",
    "-1",
    "1e999",
    "NaN",
]
ODD += [
    " ",
    "\t",
    "null",
    "true",
    "[]",
    "{}",
    "x" * 5000,
    "9" * 400,
    "a@b.example\r\nBcc: c@d.example",
    "%",
    "%zz",
]


def odd_forms(*, most: int) -> Iterator[dict[str, str]]:
    """Forms that have each odd text in each field but tenant and token, cut at `most` characters."""
    names = [name for name in FIELDS if name not in ("tenantid", "csrf_token")]
    for shift in range(len(ODD)):
        yield {name: ODD[(shift + at * 5) % len(ODD)][:most] for at, name in enumerate(names)}


def named(count: int) -> bytes:
    return b"&".join(b"%x=" % number for number in range(count))


def typed(content_type: str) -> dict[str, Any]:
    return {"headers": {"Content-Type": content_type}}


BODIES: dict[str, dict[str, Any]] = {
    "NUL": {"body": b"email=a%00b@c.example&code=1234567%00&decision=accept%00&to=%00&advance=%00"},
    "raw NUL": {"body": b"email=a\x00b&code=\x00"},
    "invalid UTF-8": {"body": b"email=%FF%FE&code=%FF&to=%FF"},
    "raw invalid UTF-8": {"body": b"email=\xff\xfe&code=\xff"},
    "surrogates": {"body": b"email=%ED%A0%80@b.example&code=%ED%A0%80"},
    "overlong": {"body": b"email=%C0%AE%C0%AE&code=%C0%B1"},
    "JSON": {"body": b'{"email":"alexdoe@gmail.com"}', **typed("application/json")},
    "JSON list": {"body": b"[1,2]", **typed("application/json")},
    "JSON nothing": {"body": b"", **typed("application/json")},
    "XML": {"body": b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", **typed("text/xml")},
    "no type": {"body": b"email=a@b.example", **typed("")},
    "odd type": {"body": b"email=a@b.example", **typed("application/x-www-form-urlencoded; charset=utf-7")},
    "no length": {"form": {"email": "a@b.example"}, "CONTENT_LENGTH": None},
    "chunked": {
        "form": {"email": "a@b.example"},
        "CONTENT_LENGTH": None,
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi__input_terminated": True,
    },
    "negative length": {"form": {"email": "a@b.example"}, "CONTENT_LENGTH": "-5"},
    "odd length": {"form": {"email": "a@b.example"}, "CONTENT_LENGTH": "1e3"},
    "great length": {"form": {"email": "a@b.example"}, "CONTENT_LENGTH": "9" * 30},
    "length of another script": {"form": {"email": "a@b.example"}, "CONTENT_LENGTH": "\xd9\xa5"},
    "1 MB": {"body": b"email=" + b"x" * 2**20},
    "1 MB of fields": {"body": b"a=b&" * 2**18},
    "10,000 fields": {"body": named(10_000)},
    "10,000 times one field": {"body": b"email=&" * 9_000},
    "two fields": {"body": b"email=alexdoe@gmail.com&email=nicole@firstup.example&code=12345678&code=12345678"},
    "no names": {"body": b"=&==&&&=a"},
    "multipart without boundary": {"body": b"--x\r\n\r\n--x--", **typed("multipart/form-data")},
    "multipart cut off": {"body": b"--x\r\nContent-Disposition: a; b", **typed("multipart/form-data; boundary=x")},
}
UNKNOWN_FIELDS: dict[str, dict[str, Any]] = {  # as harmless as any field that no form of ours has
    "JSON as a form": {"body": b'{"email":"alexdoe@gmail.com"}'},
    "field[]": {"body": b"email[]=alexdoe@gmail.com&email[0]=x&code[]=1&email.x=y"},
}
STATUSES = {"NUL": 400, "raw NUL": 400, "invalid UTF-8": 400, "raw invalid UTF-8": 400, "surrogates": 400}
STATUSES |= {"overlong": 400, "JSON": 415, "JSON list": 415, "XML": 415, "no length": 411, "chunked": 411}
STATUSES |= {"1 MB": 413, "1 MB of fields": 413, "10,000 fields": 400, "10,000 times one field": 400}
STATUSES |= {"two fields": 400, "great length": 413, "odd length": 400, "no names": 400}

HOSTS = ["evil.example", "127.0.0.1:x", "", " ", "evil@127.0.0.1", "[::1", "\xff", "a" * 5000]
HOSTS += ["127.0.0.1, evil.example", "127.0.0.1.evil.example", "127.0.0.1#evil.example", "localhost\x00"]
HOSTS += ["evil.example/127.0.0.1"]

ELSEWHERE = [
    *("//evil.example", "/\t/evil.example", " //evil.example", "\x01//evil.example", "////evil.example", "///x"),
    *("/\\evil.example", "\\\\evil.example", "/%2Fevil.example", "/%5Cevil.example", "/.evil.example", "/；/evil"),
    *("https://evil.example", "http:/evil.example", "https:evil.example", "evil.example", "/\u2028/evil.example"),
    *("javascript:alert(1)", "data:text/html,x", "", "?", "#", "/", "/static/style.css", "/dev/reset"),
    *("/woodgrove.example", "/?tenantid=woodgrove.example", "/fabrikam.example?tenantid=woodgrove.example"),
    *("/fabrikam.example/../woodgrove.example", "/fabrikam.example@evil.example", "/fabrikam.example:80"),
    *("/fabrikam.example//evil.example", "/fabrikam.example/sign-out", "/fabrikam.example/consent/cancelled"),
    *("/fabrikam.example/" + "x" * 3000, "/fabrikam.example/apps/x%0d%0aX: y/z"),
    "http://127.0.0.1:5000/fabrikam.example/apps/project-plan",
]


@dataclass
class Actor:
    """Somebody who asks: their cookies and a form token that is theirs."""

    cookies: dict[str, str]
    token: str
    sign_in: str


def multipart(parts: list[tuple[str, str | None, bytes]]) -> dict[str, Any]:
    """A multipart body; a part with a file name is a file."""
    lines = b""
    for name, file_name, content in parts:
        file = f'; filename="{file_name}"\r\nContent-Type: text/plain' if file_name else ""
        lines += f'--x\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content + b"\r\n"
    return {"body": lines + b"--x--\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}


def actors(world: World) -> list[Actor]:
    """Nobody; somebody at Enter code; a guest who is signed in."""
    waiting = at_enter_code(world, NICOLE)
    world.deliver()
    guest = world.signed_in(NICOLE)
    somebody = Actor(waiting.cookies, token(waiting, "enter-code"), waiting.path.split("/")[-2])
    return [
        Actor({}, "x", str(uuid.UUID(int=7))),
        somebody,
        Actor(guest.cookies, token(guest, "sign-out"), somebody.sign_in),
    ]


def addresses(world: World, sign_in: str, **instead: str | bytes) -> Iterator[bytes]:
    """A path for every rule, or for every rule with the variables in `instead`, which have those values.

    Outside a soak each call gives a third of them, the next call the next third.
    """
    values: dict[str, str | bytes] = {"tenant": "fabrikam.example", "sign_in_id": sign_in, "slug": "project-plan"}
    values |= {"name": "Plan", "resource_id": str(uuid.uuid5(FABRIKAM, "project-plan")), "rest": "x/y"}
    values |= {"import_id": str(uuid.UUID(int=9)), "provider_id": str(uuid.UUID(int=9))}
    values |= {"user_id": str(uuid.uuid5(FABRIKAM, NICOLE)), "action": "block"}
    values |= {"domain": "fabrikam.example", "theme": "dark", "colour": "b4530a"}
    values |= {"administrator_id": str(uuid.uuid5(FABRIKAM, "admin@fabrikam.example"))}
    values |= {"letter_id": "x", "filename": "style.css", "ticket": _ticket(world), **instead}
    turn = next(TURNS)
    for n, rule in enumerate(world.app.url_map.iter_rules()):
        if instead.keys() <= rule.arguments and (SOAK or n % 3 == turn % 3):
            parts = re.split(r"<(?:\w+:)?(\w+)>", rule.rule)
            filled = [values[part] if at % 2 else part for at, part in enumerate(parts)]
            yield b"".join(part.encode() if isinstance(part, str) else part for part in filled)


def variables(world: World) -> list[str]:
    """Every name that stands in the path of a rule."""
    return sorted({name for rule in world.app.url_map.iter_rules() for name in rule.arguments})


def _ticket(world: World) -> str:
    """The ticket of Alex's invitation, signed anew: it is the same each time."""
    with world.app.app_context():
        (found,) = world.rows("SELECT id FROM invitations WHERE target = '/apps/project-plan'")[0]
        return str(keys.signer("invitation").dumps(uuid.UUID(str(found)).hex))


def decent(answer: Answer, what: object) -> Answer:
    """Check that an answer is below 500, shows nothing of the inside and leads to a path of ours."""
    assert answer.status < 500, (answer.status, what)
    assert b"Traceback" not in answer.body and b"sqlalchemy" not in answer.body, what
    place = answer.header("Location")
    assert place is None or re.fullmatch(r"/(?![/\\])[!-~]*", place), (place, what)
    assert all("\r" not in value and "\n" not in value for _, value in answer.headers), what
    return answer


def as_actor(world: World, actor: Actor, path: str | bytes, method: str = "GET", **request: Any) -> Answer:
    """Ask; a form gets the actor's token."""
    if "body" in request and "headers" not in request:
        request["body"] += b"&csrf_token=" + quote(actor.token).encode()
        request["headers"] = {"Content-Type": FORM}
    if "form" in request:
        request["form"] = {**request["form"], "csrf_token": actor.token}
    return decent(
        ask(world.app, path, method, cookies=actor.cookies, **request), (method, path, str(request)[:300])
    )
