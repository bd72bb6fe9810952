"""Signing in at an identity provider: leaving for it, and coming back (B6).

What it does: leads to the provider of an address; takes what comes back, and lets the guest in or says why not.

The one thing to understand: leaving is a link, not a form, since browsers hold what follows a form to this site
(F15); it writes nothing. Coming back is an address that OpenID Connect fixes: a GET that can be used once.

What must stay true: a page that says what went wrong tells it to guests and strangers alike (B27); no page leads a
guest who has another way to a code.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import g, redirect, request, url_for
from flask_babel import gettext

from guestauth import federation, identities, openid, signin
from guestauth.database import Refusal, now
from guestauth.languages import N_, Text
from guestauth.models import SignIn
from guestauth.passcodes import TooManyTries
from guestauth.providers import Way
from guestauth.web import cookies, gate, language
from guestauth.web.fields import page, wait
from guestauth.web.guest import blueprint
from guestauth.web.guest.signin import let_in

ASK_AGAIN = timedelta(minutes=1)  # when a provider does not answer


@dataclass(frozen=True)
class Outcome:
    """What a page says to who is not signed in."""

    status: int
    title: Text
    text: Text
    way_on: str = "again"  # to the provider; "start": with a new sign-in; "administrator": by a code


OUTCOMES: dict[type[Refusal], Outcome] = {
    federation.NotFinished: Outcome(
        200,
        N_("You haven't signed in"),
        N_("You cancelled at %(provider)s, or it didn't let you sign in. Nothing was shared."),
    ),
    identities.OtherAccount: Outcome(
        403,
        N_("You used another account"),
        N_("At %(provider)s you signed in as %(other)s. Choose the account of %(mail)s there, or use a different "
           "email address here."),
    ),
    identities.AddressNotConfirmed: Outcome(
        403,
        N_("Your address isn't confirmed"),
        N_("%(provider)s doesn't say that %(other)s is yours. Confirm the address there, then try again."),
    ),
    identities.AccountChanged: Outcome(
        403,
        N_("You used another account"),
        N_("%(org)s knows you by another account with the address %(mail)s. Use that one, or ask %(org)s to reset "
           "how you sign in."),
    ),
    federation.NotAdmitted: Outcome(
        403,
        N_("You can't sign in to %(org)s with this address"),
        N_("If %(org)s has invited you at another address than %(mail)s, use that one. If not, ask the person who "
           "told you about %(org)s."),
        "administrator",
    ),
    TooManyTries: Outcome(
        403,
        N_("You need to start again"),
        N_("Signing in with %(provider)s didn't work 5 times, so this sign-in no longer works."),
        "start",
    ),
    openid.AnswerRefused: Outcome(
        400,
        N_("Signing in with %(provider)s didn't work"),
        N_("%(org)s could not make sure that it was you. Try again."),
    ),
    openid.Unreachable: Outcome(
        503,
        N_("%(provider)s isn't answering"),
        N_("It's not you. Nothing you did is lost. Try again in a minute."),
    ),
}  # fmt: skip
REFUSALS = tuple(OUTCOMES)


@blueprint.get("/<tenant:tenant>/sign-in/<uuid:sign_in_id>/continue")
def continue_with(sign_in_id: uuid.UUID) -> Any:
    """Lead to the identity provider of a sign-in's address."""
    found = signin.find(gate.tenant_arrival().tenant.id, sign_in_id, browser=cookies.browser())
    way = federation.way_shown(found)
    if found.consumed_at or way.through is None:
        return redirect(url_for("guest.send_code", sign_in_id=found.id), 303)
    try:
        choose = "choose" in request.args
        speak = language.current()
        there = federation.leave(found, way.through, reference=g.reference, language=speak, choose=choose)
    except REFUSALS as refusal:
        return _outcome(found, way, refusal)
    return redirect(there, 303)


@blueprint.get("/<tenant:tenant>/sign-in/<uuid:sign_in_id>/return")
def come_back(sign_in_id: uuid.UUID) -> Any:
    """Take what an identity provider says of who signed in there."""
    arrival, sent = gate.tenant_arrival(), gate.sent_once("state", "code", "iss", "error")
    if request.method == "HEAD":  # only looks, and may not use anything up
        return ""
    try:
        done = federation.come_back(
            arrival.tenant.id,
            sign_in_id,
            federation.Answer(
                state=federation.read_state(sent.get("state", "")),
                code=sent.get("code"),
                iss=sent.get("iss"),
                error=sent.get("error"),
            ),
            browser=cookies.browser(),
            replacing=arrival.session.id if arrival.session else None,
            by=gate.caller(),
        )
    except (federation.StateUnknown, federation.WayChanged, signin.SignInUsed):
        return redirect(url_for("guest.send_code", sign_in_id=sign_in_id), 303)
    except REFUSALS as refusal:
        found = signin.find(arrival.tenant.id, sign_in_id, browser=cookies.browser())
        return _outcome(found, federation.way_shown(found), refusal)
    return let_in(done)


def _outcome(found: SignIn, way: Way, refusal: Refusal) -> Any:
    """Say why somebody is not signed in, and what they can do."""
    outcome = next(OUTCOMES[each] for each in type(refusal).__mro__ if each in OUTCOMES)
    shown = page(
        "guest/not_signed_in.html",
        status=outcome.status,
        outcome=outcome,
        provider=way.name or "",
        other=getattr(refusal, "address", "") or gettext("somebody without an email address"),
        sign_in=found,
        too_early=None,
        different_url=url_for("guest.sign_in", to=found.target),
        own_path=url_for("guest.send_code", sign_in_id=found.id),  # what came back is not to be sent once more
    )
    return wait(shown, now() + ASK_AGAIN) if outcome.status == 503 else shown
