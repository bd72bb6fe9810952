"""A person at every step of the way in, each about to press a button, and what became of it.

`at_each_step` makes them; `press_all` lets them press at the same moment; `rows` counts all that a press changes.
`administrator` goes to the console. Called by tests of a database that cannot be written to, and of races.
"""

import uuid
from collections.abc import Mapping
from functools import partial

import httpx

from tests.browser import Browser
from tests.e2e.parallel import Shot, aim, together
from tests.e2e.site import HOME, Site
from tests.world import ADMIN, CONTOSO, FABRIKAM

ROWS = """SELECT (SELECT count(*) FROM sign_ins), (SELECT count(*) FROM passcodes),
    (SELECT count(*) FROM sessions),
    (SELECT count(*) FROM sessions WHERE ended_at IS NULL), (SELECT count(*) FROM users WHERE state = 'Accepted'),
    (SELECT count(*) FROM events WHERE actor != 'delivery'), (SELECT sum(tries) FROM sign_ins),
    (SELECT count(*) FROM letters)"""
ADMINS = {FABRIKAM: ADMIN, CONTOSO: "admin@contoso.example"}
SECRETS = ("Traceback", "sqlite", "sqlalchemy", "psycopg", "OperationalError", "locked", ".py", "SELECT", "UPDATE")


def at_each_step(site: Site) -> dict[str, Shot]:
    """Bring somebody to each step; what their button sends, by its name."""
    asked = site.guest()
    waiting = site.awaiting_code(asked)
    signed_in = site.awaiting_consent(site.guest()).submit("consent", button=("decision", "accept"))
    return {
        "email-form": aim(site.browser().open(HOME), "email-form", email=site.guest()),
        "send-code": aim(site.browser().open(HOME).submit("email-form", email=site.guest()), "send-code"),
        "enter-code": aim(waiting, "enter-code", code=site.code(asked)),
        "consent": aim(site.awaiting_consent(site.guest()), "consent", ("decision", "accept")),
        "sign-out": aim(signed_in, "sign-out"),
    }


def press_all(shots: Mapping[str, Shot]) -> dict[str, httpx.Response]:
    """Press all buttons at the same moment."""
    return dict(zip(shots, together(*[partial(press, shot) for shot in shots.values()]), strict=True))


def press(shot: Shot) -> httpx.Response:
    """Press one button; where it leads is not followed."""
    with httpx.Client(trust_env=False, timeout=60) as client:
        return shot.fire(client)


def statuses(answers: Mapping[str, httpx.Response]) -> dict[str, int]:
    """Give what each came to."""
    return {name: answer.status_code for name, answer in answers.items()}


def rows(site: Site) -> tuple[int, ...]:
    """Count everything that a press would change."""
    return tuple(site.world.rows(ROWS)[0])


def is_understandable(answer: httpx.Response) -> bool:
    """Whether it is the page for a database that is busy: when to try again, and nothing of the fault."""
    told = answer.headers.get("Retry-After") == "5" and "Nothing you did is lost." in answer.text
    secret = [word for word in SECRETS if word in answer.text]
    return answer.status_code == 503 and told and not secret and "Set-Cookie" not in answer.headers


def administrator(site: Site, tenant: uuid.UUID, page: str) -> Browser:
    """Give a browser in which a tenant's administrator has come to a page of the console."""
    mail, home = ADMINS[tenant], "/" + ADMINS[tenant].partition("@")[2]
    had = len(site.letters(mail))
    browser = site.awaiting_code(mail, f"{home}/admin/{page}")
    return browser.submit("enter-code", code=site.code(mail, nth=had + 1))


def page_of(tenant: uuid.UUID) -> str:
    """Give the address of a tenant's domains in the console."""
    return f"/{ADMINS[tenant].partition('@')[2]}/admin/domains"
