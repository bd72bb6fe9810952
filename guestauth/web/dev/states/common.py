"""States of the pages that say that something is wrong."""

from guestauth import faults
from guestauth.web.dev.stage import CONSOLE, HOME, Stage
from guestauth.web.dev.states.state import State
from guestauth.web.dev.visitor import Visitor

SIGN_IN = f"{HOME}/sign-in"
ELSEWHERE = "https://elsewhere.example"


def _too_many_addresses(stage: Stage) -> Visitor:
    stage.configure(LIMIT_CLIENT_ADDRESSES_PER_10_MINUTES=1)
    return stage.at_send_code().open(SIGN_IN).submit("email-form", email="another@firstup.example")


def _fault(stage: Stage) -> Visitor:
    stage.break_(faults.REQUEST)
    return stage.at(HOME)


def _busy(stage: Stage) -> Visitor:
    person = stage.at_send_code()
    stage.break_(faults.DATABASE)
    return person.submit("send-code")


ERRORS = [
    State("no-tenant", "A link without an organisation", lambda s: s.at("/myapps"), 400),
    State("no-tenant-empty", "The same, nothing typed", lambda s: s.at("/apps?tenantid="), 400),
    State("no-tenant-unknown", "The same, an address nobody has",
          lambda s: s.at("/?tenantid=nowhere.example"), 404),
    State("two-tenants", "A link that names two organisations",
          lambda s: s.at(f"{HOME}?tenantid=contoso.example"), 400),
    State("not-found", "A page there is not", lambda s: s.at("/nowhere"), 404),
    State("not-like-that", "An address used as it cannot be",
          lambda s: s.person().ask("POST", HOME, data={"a": "form"}), 405),
    State("no-length", "A form that does not say how long it is", lambda s: s.person().ask("POST", SIGN_IN), 411),
    State("too-large", "A form that is too large",
          lambda s: s.at(SIGN_IN).submit("email-form", email="x" * 70_000), 413),
    State("no-form", "Something that is not a form", lambda s: s.person().ask("POST", SIGN_IN, json={}), 415),
    State("other-site", "A form that another site sent",
          lambda s: s.person().ask("POST", SIGN_IN, environ_overrides={"HTTP_ORIGIN": ELSEWHERE}), 403),
    State("forbidden", "A guest at the console", lambda s: s.signed_in().open(CONSOLE), 403),
    State("other-browser", "A sign-in of another browser",
          lambda s: s.at(s.at_enter_code().path), 404),
    State("not-shared", "Something that is not shared with the guest",
          lambda s: s.signed_in().open(f"{HOME}/apps/nothing"), 404),
    State("open-too-long", "A page that was open too long",
          lambda s: s.at_enter_code().submit("enter-code", code="1", csrf_token="no"), 400),
    State("too-many-requests", "Too many addresses from one network", _too_many_addresses, 429),
    State("fault", "Something went wrong", _fault, 500),
    State("busy", "The database is busy", _busy, 503),
]  # fmt: skip
