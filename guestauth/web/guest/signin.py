"""Sign-in pages: the address, Send code, Enter code, and a new code when the session is over (B17, B24, B28).

What it does: shows the pages of the way in and passes what is typed to `guestauth.signin`.

The one thing to understand: every page is alike for guests and strangers (B27); what the sign-in's row says is
all a page knows.

What must stay true: every address answers GET; Back, reload, a second tab and a late click end well and cost
no try.
"""

import uuid
from typing import Any

from flask import Response, current_app, redirect, request, url_for
from flask_babel import gettext
from wtforms import StringField
from wtforms.validators import ValidationError

from guestauth import addresses, federation, limits, mail_health, passcodes, sending, signin
from guestauth.database import now
from guestauth.languages import N_
from guestauth.models import SignIn
from guestauth.web import cookies, gate
from guestauth.web.fields import Address, Form, Target, first, page, problem, wait
from guestauth.web.guest import blueprint


class EmailForm(Form):
    """The address a sign-in begins with."""

    email = Address(N_("Email address"))
    to = Target()


@blueprint.route("/<tenant:tenant>/sign-in", methods=["GET", "POST"])
def sign_in() -> Any:
    """Ask for the address and start a sign-in for it."""
    arrival, form = gate.tenant_arrival(), EmailForm()
    to = gate.wanted(first(form.to))
    if form.validate_on_submit():
        address: addresses.Address = form.email.parsed
        started = signin.start(
            arrival.tenant.id,
            address,
            browser=cookies.browser(),
            target=to,
            known=cookies.known(arrival.tenant.id, address.key),
            by=gate.caller(),
        )
        return redirect(url_for("guest.send_code", sign_in_id=started.id), 303)
    if arrival.user and not form.is_submitted():
        return page("guest/already_signed_in.html", continue_url=to or gate.home())
    form.email.data = form.email.data or request.args.get("login_hint", "")[:254]
    return page("guest/sign_in.html", form=form, to=to, **_suggestion(first(form.email), to))


class SendCodeForm(Form):
    """The Send code button."""


@blueprint.route("/<tenant:tenant>/sign-in/<uuid:sign_in_id>", methods=["GET", "POST"])
def send_code(sign_in_id: uuid.UUID) -> Any:
    """Say where a code will go, and send it."""
    arrival, form = gate.tenant_arrival(), SendCodeForm()
    if form.validate_on_submit():
        return _send(arrival.tenant.id, sign_in_id)
    found = signin.find(arrival.tenant.id, sign_in_id, browser=cookies.browser())
    if found.consumed_at:
        return redirect(_way_back(found.target))
    way = federation.way_shown(found)
    return page(
        "guest/continue_with.html" if way.through else "guest/send_code.html",
        form=form,
        provider=way.name,
        no_way=None if way.provider else "provider" if arrival.tenant.passcodes_on else "codes",
        lifetime_minutes=_lifetime_minutes(),
        too_early=None,
        **_suggestion(found.address, found.target),
        **_ways(found),
    )


class CodeForm(Form):
    """The code, as it was in the mail."""

    code = StringField(N_("8-digit code"))

    def validate_code(self, field: StringField) -> None:
        """Tell apart what a person can mend; none of it costs a try."""
        code = passcodes.typed_code(first(field))
        if not code:
            raise ValidationError(gettext("Enter the code from the email"))
        if not (code.isascii() and code.isdigit()):
            raise ValidationError(gettext("The code must only contain numbers"))
        if not passcodes.is_code(code):
            raise ValidationError(gettext("The code has 8 numbers. You entered %(count)s.", count=len(code)))


@blueprint.route("/<tenant:tenant>/sign-in/<uuid:sign_in_id>/code", methods=["GET", "POST"])
def enter_code(sign_in_id: uuid.UUID) -> Any:
    """Take the code, and let the guest in."""
    arrival, form = gate.tenant_arrival(), CodeForm()
    if form.validate_on_submit():
        return _enter(sign_in_id, form)
    found = signin.find(arrival.tenant.id, sign_in_id, browser=cookies.browser())
    if found.consumed_at or not found.sends:  # another tab was quicker, or the code was not sent yet
        return redirect(url_for("guest.send_code", sign_in_id=found.id), 303)
    if found.tries >= signin.MOST_TRIES:
        return _new_code_needed(found, 200)
    return _code_page(found, form)


class SessionOverForm(Form):
    """The button of a guest whose 24 hours are over."""

    to = Target()


@blueprint.route("/<tenant:tenant>/session-over", methods=["GET", "POST"])
def session_over() -> Any:
    """Offer a new code for the address that was signed in here, or to sign in at its provider again (B28)."""
    arrival, form = gate.tenant_arrival(), SessionOverForm()
    to = gate.wanted(first(form.to))
    if arrival.user:  # another tab was quicker
        return redirect(to or gate.home(), 303)
    last = signin.over_or_none(arrival.tenant.id, browser=cookies.browser())
    if last is None:
        return redirect(url_for("guest.sign_in", to=to), 303)
    way = federation.way_shown(last)
    if form.validate_on_submit():
        return _send_anew(last, to) if way.is_by_code else _start_anew(last, to)
    return page(
        "guest/session_over.html",
        form=form,
        to=to,
        address=last.address,
        by_code=way.is_by_code,
        different_url=url_for("guest.sign_in", to=to),
    )


def _send(tenant_id: uuid.UUID, sign_in_id: uuid.UUID) -> Any:
    browser = cookies.browser()
    try:
        sending.send_code(tenant_id, sign_in_id, browser=browser, by=gate.caller())
    except (
        limits.LimitReached,
        passcodes.TooManyTries,
        sending.SendTooEarly,
        sending.TooManySends,
        signin.SignInUsed,
    ) as refusal:
        return _not_sent(signin.find(tenant_id, sign_in_id, browser=browser), refusal)
    return redirect(url_for("guest.enter_code", sign_in_id=sign_in_id), 303)


def _not_sent(found: SignIn, refusal: Exception) -> Any:
    if isinstance(refusal, sending.SendTooEarly):
        return wait(_code_page(found, None, too_early=refusal, status=429), refusal.next_at)
    if isinstance(refusal, passcodes.TooManyTries):
        return _new_code_needed(found, 422)
    next_at = getattr(refusal, "next_at", now())
    if isinstance(refusal, signin.SignInUsed | sending.TooManySends) and now() >= next_at:
        return _send_anew(found, found.target)
    return wait(page("guest/too_many_codes.html", next_at=next_at, status=429, **_ways(found)), next_at)


def _send_anew(earlier: SignIn, target: str | None) -> Any:
    """Start another sign-in for the same address and send its first code."""
    started = sending.renew(
        earlier.tenant_id,
        earlier.id,
        browser=cookies.browser(),
        target=target,
        known=cookies.known(earlier.tenant_id, earlier.mail_key),
        by=gate.caller(),
    )
    return redirect(url_for("guest.enter_code", sign_in_id=started.id), 303)


def _start_anew(earlier: SignIn, target: str | None) -> Any:
    """Start another sign-in for the same address; its page says how it goes on."""
    started = signin.start(
        earlier.tenant_id,
        addresses.parse(earlier.address),
        browser=cookies.browser(),
        target=target,
        known=cookies.known(earlier.tenant_id, earlier.mail_key),
        by=gate.caller(),
    )
    return redirect(url_for("guest.send_code", sign_in_id=started.id), 303)


def _enter(sign_in_id: uuid.UUID, form: CodeForm) -> Any:
    arrival = gate.tenant_arrival()
    try:
        done = signin.enter_code(
            arrival.tenant.id,
            sign_in_id,
            passcodes.typed_code(first(form.code)),
            browser=cookies.browser(),
            replacing=arrival.session.id if arrival.session else None,
            by=gate.caller(),
        )
    except (
        passcodes.PasscodeWrong,
        passcodes.PasscodeExpired,
        passcodes.PasscodeUsed,
        passcodes.TooManyTries,
    ) as refusal:
        if arrival.user:  # Back, and the same code again
            return redirect(gate.home(), 303)
        found = signin.find(arrival.tenant.id, sign_in_id, browser=cookies.browser())
        if found.tries >= signin.MOST_TRIES and not found.consumed_at:
            return _new_code_needed(found, 422)
        return _code_page(found, form, problems=[problem(refusal, "code")])
    return let_in(done)


def let_in(done: signin.SignedIn) -> Any:
    """Hand the browser its session and lead on."""
    arrival = gate.tenant_arrival()
    cookies.renew_browser(done.browser)
    if done.by_code:
        cookies.know(arrival.tenant.id, done.mail_key)
    cookies.remember(done.session_secret, done.expires_at, arrival=arrival)
    return redirect(_way_back(done.target), 303)


def _way_back(target: str | None) -> str:
    """Return where a sign-in leads if that is in the tenant still: its domain may be another's now (T-05)."""
    return gate.safe_target(target or "") or gate.home()


def _code_page(found: SignIn, form: CodeForm | None, **context: Any) -> Response:
    newest = signin.newest(found)
    return page(
        "guest/enter_code.html",
        form=form,
        typed=first(form.code) if form else "",
        expires_at=newest.expires_at,
        reference=passcodes.reference(found, newest.n),
        sent_again=newest.n > 1,
        now=now(),
        own_path=url_for("guest.enter_code", sign_in_id=found.id) if request.endpoint == "guest.send_code" else "",
        **{"too_early": None, **_ways(found), **context},
    )


def _new_code_needed(found: SignIn, status: int) -> Response:
    return page("guest/new_code_needed.html", status=status, to=found.target, **_ways(found))


def _ways(found: SignIn) -> dict[str, Any]:
    """What the pages of one sign-in share."""
    return {
        "sign_in": found,
        "sender": current_app.config["MAIL_DEFAULT_SENDER"],
        "delayed": mail_health.is_delayed(),
        "different_url": url_for("guest.sign_in", to=found.target),
    }


def _suggestion(typed: str, to: str | None) -> dict[str, Any]:
    """What somebody may have meant to type, with a link that fills it in."""
    suggestion = addresses.suggestion_or_none(typed)
    url = url_for("guest.sign_in", login_hint=suggestion, to=to)
    return {"suggestion": suggestion, "suggestion_url": url}


def _lifetime_minutes() -> int:
    return int(current_app.config["PASSCODE_LIFETIME"]) // 60
