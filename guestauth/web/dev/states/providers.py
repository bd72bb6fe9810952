"""States of signing in at an identity provider, and of the console's pages of them."""

from typing import Any
from urllib.parse import urlsplit

from guestauth import demo, faults, guests, identity_providers
from guestauth.audit import COMMAND_LINE
from guestauth.descriptions import Described
from guestauth.models import AZURE_AD, IdentityProvider
from guestauth.web.dev.stage import Stage
from guestauth.web.dev.states.state import State
from guestauth.web.dev.visitor import Visitor

HOME = "/woodgrove.example"
JAMIE, STRANGER, RILEY = "jamie.wood@gmail.com", "somebody@gmail.com", "riley.moore@gmail.com"
ADDING = "/identity-providers/add"
PARTNER: dict[str, Any] = {
    "kind": "openid_connect",
    "name": "Proseware",
    "issuer": "https://127.0.0.1:1",
    "covers": "proseware.example",
}
DIRECTORY = "5d0f6f0e-5b0a-4bfa-9c5e-6f6f1c1f0a01"


# Guests


def _continuing(person: Visitor) -> Visitor:
    """Press Continue with Google."""
    return person.open(f"{person.path}/continue")


def _at_google(stage: Stage, mail: str = JAMIE) -> Visitor:
    return _continuing(stage.served().at_send_code(mail, HOME))


def _as(person: Visitor, mail: str, verified: str = "yes") -> Visitor:
    return person.submit("other", email=mail, email_verified=verified)


def _five_times(stage: Stage) -> Visitor:
    person = stage.served().at_send_code(JAMIE, HOME)
    place = person.path
    for _ in range(6):
        _as(person.open(f"{place}/continue"), STRANGER)
    return person


def _made_up(stage: Stage) -> Visitor:
    """Come back with a code that Google never gave."""
    person = _at_google(stage)
    asked = person.answer.request.args if person.answer else {}
    return person.open(f"{urlsplit(asked['redirect_uri']).path}?state={asked['state']}&code=made-up")


def _down(stage: Stage) -> Visitor:
    person = _at_google(stage)
    stage.break_(faults.PROVIDER)
    return person.submit("suggested")


def _late(stage: Stage) -> Visitor:
    person = _at_google(stage)
    stage.wait(31 * 60)
    return person.submit("suggested")


def _accepted(stage: Stage) -> Visitor:
    return _at_google(stage).submit("suggested").submit("consent", ("decision", "accept"))


def _google(stage: Stage) -> IdentityProvider:
    return stage.do(identity_providers.listed, demo.WOODGROVE)[0].provider


def _removed(stage: Stage) -> Visitor:
    _accepted(stage)
    stage.do(identity_providers.remove, _google(stage).id, tenant_id=demo.WOODGROVE, by=COMMAND_LINE)
    return stage.at_send_code(JAMIE, HOME)


# The console


def _console(stage: Stage, rest: str) -> Visitor:
    return stage.signed_in(f"{HOME}/admin", "admin@woodgrove.example").open(f"{HOME}/admin{rest}")


def _with_operators(stage: Stage) -> Visitor:
    given: dict[str, Any] = {"client_id": "guestauth", "client_secret": "secret", "covers": ["contoso.example"]}
    described = Described(kind=AZURE_AD, directories=[DIRECTORY], **given)
    stage.do(identity_providers.add, described, by=COMMAND_LINE)
    return _console(stage, "/identity-providers")


def _describing(stage: Stage, **typed: Any) -> Visitor:
    return stage.console(ADDING).submit("describe-identity-provider", **typed)


def _registering(stage: Stage, **typed: Any) -> Visitor:
    return _describing(stage, **PARTNER).submit("add-identity-provider", **typed)


def _added(stage: Stage) -> Visitor:
    return _registering(stage, client_id="guestauth", client_secret="secret")


def _removing(stage: Stage, before: Visitor | None = None) -> Visitor:
    return _console(stage, f"/identity-providers/{_google(stage).id}/remove")


def _guest(stage: Stage, mail: str) -> Visitor:
    return _console(stage, f"/guests/{stage.do(guests.find, demo.WOODGROVE, mail).id}")


def _opting_out(stage: Stage) -> Visitor:
    _accepted(stage)
    return _console(stage, "/settings").submit("one-time-passcode", enabled="no")


GUESTS = [
    State("continue-with", "Continue with a provider", lambda s: s.at_send_code(JAMIE, HOME)),
    State("provider-kept-code", "Send code, kept from before the provider", lambda s: s.at_send_code(RILEY, HOME)),
    State(
        "provider-cancelled",
        "Cancelled at the provider",
        lambda s: _at_google(s).submit("cancel", ("cancel", "yes")),
    ),
    State("provider-other-account", "Another account", lambda s: _as(_at_google(s), STRANGER), 403),
    State("provider-not-confirmed", "Address not confirmed", lambda s: _as(_at_google(s), JAMIE, "no"), 403),
    State(
        "provider-not-admitted",
        "No guest who may sign in",
        lambda s: _at_google(s, STRANGER).submit("suggested"),
        403,
    ),
    State("provider-five-times", "Five answers that don't fit", _five_times, 403),
    State("provider-refused", "An answer that is none", _made_up, 400),
    State("provider-down", "The provider is down", _down, 503),
    State("provider-late", "Came back too late", _late, 400),
    State("provider-consent", "Review permissions, by a provider", lambda s: _at_google(s).submit("suggested")),
    State("provider-removed", "The provider was removed", _removed),
]
CONSOLE = [
    State("providers", "Identity providers", lambda s: _console(s, "/identity-providers")),
    State("providers-none", "Identity providers, none yet", lambda s: s.console("/identity-providers")),
    State("providers-operator", "Identity providers, some of the operator's", _with_operators),
    State("provider-add", "Add an identity provider", lambda s: s.console(ADDING)),
    State("provider-add-refused", "Add, mistakes",
          lambda s: _describing(s, **{**PARTNER, "covers": "nobody"}), 422),
    State("provider-register", "Add, what the provider gives", _describing),
    State("provider-register-refused", "Add, nothing filled in", _registering, 422),
    State("provider-added", "Added", _added),
    State("provider-tested", "Tested, it does not answer", lambda s: _added(s).submit("test-identity-provider")),
    State("provider-remove", "Remove an identity provider?", _removing),
    State("provider-remove-used", "Remove one that guests use?", lambda s: _removing(s, _accepted(s))),
    State("guest-at-provider", "A guest who will use a provider", lambda s: _guest(s, JAMIE)),
    State("settings-off-others", "Turn codes off, others have another way", _opting_out),
]  # fmt: skip
