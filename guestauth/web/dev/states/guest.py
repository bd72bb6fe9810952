"""States of the pages that guests see."""

from guestauth import audit, demo, guests, invitations
from guestauth.web.dev.stage import ADMIN, ALEX, HOME, NICOLE, STRANDED, Stage
from guestauth.web.dev.states.state import State
from guestauth.web.dev.visitor import Visitor

CONTOSO = "/contoso.example"
SIGN_IN = f"{HOME}/sign-in"
DAY = 24 * 3600
BY = audit.COMMAND_LINE


def _closed(stage: Stage, how: str) -> Visitor:
    """Open an invitation that was sent anew or revoked meanwhile."""
    link = stage.invitation()
    alex = stage.do(guests.find, demo.FABRIKAM, ALEX)
    stage.do(getattr(invitations, how), demo.FABRIKAM, alex.id, by=BY)
    return stage.at(link)


def _accepted(stage: Stage) -> Visitor:
    link = stage.invitation()
    stage.at_consent().submit("consent", ("decision", "accept"))
    return stage.at(link)


def _typed(stage: Stage, *codes: str) -> Visitor:
    """Enter codes one after the other; `wrong` is one that is not right."""
    person = stage.at_enter_code()
    right = stage.code(NICOLE)
    wrong = f"{(int(right) + 1) % 10**8:08d}"
    for code in codes:
        person.submit("enter-code", code=wrong if code == "wrong" else code)
    return person


def _expired(stage: Stage) -> Visitor:
    person = stage.at_enter_code()
    code = stage.code(NICOLE)
    stage.wait(31 * 60)
    return person.submit("enter-code", code=code)


def _sent(stage: Stage, times: int) -> Visitor:
    """Ask for a code so often, a minute apart."""
    person = stage.at_enter_code()
    for _ in range(times - 1):
        stage.wait(61)
        person.submit("send-code")
    return person


def _delayed(stage: Stage, *, sent: bool) -> Visitor:
    person = stage.at_send_code()
    stage.delay_mail()
    return person.submit("send-code") if sent else person.open(person.path)


def _with_privacy_statement(stage: Stage) -> Visitor:
    stage.console("/settings/details").submit(
        "details", privacy_statement_url="https://fabrikam.example/privacy", help_contact="+1 425 555 0100"
    )
    return stage.at_consent()


def _with_apps(stage: Stage, count: int) -> None:
    console = stage.console()
    for number in range(1, count + 1):
        console.open(f"{HOME}/admin/resources/add")
        console.submit("add-resource", title=f"Chapter {number} of the handbook", text="Soon.", kind="text")
        console.submit("share-with-all")


def _many_apps(stage: Stage, rest: str = "") -> Visitor:
    _with_apps(stage, 9)
    return stage.signed_in().open(HOME + rest)


def _no_apps(stage: Stage) -> Visitor:
    stage.console("/resources/welcome-pack").submit("share-with-all")
    stage.console("/guests/invite").submit("invite", email="kim@proseware.example", display_name="Kim Abe")
    link = stage.invitation("kim@proseware.example")
    kim = stage.at(link).submit("accept-invitation").submit("send-code")
    kim.submit("enter-code", code=stage.code("kim@proseware.example"))
    return kim.submit("consent", ("decision", "accept"))


def _shut_out(stage: Stage) -> Visitor:
    """Accept after the organisation has stopped letting guests of their domain in."""
    alex = stage.at_consent()
    domains = stage.console("/domain-list").submit("domain-list", kind="deny", domains="gmail.com")
    domains.submit("domain-list")
    return alex.submit("consent", ("decision", "accept"))


def _two_sessions(stage: Stage) -> Visitor:
    stage.signed_in()
    stage.wait(61)
    return stage.signed_in().open(f"{HOME}/account")


def _over(stage: Stage) -> Visitor:
    person = stage.signed_in()
    stage.wait(DAY + 60)
    return person.open(f"{HOME}/apps/expense-portal")


WAYS_IN = [
    State("sign-in", "Sign in", lambda s: s.at(SIGN_IN)),
    State("sign-in-filled", "Sign in, address filled in", lambda s: s.at(f"{SIGN_IN}?login_hint={NICOLE}")),
    State("sign-in-empty", "Sign in, nothing typed",
          lambda s: s.at(SIGN_IN).submit("email-form", email=""), 422),
    State("sign-in-format", "Sign in, no address",
          lambda s: s.at(SIGN_IN).submit("email-form", email="alexdoe"), 422),
    State("sign-in-suggestion", "Sign in, did you mean",
          lambda s: s.at(f"{SIGN_IN}?login_hint=alexdoe@gmial.com")),
    State("sign-in-open-too-long", "Sign in, page open too long",
          lambda s: s.at(SIGN_IN).submit("email-form", email=NICOLE, csrf_token="old"), 400),
    State("already-signed-in", "Sign in, signed in already", lambda s: s.signed_in().open(SIGN_IN)),
    State("invitation", "Invitation", lambda s: s.at(s.invitation())),
    State("invitation-other", "Invitation, signed in as somebody else",
          lambda s: s.signed_in().open(s.invitation())),
    State("invitation-accepted", "Invitation, accepted already", _accepted),
    State("invitation-unknown", "Invitation, link incomplete", lambda s: s.at(s.invitation()[:-5]), 404),
    State("invitation-revoked", "Invitation, revoked", lambda s: _closed(s, "revoke"), 404),
    State("invitation-replaced", "Invitation, a newer one was sent", lambda s: _closed(s, "resend"), 404),
]  # fmt: skip
CODES = [
    State("send-code", "Send code", lambda s: s.at_send_code()),
    State("send-code-suggestion", "Send code, did you mean", lambda s: s.at_send_code("alexdoe@gmial.com")),
    State("send-code-delayed", "Send code, mail is delayed", lambda s: _delayed(s, sent=False)),
    State("codes-off", "Codes are turned off", lambda s: s.at_send_code(STRANDED, CONTOSO)),
    State("enter-code", "Enter code", lambda s: s.at_enter_code()),
    State("enter-code-long", "Enter code, a long address",
          lambda s: s.at_enter_code(f"{'maximiliane-' * 5}x@{'long-department-name.' * 6}example")),
    State("enter-code-empty", "Enter code, nothing typed", lambda s: _typed(s, ""), 422),
    State("enter-code-short", "Enter code, too few numbers", lambda s: _typed(s, "1234"), 422),
    State("enter-code-letters", "Enter code, letters", lambda s: _typed(s, "1234567A"), 422),
    State("enter-code-wrong", "Enter code, wrong", lambda s: _typed(s, "wrong"), 422),
    State("enter-code-last-try", "Enter code, one try left", lambda s: _typed(s, *["wrong"] * 4), 422),
    State("enter-code-expired", "Enter code, expired", _expired, 422),
    State("enter-code-again", "Enter code, sent again", lambda s: _sent(s, 2)),
    State("enter-code-too-early", "Enter code, asked again too early",
          lambda s: s.at_enter_code().submit("send-code"), 429),
    State("enter-code-delayed", "Enter code, mail is delayed", lambda s: _delayed(s, sent=True)),
    State("new-code-needed", "Too many wrong codes", lambda s: _typed(s, *["wrong"] * 5), 422),
    State("too-many-codes", "Too many codes", lambda s: _sent(s, 3).submit("send-code"), 429),
    State("session-over", "Session over", _over),
]  # fmt: skip
INSIDE = [
    State("consent", "Review permissions", lambda s: s.at_consent()),
    State("consent-privacy", "Review permissions, with a privacy statement", _with_privacy_statement),
    State("consent-cancelled", "Review permissions, cancelled",
          lambda s: s.at_consent().submit("consent", ("decision", "cancel"))),
    State("consent-shut-out", "Review permissions, no longer let in", _shut_out, 400),
    State("apps", "Apps", lambda s: s.signed_in()),
    State("apps-none", "Apps, none", _no_apps),
    State("apps-many", "Apps, many", _many_apps),
    State("apps-search", "Apps, search", lambda s: _many_apps(s, "?q=Chapter+7")),
    State("apps-not-found", "Apps, nothing found", lambda s: _many_apps(s, "?q=holidays")),
    State("resource-text", "Resource, text", lambda s: s.signed_in(f"{HOME}/apps/welcome-pack")),
    State("resource-file", "Resource, file", lambda s: s.signed_in(f"{HOME}/apps/project-plan")),
    State("resource-url", "Resource, link", lambda s: s.signed_in(f"{HOME}/apps/expense-portal")),
    State("account", "Account", lambda s: s.signed_in().open(f"{HOME}/account")),
    State("account-sessions", "Account, signed in twice", _two_sessions),
    State("account-administrator", "Account of an administrator",
          lambda s: s.signed_in(HOME, ADMIN).open(f"{HOME}/account")),
    State("left", "Left", lambda s: s.signed_in().open(f"{HOME}/account").submit("leave")),
    State("signed-out", "Signed out", lambda s: s.signed_in().submit("sign-out")),
    State("sign-out", "Sign out, page open too long",
          lambda s: s.signed_in().submit("sign-out", csrf_token="old"), 400),
]  # fmt: skip
