"""Invitations: how somebody becomes a guest (B16 to B20).

What it does: `invite`, `resend`, `revoke`; `opened` reads an invitation link; `redeem` and `decline` answer
Review permissions.

The one thing to understand: the ticket in the link is the invitation's id, signed. It names the invitation
and fills in the address; it carries no authority, and nothing of it is stored.

What must stay true: opening a link changes nothing; a link dies when revoked or replaced and lives on after
redemption; the way in is fixed at redemption (B7).

Called by the command line, the invitation pages and consent. It sends no code.
"""

import uuid
from dataclasses import dataclass

from flask import current_app
from itsdangerous import BadData
from sqlalchemy import select, update

from guestauth import addresses, audit, letters, outbox, policies, sessions
from guestauth.audit import Caller
from guestauth.database import Refusal, db, now, operation, query, refusing_doubles
from guestauth.keys import signer
from guestauth.models import ACCEPTED, PASSCODE, PENDING, Invitation, Letter, Resource, Tenant, User

MOST_MESSAGE = 2000  # characters


class AlreadyAGuest(Refusal):
    """The address is a guest or a member of the tenant already; nothing was changed (B20)."""


class DomainRefused(Refusal):
    """The tenant's list of domains does not let the address in (B21)."""


class InvitationUnknown(Refusal):
    """The link names no invitation of this tenant, or the guest has none."""


class InvitationRefused(Refusal):
    """The invitation cannot be made as described; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """An invitation link as its page needs it."""

    invitation: Invitation
    user: User
    what: str | None  # the title of the resource it leads to


@operation
def invite(
    tenant_id: uuid.UUID,
    typed: str,
    *,
    by: Caller,
    display_name: str = "",
    message: str | None = None,
    target: str | None = None,
    send_mail: bool = True,
    user_id: uuid.UUID | None = None,
) -> Invitation:
    """Invite somebody to be a guest; nothing tells which way in they will have (B9).

    :param message: the inviter's own words, 2,000 characters at most.
    :param target: path within the tenant where they land, like `/apps/welcome-pack`.
    :raises AlreadyAGuest: and nothing changes.
    :raises NotAnAddress: :raises InvitationRefused: :raises DomainRefused:
    """
    address = addresses.parse(typed)
    _check(display_name, message, target)
    guest = User(
        id=user_id or uuid.uuid4(),
        tenant_id=tenant_id,
        mail=address.mail,
        mail_key=address.key,
        display_name=audit.one_line(display_name.strip()),
        state=PENDING,
        created_at=now(),
    )
    tenant = db.session.get_one(Tenant, tenant_id)
    if not policies.allows_address(tenant, address.key):
        raise DomainRefused(f"{tenant.name} does not let guests of {address.key.rpartition('@')[2]} in")
    with refusing_doubles(AlreadyAGuest(f"{address.mail} is a guest already; nothing was changed")):
        db.session.add(guest)
    inviter = by.name or tenant.name
    invitation = Invitation(
        tenant_id=tenant_id,
        user_id=guest.id,
        inviter=inviter,
        message=message,
        target=target,
        created_at=now(),
    )
    _send(invitation, guest, by=by, send_mail=send_mail)
    audit.record("guest.invited", by=by, tenant_id=tenant_id, user_id=guest.id, address=guest.mail)
    return invitation


@operation
def resend(tenant_id: uuid.UUID, typed: str, *, by: Caller, send_mail: bool = True) -> Invitation:
    """Send a pending guest a new invitation with the same words; the old link dies.

    :raises InvitationUnknown: if there is no such guest, or they have accepted.
    """
    guest, last = _last(tenant_id, addresses.parse(typed).key)
    if guest.state != PENDING:
        raise InvitationUnknown(f"{guest.mail} has accepted already")
    invitation = _replace(guest, last, by=by, send_mail=send_mail)
    audit.record("invitation.resent", by=by, tenant_id=tenant_id, user_id=guest.id, address=guest.mail)
    return invitation


@operation
def reset(tenant_id: uuid.UUID, typed: str, *, by: Caller, send_mail: bool = True) -> Invitation:
    """Reset a guest's redemption status (B8): same guest, same shares, pending again with a new invitation.

    Their sessions end, and the next redemption decides afresh which way in they have.

    :raises InvitationUnknown: if there is no such guest.
    """
    guest, last = _last(tenant_id, addresses.parse(typed).key)
    guest.state, guest.identity_provider, guest.accepted_at = PENDING, None, None
    guest.codes_void_at = now()
    db.session.flush()
    sessions.end_of_user(guest.id, "redemption status reset")
    invitation = _replace(guest, last, by=by, send_mail=send_mail)
    audit.record("guest.reset", by=by, tenant_id=tenant_id, user_id=guest.id, address=guest.mail)
    return invitation


@operation
def revoke(tenant_id: uuid.UUID, typed: str, *, by: Caller) -> Invitation:
    """Revoke a guest's invitation: its link dies, and who has not accepted yet cannot any more.

    :raises InvitationUnknown: if there is no such guest or invitation.
    """
    guest, invitation = _last(tenant_id, addresses.parse(typed).key)
    standing = update(Invitation).where(Invitation.user_id == guest.id, Invitation.replaced_at.is_(None))
    db.session.execute(standing.values(revoked_at=now()))
    if guest.state == PENDING:
        guest.revoked_at = now()
        db.session.flush()
        sessions.end_of_user(guest.id, "invitation revoked")
    audit.record("invitation.revoked", by=by, tenant_id=tenant_id, user_id=guest.id, address=guest.mail)
    return invitation


@query
def opened(tenant_id: uuid.UUID, ticket: str) -> Opened:
    """Read an invitation link; nothing changes (B18).

    :raises InvitationUnknown: if it is not a link of this tenant, or its guest was deleted.
    """
    try:
        invitation_id = uuid.UUID(signer("invitation").loads(ticket))
    except (BadData, ValueError, TypeError, AttributeError) as fault:
        raise InvitationUnknown("The link is incomplete") from fault
    found = select(Invitation, User).join(User, User.id == Invitation.user_id)
    mine = (Invitation.id == invitation_id, Invitation.tenant_id == tenant_id, User.deleted_at.is_(None))
    row = db.session.execute(found.where(*mine)).first()
    if row is None:
        raise InvitationUnknown("There is no such invitation")
    return Opened(invitation=row[0], user=row[1], what=_title(row[0]))


@operation
def redeem(tenant_id: uuid.UUID, user_id: uuid.UUID, *, by: Caller) -> None:
    """Accept: the guest is a guest from now on, and signs in with a passcode ever after (B7, B19).

    :raises InvitationUnknown: if they may no longer. Doing it twice changes nothing.
    :raises DomainRefused:
    """
    tenant, guest = db.session.get_one(Tenant, tenant_id), db.session.get_one(User, user_id)
    if not policies.allows_address(tenant, guest.mail_key):
        raise DomainRefused(f"{tenant.name} no longer lets guests of {guest.mail.rpartition('@')[2]} in")
    pending = (User.id == user_id, User.tenant_id == tenant_id, User.state == PENDING)
    accepted = (
        update(User)
        .where(*pending, Tenant.id == User.tenant_id, sessions.may_sign_in())
        .values(state=ACCEPTED, identity_provider=PASSCODE, accepted_at=now())
        .returning(User.mail)
    )
    mail = db.session.scalar(accepted, execution_options={"synchronize_session": False})
    if mail is not None:
        audit.record("invitation.redeemed", by=by, tenant_id=tenant_id, user_id=user_id, address=mail)
        return
    db.session.refresh(guest)
    if guest.state != ACCEPTED:
        raise InvitationUnknown("The invitation was revoked")


@operation
def decline(tenant_id: uuid.UUID, session_id: uuid.UUID, *, by: Caller) -> None:
    """Cancel at Review permissions: everything stays as it was, and they are signed out (B19)."""
    sessions.end_one(tenant_id, session_id, "declined")
    audit.record("invitation.declined", by=by, tenant_id=tenant_id)


def link(invitation: Invitation) -> str:
    """Return the invitation's link, from `PUBLIC_URL`."""
    ticket = signer("invitation").dumps(invitation.id.hex)
    return f"{current_app.config['PUBLIC_URL']}/{invitation.tenant_id}/invitations/{ticket}"


@query
def of_guest(user_id: uuid.UUID) -> Invitation | None:
    """Return a guest's newest invitation."""
    mine = select(Invitation).where(Invitation.user_id == user_id)
    return db.session.scalar(mine.order_by(Invitation.created_at.desc()).limit(1))


@outbox.kind("invitation")
def write_letter(letter: Letter) -> letters.Content:
    """Write the letter of an invitation, or drop it when it must not go any more."""
    invitation = db.session.get_one(Invitation, letter.subject_id)
    guest = db.session.get_one(User, invitation.user_id)
    tenant = db.session.get_one(Tenant, invitation.tenant_id)
    if invitation.closed or guest.deleted_at or guest.blocked_at or tenant.disabled_at:
        raise outbox.Dropped(f"the invitation is {invitation.closed or 'over'}")
    return letters.invitation(
        to=guest.mail,
        org=tenant.name,
        domain=tenant.domain,
        inviter=invitation.inviter,
        message=invitation.message,
        url=link(invitation),
        what=_title(invitation),
        privacy_statement_url=tenant.privacy_statement_url,
        help_contact=tenant.help_contact,
    )


def _replace(guest: User, last: Invitation, *, by: Caller, send_mail: bool) -> Invitation:
    """Send a new invitation with the same words in the last one's place; the old link dies."""
    standing = update(Invitation).where(Invitation.user_id == guest.id, Invitation.replaced_at.is_(None))
    db.session.execute(standing.values(replaced_at=now()))
    guest.revoked_at = None
    invitation = Invitation(
        tenant_id=guest.tenant_id,
        user_id=guest.id,
        inviter=by.name or last.inviter,
        message=last.message,
        target=last.target,
        created_at=now(),
    )
    _send(invitation, guest, by=by, send_mail=send_mail)
    return invitation


def _send(invitation: Invitation, guest: User, *, by: Caller, send_mail: bool) -> None:
    db.session.add(invitation)
    if send_mail:
        outbox.post(
            "invitation",
            tenant_id=invitation.tenant_id,
            user_id=guest.id,
            subject_id=invitation.id,
            by=by,
            address=guest.mail,
        )


def _last(tenant_id: uuid.UUID, key: str) -> tuple[User, Invitation]:
    found = select(User, Invitation).join(Invitation, Invitation.user_id == User.id)
    mine = (User.tenant_id == tenant_id, User.mail_key == key, User.deleted_at.is_(None))
    newest = found.where(*mine).order_by(Invitation.created_at.desc()).limit(1)
    row = db.session.execute(newest.with_for_update(of=User)).first()  # two administrators, one after the other
    if row is None:
        raise InvitationUnknown(f"There is no guest {key} with an invitation")
    return row[0], row[1]


def _title(invitation: Invitation) -> str | None:
    """Return the title of the resource an invitation leads to."""
    path = (invitation.target or "").partition("?")[0]
    if not path.startswith("/apps/"):
        return None
    named = (Resource.tenant_id == invitation.tenant_id, Resource.slug == path.removeprefix("/apps/"))
    return db.session.scalar(select(Resource.title).where(*named))


def _check(display_name: str, message: str | None, target: str | None) -> None:
    if len(display_name) > 200:
        raise InvitationRefused("A name has 200 characters at most")
    if len(message or "") > MOST_MESSAGE:
        raise InvitationRefused("A message has 2,000 characters at most")
    if target is not None and (not target.startswith("/") or len(target) > 2000 or not target.isprintable()):
        raise InvitationRefused("Where to land is a path within the tenant, like /apps/welcome-pack")
