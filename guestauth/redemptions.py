"""Redemptions: the answer to Review permissions (B7, B19).

What it does: `redeem` accepts, `decline` cancels.

The one thing to understand: redeeming is what fixes a guest's way in; from then on it is kept (B7).

What must stay true: it is done once, and only by who may sign in at that moment; cancelling changes nothing.

Called by consent and the demo. It signs nobody in.
"""

import uuid

from sqlalchemy import select, update

from guestauth import audit, identity_providers, policies, sessions
from guestauth.audit import Caller
from guestauth.database import db, now, operation
from guestauth.invitations import DomainRefused, InvitationUnknown
from guestauth.languages import N_
from guestauth.models import ACCEPTED, PASSCODE, PENDING, SOURCES, Session, Tenant, User


@operation
def redeem(tenant_id: uuid.UUID, user_id: uuid.UUID, *, session_id: uuid.UUID | None = None, by: Caller) -> None:
    """Accept: the guest is a guest from now on, and signs in the same way ever after (B7, B19).

    :param session_id: the session they accept in: the way it came is fixed; None: a passcode.
    :raises InvitationUnknown: if they may no longer. Doing it twice changes nothing.
    :raises DomainRefused:
    """
    tenant = db.session.get_one(Tenant, tenant_id)
    guest = db.session.get_one(User, user_id, with_for_update=True)  # who resets them waits, or was first
    if not policies.allows_address(tenant, guest.mail_key):
        domain = guest.mail.rpartition("@")[2]
        text = N_("%(org)s no longer lets guests of %(domain)s in", org=tenant.name, domain=domain)
        raise DomainRefused(text)
    if guest.state == ACCEPTED:
        return
    why = identity_providers.why(tenant, guest)
    pending = (User.id == user_id, User.tenant_id == tenant_id, User.state == PENDING)
    session = _live(session_id, user_id) if session_id else None
    way = session.way if session else PASSCODE
    may = sessions.may_sign_in() if way == PASSCODE else sessions.is_admitted()
    accepted = (
        update(User)
        .where(*pending, Tenant.id == User.tenant_id, may)
        .values(state=ACCEPTED, identity_provider=way, accepted_at=now())
        .values(identity_issuer=session and session.identity_issuer)
        .values(identity_subject=session and session.identity_subject)
        .returning(User.mail)
    )
    mail = db.session.scalar(accepted, execution_options={"synchronize_session": False})
    if mail is None:
        raise InvitationUnknown(N_("The invitation was revoked"))
    sessions.end_other_ways(user_id)
    audit.record(
        "invitation.redeemed",
        by=by,
        tenant_id=tenant_id,
        user_id=user_id,
        address=mail,
        source=SOURCES[way],
        why=why,
    )


def _live(session_id: uuid.UUID, user_id: uuid.UUID) -> Session:
    """Return the session somebody accepts in: what has ended it since its request began is not to be undone."""
    mine = (Session.id == session_id, Session.user_id == user_id, Session.ended_at.is_(None))
    session = db.session.scalar(select(Session).where(*mine))
    if session is None:
        raise InvitationUnknown(N_("You've been signed out. Sign in again to accept."))
    return session


@operation
def decline(tenant_id: uuid.UUID, session_id: uuid.UUID, *, by: Caller) -> None:
    """Cancel at Review permissions: everything stays as it was, and they are signed out (B19)."""
    sessions.end_one(tenant_id, session_id, "declined")
    audit.record("invitation.declined", by=by, tenant_id=tenant_id)
