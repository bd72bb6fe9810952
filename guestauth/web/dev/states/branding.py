"""States of pages of a tenant with a logo and a colour, and of the page where they are chosen."""

from guestauth import audit, branding, demo, invitations, tenants
from guestauth.web.dev.stage import NICOLE, Stage
from guestauth.web.dev.states.state import State
from guestauth.web.dev.visitor import Visitor

HOME = "/woodgrove.example"
CHOOSING = "/settings/branding"
LONG = "Woodgrove and Sons, Forestry, Sawmills and Timber Trade, Northern and Western Europe"
BY = audit.COMMAND_LINE


def _in(stage: Stage, accent: str) -> Stage:
    """Let the tenant pick another colour."""
    stage.do(branding.change, demo.WOODGROVE, accent=accent, by=BY)
    return stage


def _named(stage: Stage, name: str) -> Visitor:
    stage.do(tenants.change, demo.WOODGROVE, name=name, by=BY)
    return stage.at(f"{HOME}/sign-in")


def _invited(stage: Stage) -> Stage:
    stage.do(invitations.invite, demo.WOODGROVE, NICOLE, display_name="Nicole Wagner", by=BY, send_mail=False)
    return stage


def _consenting(stage: Stage) -> Visitor:
    person = _invited(stage).at_enter_code(NICOLE, HOME)
    return person.submit("enter-code", code=stage.code(NICOLE))


def _accepted(stage: Stage) -> Visitor:
    return _consenting(stage).submit("consent", ("decision", "accept"))


def _choosing(stage: Stage) -> Visitor:
    return stage.signed_in(f"{HOME}/admin", "admin@woodgrove.example").open(f"{HOME}/admin{CHOOSING}")


BRANDED = [
    State("branded-sign-in", "Sign in", lambda s: s.at(f"{HOME}/sign-in")),
    State("branded-long", "Sign in, a long name", lambda s: _named(s, LONG)),
    State("branded-send-code", "Send code", lambda s: s.at_send_code("casey@firstup.example", HOME)),
    State("branded-enter-code", "Enter code, a mistake",
          lambda s: s.at_enter_code(NICOLE, HOME).submit("enter-code", code="1234"), 422),
    State("branded-consent", "Review permissions", _consenting),
    State("branded-apps", "Apps", _accepted),
    State("branded-account", "Account, a colour as light as can be",
          lambda s: _accepted(_in(s, "#ffffff")).open(f"{HOME}/account")),
    State("branded-code", "Enter code, yellow", lambda s: _in(s, "#ffff00").at_enter_code(NICOLE, HOME)),
    State("branded-cancelled", "Cancelled, black",
          lambda s: _consenting(_in(s, "#000000")).submit("consent", ("decision", "cancel"))),
    State("branding", "Logo and colour, none yet", lambda s: s.console(CHOOSING)),
    State("branding-chosen", "Logo and colour", _choosing),
    State("branding-refused", "Logo and colour, mistakes",
          lambda s: s.console(CHOOSING).submit("branding", accent="teal"), 422),
    State("branding-no-picture", "Logo and colour, no picture",
          lambda s: s.console(CHOOSING).submit("branding", logo=(b"<svg/>", "logo.svg"), accent="#2b5797"), 422),
    State("branding-saved", "Logo and colour, saved",
          lambda s: _choosing(s).submit("branding", remove_logo="yes")),
]  # fmt: skip
