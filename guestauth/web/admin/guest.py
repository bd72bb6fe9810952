"""One guest: what an administrator sees of them, and what they can do with them (B32).

What it does: shows how things stand with a guest, why they sign in the way they do, and what happened; asks once
before each thing an administrator does, and does it.

The one thing to understand: `ACTIONS` is the list of what can be done. It says when each makes sense, so that the
page offers only that, and what will happen, in words; the rules themselves stay in the operations.

What must stay true: an action is for the guest with the id in the address, never for another of the same address
(B8); what cannot be done any more is said on the page that asks, and changes nothing.
"""

import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import abort
from flask_babel import gettext, ngettext

from guestauth import audit, guests, identity_providers, invitations, outbox, providers, resources, sessions
from guestauth.audit import Caller
from guestauth.database import Refusal
from guestauth.languages import N_, said
from guestauth.models import ACCEPTED, PENDING, Invitation, Session, Tenant, User
from guestauth.web import gate
from guestauth.web.admin import blueprint, done
from guestauth.web.fields import Form, Problem, page, problem


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A guest as the tenant's administrators see them now."""

    tenant: Tenant
    user: User
    invitation: Invitation | None  # the newest
    sessions: Sequence[Session]  # the live ones

    @property
    def may_be_invited(self) -> bool:
        """Whether an invitation can go out to them: to who is blocked none goes."""
        return not (self.user.deleted_at or self.user.blocked_at) and self.invitation is not None


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something an administrator does with a guest."""

    words: str  # what its button says
    effect: str  # what will happen; knows mail, sessions, next
    done: str  # what happened; knows mail
    fits: Callable[[Seen], bool]
    run: Callable[[Seen, Caller], object]
    danger: bool = False


ACTIONS = {
    "resend": Action(
        words=N_("Resend invitation"),
        effect=N_(
            "A new invitation goes to %(mail)s, with the same words. The link in the one before stops working."
        ),
        done=N_("A new invitation is on its way to %(mail)s."),
        fits=lambda seen: seen.may_be_invited and seen.user.state == PENDING,
        run=lambda seen, by: invitations.resend(seen.tenant.id, seen.user.id, by=by),
    ),
    "revoke": Action(
        words=N_("Revoke invitation"),
        effect=N_(
            "The link in the invitation stops working, and they can't accept any more. %(sessions)s They stay on "
            "the list: resend the invitation to let them in after all."
        ),
        done=N_("The invitation of %(mail)s is revoked."),
        fits=lambda seen: bool(_link(seen)) and seen.user.state == PENDING,
        run=lambda seen, by: invitations.revoke(seen.tenant.id, seen.user.id, by=by),
        danger=True,
    ),
    "reset": Action(
        words=N_("Reset redemption status"),
        effect=N_(
            "%(sessions)s They are pending again, and a new invitation goes to %(mail)s. The guest keeps what is "
            "shared with them, and their history. When they accept, how they sign in is decided afresh; as things "
            "stand: %(next)s."
        ),
        done=N_("%(mail)s is pending again, and a new invitation is on its way."),
        fits=lambda seen: seen.may_be_invited and seen.user.state == ACCEPTED,
        run=lambda seen, by: invitations.reset(seen.tenant.id, seen.user.id, by=by),
        danger=True,
    ),
    "end-sessions": Action(
        words=N_("End sessions"),
        effect=N_("%(sessions)s The guest can sign in again."),
        done=N_("%(mail)s is signed out everywhere."),
        fits=lambda seen: bool(seen.sessions),
        run=lambda seen, by: sessions.end_all(seen.tenant.id, user_id=seen.user.id, by=by),
        danger=True,
    ),
    "block": Action(
        words=N_("Block"),
        effect=N_(
            "%(sessions)s Until you unblock them they get no codes and can't sign in. The guest keeps what is "
            "shared with them."
        ),
        done=N_("%(mail)s is blocked."),
        fits=lambda seen: not seen.user.deleted_at and not seen.user.blocked_at,
        run=lambda seen, by: guests.block(seen.tenant.id, seen.user.id, by=by),
        danger=True,
    ),
    "unblock": Action(
        words=N_("Unblock"),
        effect=N_("The guest can sign in again. Sessions and codes that ended when they were blocked stay ended."),
        done=N_("%(mail)s is no longer blocked."),
        fits=lambda seen: bool(seen.user.blocked_at) and not seen.user.deleted_at,
        run=lambda seen, by: guests.unblock(seen.tenant.id, seen.user.id, by=by),
    ),
    "clear-limits": Action(
        words=N_("Clear limits"),
        effect=N_(
            "If others asked for too many codes with the guest's address, or entered wrong ones, every browser "
            "can ask for codes for it again at once. The guest's own browser always can."
        ),
        done=N_("Codes for %(mail)s can be asked for again."),
        fits=lambda seen: not seen.user.deleted_at,
        run=lambda seen, by: guests.clear_limits(seen.tenant.id, seen.user.id, by=by),
    ),
    "delete": Action(
        words=N_("Delete"),
        effect=N_(
            "%(sessions)s The guest is nobody here from then on. For 30 days you can restore them, with what is "
            "shared with them. Inviting the address again makes a new guest, with nothing of this one."
        ),
        done=N_("%(mail)s is deleted. You can restore them for 30 days."),
        fits=lambda seen: not seen.user.deleted_at,
        run=lambda seen, by: guests.delete(seen.tenant.id, seen.user.id, by=by),
        danger=True,
    ),
    "restore": Action(
        words=N_("Restore"),
        effect=N_(
            "They are a guest again, as they were, with what is shared with them. Sessions that ended stay ended."
        ),
        done=N_("%(mail)s is a guest again."),
        fits=lambda seen: guests.can_be_restored(seen.user),
        run=lambda seen, by: guests.restore(seen.tenant.id, seen.user.id, by=by),
    ),
}


@blueprint.get("/guests/<uuid:user_id>")
def guest(user_id: uuid.UUID) -> Any:
    """Show one guest, also a deleted one."""
    seen = look(user_id)
    tenant, user = seen.tenant, seen.user
    candidates = identity_providers.candidates(tenant.id, user.mail_key)
    return page(
        "admin/guest.html",
        seen=seen,
        actions=[(name, action) for name, action in ACTIONS.items() if action.fits(seen)],
        link=_link(seen),
        successor=_successor(user),
        way=providers.way_in(tenant, user, candidates),
        next_way=providers.at_redemption(tenant, user, candidates),
        letters=outbox.of_user(tenant.id, user.id),
        resources=resources.of_user(user),
        history=audit.of_user(tenant.id, user.id),
        meanings=audit.EVENTS,
    )


class ActionForm(Form):
    """The button that does it."""


@blueprint.route("/guests/<uuid:user_id>/<action>", methods=["GET", "POST"])
def guest_action(user_id: uuid.UUID, action: str) -> Any:
    """Say what one of the actions will do, and do it."""
    seen, form, problems = look(user_id), ActionForm(), []
    chosen = ACTIONS.get(action) or abort(404)
    fits = chosen.fits(seen)
    if not fits:
        problems = [Problem(_impossible(chosen))]
    elif form.validate_on_submit():
        try:
            chosen.run(seen, gate.caller())
        except Refusal as refusal:
            problems = [problem(refusal)]
        else:
            return done(gettext(chosen.done, mail=seen.user.mail), "guest", user_id=user_id)
    effect = gettext(chosen.effect, mail=seen.user.mail, sessions=_ending(seen), next=_next(seen))
    return page(
        "admin/guest_action.html",
        form=form,
        problems=problems,
        guest=seen.user,
        name=action,
        action=chosen,
        fits=fits,
        effect=effect,
    )


def look(user_id: uuid.UUID) -> Seen:
    """Return a guest of the tenant, or 404."""
    tenant = gate.tenant_arrival().tenant
    try:
        user = guests.by_id(tenant.id, user_id)
    except guests.GuestUnknown:
        abort(404)
    live = [session for session, _ in sessions.live(tenant.id, user.id)]
    return Seen(tenant=tenant, user=user, invitation=invitations.of_guest(user.id), sessions=live)


def _link(seen: Seen) -> str | None:
    """Return the invitation's link, if it leads anywhere."""
    works = seen.invitation is not None and not seen.invitation.closed and not seen.user.deleted_at
    return invitations.link(seen.invitation) if works and seen.invitation else None


def _successor(user: User) -> User | None:
    """Return who has a deleted guest's address now."""
    if user.deleted_at:
        with suppress(guests.GuestUnknown):
            return guests.find(user.tenant_id, user.mail)
    return None


def _impossible(action: Action) -> str:
    words: str = gettext(
        "“%(action)s” is not possible as things stand now. Nothing was changed.", action=gettext(action.words)
    )
    return words


def _ending(seen: Seen) -> str:
    """Say how many sessions end, as a sentence."""
    count = len(seen.sessions)
    if not count:
        return str(gettext("They are not signed in now."))
    return str(ngettext("%(num)s session will end at once.", "%(num)s sessions will end at once.", count))


def _next(seen: Seen) -> str:
    """Say what the next redemption would choose."""
    candidates = identity_providers.candidates(seen.tenant.id, seen.user.mail_key)
    name = providers.at_redemption(seen.tenant, seen.user, candidates).name
    return said(name) if name else str(gettext("no way in"))
