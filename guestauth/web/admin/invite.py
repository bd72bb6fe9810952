"""Inviting one guest, and what to do next (B9, B16, B20).

What it does: takes whom to invite, with which words and to land where; then says what happens next, with the link
to hand over if no mail goes out.

The one thing to understand: nothing here tells which way in the guest will have; it shows after redemption (B9).
"""

import uuid
from contextlib import suppress
from typing import Any

from flask import g
from flask_babel import gettext
from wtforms import BooleanField, StringField, TextAreaField

from guestauth import guests, invitations, languages, outbox, resources
from guestauth.addresses import NotAnAddress
from guestauth.languages import N_
from guestauth.models import Invitation, Tenant, User
from guestauth.web import gate
from guestauth.web.admin import blueprint, done
from guestauth.web.admin.guest import look
from guestauth.web.fields import Form, Problem, first, page, problem


class InviteForm(Form):
    """Whom to invite, and what they are told."""

    email = StringField(N_("Email address"))
    display_name = StringField(N_("Name"))
    message = TextAreaField(N_("Message"))
    send_mail = BooleanField(N_("Send them the invitation by mail"), default=True)
    redirect = StringField(N_("Where they land"))
    language = StringField(N_("Language"))


@blueprint.route("/guests/invite", methods=["GET", "POST"])
def invite() -> Any:
    """Invite somebody to be a guest."""
    tenant, form, problems, known = gate.tenant_arrival().tenant, InviteForm(), [], None
    if form.validate_on_submit():
        try:
            made = _invite(tenant, form)
        except invitations.AlreadyAGuest:
            known = _known(tenant, form)
            problems = [Problem(_there_already(tenant, form, known), "email")]
        except (NotAnAddress, invitations.DomainRefused, invitations.InvitationRefused) as refusal:
            problems = [problem(refusal, "email")]
        else:
            return done(
                gettext("Invited: %(mail)s", mail=first(form.email).strip()), "invited", user_id=made.user_id
            )
    places = _places(tenant, first(form.redirect))
    shown = {"known": known, "places": places, "spoken": list(languages.NAMES.items())}
    return page("admin/invite.html", form=form, problems=problems, **shown)


@blueprint.get("/guests/<uuid:user_id>/invited")
def invited(user_id: uuid.UUID) -> Any:
    """Say what happens next with a guest's invitation."""
    seen = look(user_id)
    posted = [letter.subject_id for letter in outbox.of_user(seen.tenant.id, user_id)]
    invitation = seen.invitation
    mailed = invitation is not None and invitation.id in posted
    link = invitations.link(invitation) if invitation and not invitation.closed else None
    return page("admin/invited.html", guest=seen.user, mailed=mailed, link=link)


def _invite(tenant: Tenant, form: InviteForm) -> Invitation:
    """Do what the form says; where to land is a page of the tenant."""
    target = first(form.redirect).strip()
    if target and gate.safe_target(f"/{g.reference}{target}") is None:
        text = N_("There is no page %(path)s at %(org)s where they could land", path=target, org=tenant.name)
        raise invitations.InvitationRefused(text, "redirect")
    return invitations.invite(
        tenant.id,
        first(form.email),
        display_name=first(form.display_name),
        message=first(form.message).replace("\r\n", "\n").strip() or None,
        target=target or None,
        language=first(form.language) or None,
        send_mail=bool(form.send_mail.data),
        by=gate.caller(),
    )


def _there_already(tenant: Tenant, form: InviteForm, known: User | None) -> str:
    mail = first(form.email).strip()
    if known is None or known.is_guest:
        return str(gettext("%(mail)s is a guest already. Nothing was changed.", mail=mail))
    return str(gettext("%(mail)s is a member of %(org)s. Nothing was changed.", mail=mail, org=tenant.name))


def _known(tenant: Tenant, form: InviteForm) -> User | None:
    """Return who has the address, unless they have been deleted meanwhile."""
    with suppress(guests.GuestUnknown):
        return guests.find(tenant.id, first(form.email))
    return None


def _places(tenant: Tenant, chosen: str) -> list[tuple[str, str]]:
    """Return where somebody can land, with what was asked for."""
    places = [("", gettext("The list of apps"))]
    places += [(f"/apps/{each.slug}", each.title) for each in resources.of_tenant(tenant.id)]
    return places if chosen in dict(places) else [*places, (chosen, chosen)]
