"""Invitations: how somebody becomes a guest (B16 to B20).

What it does: `invite`, `resend`, `reset`, `revoke`; `opened` reads an invitation link.

The one thing to understand: the ticket in the link is the invitation's id, signed. It names the invitation
and fills in the address; it carries no authority, and nothing of it is stored.

What must stay true: opening a link changes nothing; a link dies when revoked or replaced and lives on after
redemption (`redemptions.py`).

Called by the command line, the console and the invitation page. It sends no code.
"""

import uuid
from dataclasses import asdict, dataclass

from flask import current_app
from itsdangerous import BadData
from sqlalchemy import select, update

from guestauth import addresses, audit, languages, letters, limits, outbox, policies, sessions
from guestauth.audit import Caller
from guestauth.database import Refusal, db, now, operation, query, refusing_doubles
from guestauth.keys import signer
from guestauth.languages import N_
from guestauth.models import PENDING, Invitation, Letter, Resource, Tenant, User

MOST_MESSAGE = 2000  # characters
OVER = {"revoked": N_("the invitation is revoked"), "replaced": N_("the invitation is replaced")}
TAKEN = N_("%(mail)s is a guest already; nothing was changed")
NOT_LET_IN = N_("%(org)s does not let guests of %(domain)s in")


class AlreadyAGuest(Refusal):
    """The address is a guest or a member of the tenant already; nothing was changed (B20)."""


class DomainRefused(Refusal):
    """The tenant's list of domains does not let the address in (B21)."""


class InvitationUnknown(Refusal):
    """The link names no invitation of this tenant, or the guest has none."""


class InvitationRefused(Refusal):
    """The invitation cannot be made as described: its display_name, message, redirect or language."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """What an invitation says, where it leads, and in which language it is written."""

    message: str | None = None
    target: str | None = None
    language: str | None = None


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
    language: str | None = None,
    send_mail: bool = True,
    user_id: uuid.UUID | None = None,
) -> Invitation:
    """Invite somebody to be a guest; nothing tells which way in they will have (B9).

    :param message: the inviter's own words, 2,000 characters at most.
    :param target: path within the tenant where they land, like `/apps/welcome-pack`.
    :param language: tag of the letter's language; None: the tenant's.
    :raises AlreadyAGuest: and nothing changes.
    :raises NotAnAddress: :raises InvitationRefused: :raises DomainRefused: :raises LimitReached:
    """
    guest = described(tenant_id, typed, display_name=display_name, user_id=user_id)
    words = Words(message=message, target=target, language=language)
    return add(guest, words, send_mail=send_mail, by=by)


def described(tenant_id: uuid.UUID, typed: str, *, display_name: str, user_id: uuid.UUID | None = None) -> User:
    """Return the guest that an invitation would make; nothing is kept.

    :raises NotAnAddress: :raises InvitationRefused:
    """
    address = addresses.parse(typed)
    if len(display_name) > 200:
        raise InvitationRefused(N_("A name has %(most)s characters at most", most=200), "display_name")
    return User(
        id=user_id or uuid.uuid4(),
        tenant_id=tenant_id,
        mail=address.mail,
        mail_key=address.key,
        display_name=audit.one_line(display_name.strip()),
        state=PENDING,
        created_at=now(),
    )


def add(guest: User, words: Words, *, send_mail: bool, by: Caller) -> Invitation:
    """Invite who was described, in the transaction under way; refuses as `invite` does."""
    check(words)
    tenant = _check_invitable(guest, send_mail=send_mail, by=by)
    with refusing_doubles(AlreadyAGuest(N_(TAKEN, mail=guest.mail))):
        db.session.add(guest)
    invitation = _send(guest, words, inviter=(by.name or tenant.name)[:200], send_mail=send_mail, by=by)
    audit.record("guest.invited", by=by, tenant_id=tenant.id, user_id=guest.id, address=guest.mail)
    return invitation


@operation
def resend(tenant_id: uuid.UUID, who: str | uuid.UUID, *, by: Caller, send_mail: bool = True) -> Invitation:
    """Send a pending guest a new invitation with the same words; the old link dies.

    :raises InvitationUnknown: if there is no such guest, or they have accepted.
    :raises DomainRefused: :raises InvitationRefused: if they are blocked. :raises LimitReached:
    """
    guest, last = _last(tenant_id, who)
    if guest.state != PENDING:
        raise InvitationUnknown(N_("%(mail)s has accepted already", mail=guest.mail))
    _check_invitable(guest, send_mail=send_mail, by=by)
    invitation = _replace(guest, last, by=by, send_mail=send_mail)
    audit.record("invitation.resent", by=by, tenant_id=tenant_id, user_id=guest.id, address=guest.mail)
    return invitation


@operation
def reset(tenant_id: uuid.UUID, who: str | uuid.UUID, *, by: Caller, send_mail: bool = True) -> Invitation:
    """Reset a guest's redemption status (B8): same guest, same shares, pending again with a new invitation.

    Their sessions end, and the next redemption decides afresh which way in they have.

    :raises InvitationUnknown: if there is no such guest.
    :raises DomainRefused: :raises InvitationRefused: if they are blocked. :raises LimitReached:
    """
    guest, last = _last(tenant_id, who)
    _check_invitable(guest, send_mail=send_mail, by=by)
    guest.state, guest.accepted_at, guest.identity_provider = PENDING, None, None
    guest.codes_void_at = now()
    db.session.flush()
    sessions.end_of_user(guest.id, "redemption status reset")
    invitation = _replace(guest, last, by=by, send_mail=send_mail)
    audit.record("guest.reset", by=by, tenant_id=tenant_id, user_id=guest.id, address=guest.mail)
    return invitation


@operation
def revoke(tenant_id: uuid.UUID, who: str | uuid.UUID, *, by: Caller) -> Invitation:
    """Revoke a guest's invitation: its link dies, and who has not accepted yet cannot any more.

    :raises InvitationUnknown: if there is no such guest or invitation.
    """
    guest, invitation = _last(tenant_id, who)
    standing = update(Invitation).where(Invitation.user_id == guest.id, Invitation.replaced_at.is_(None))
    db.session.execute(standing.values(revoked_at=now()))
    if guest.state == PENDING:
        guest.revoked_at = guest.codes_void_at = now()
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
        raise InvitationUnknown(N_("The link is incomplete")) from fault
    found = select(Invitation, User).join(User, User.id == Invitation.user_id)
    mine = (Invitation.id == invitation_id, Invitation.tenant_id == tenant_id, User.deleted_at.is_(None))
    row = db.session.execute(found.where(*mine)).first()
    if row is None:
        raise InvitationUnknown(N_("There is no such invitation"))
    return Opened(invitation=row[0], user=row[1], what=_title(row[0]))


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
        raise outbox.Dropped(OVER.get(invitation.closed or "", N_("the invitation is over")))
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
        lang=invitation.language or tenant.language,
    )


def _replace(guest: User, last: Invitation, *, by: Caller, send_mail: bool) -> Invitation:
    """Send a new invitation with the same words in the last one's place; the old link dies."""
    standing = update(Invitation).where(Invitation.user_id == guest.id, Invitation.replaced_at.is_(None))
    db.session.execute(standing.values(replaced_at=now()))
    guest.revoked_at = None
    words = Words(message=last.message, target=last.target, language=last.language)
    return _send(guest, words, inviter=(by.name or last.inviter)[:200], send_mail=send_mail, by=by)


def _check_invitable(guest: User, *, send_mail: bool, by: Caller) -> Tenant:
    """Refuse to invite who could not come, of a domain that is not let in, or blocked; or to fill a mailbox."""
    tenant = db.session.get_one(Tenant, guest.tenant_id)
    if not policies.allows_address(tenant, guest.mail_key):
        domain = guest.mail_key.rpartition("@")[2]
        raise DomainRefused(N_(NOT_LET_IN, org=tenant.name, domain=domain), "email")
    if guest.blocked_at:
        raise InvitationRefused(N_("%(mail)s is blocked; unblock them first", mail=guest.mail))
    same = (User.tenant_id == tenant.id, User.mail_key == guest.mail_key, User.id != guest.id)
    if db.session.scalar(select(User.id).where(*same, User.deleted_at.is_(None))):
        raise AlreadyAGuest(N_(TAKEN, mail=guest.mail))
    if send_mail:
        row = limits.of_address(limits.INVITATIONS, tenant.id, guest.mail_key)
        limits.spend(limits.INVITATIONS, row, by=by, tenant_id=tenant.id, address=guest.mail)
    return tenant


def _send(guest: User, words: Words, *, inviter: str, send_mail: bool, by: Caller) -> Invitation:
    """Make an invitation and post its letter."""
    moment = guest.invited_at = now()
    tenant_id, user_id = guest.tenant_id, guest.id
    invitation = Invitation(
        tenant_id=tenant_id, user_id=user_id, inviter=inviter, created_at=moment, **asdict(words)
    )
    db.session.add(invitation)
    if send_mail:
        to, about = guest.mail, invitation.id
        outbox.post("invitation", tenant_id=tenant_id, user_id=user_id, subject_id=about, by=by, address=to)
    return invitation


def _last(tenant_id: uuid.UUID, who: str | uuid.UUID) -> tuple[User, Invitation]:
    """Return the guest with that address or id, not a deleted one, and their newest invitation."""
    found = select(User, Invitation).join(Invitation, Invitation.user_id == User.id)
    named = User.id == who if isinstance(who, uuid.UUID) else User.mail_key == addresses.parse(who).key
    mine = found.where(User.tenant_id == tenant_id, named, User.deleted_at.is_(None))
    newest = mine.order_by(Invitation.created_at.desc()).limit(1)
    row = db.session.execute(newest.with_for_update(of=User)).first()  # two administrators, one after the other
    if row is None:
        raise InvitationUnknown(N_("There is no guest %(who)s with an invitation", who=who))
    return row[0], row[1]


def _title(invitation: Invitation) -> str | None:
    """Return the title of the resource an invitation leads to."""
    path = (invitation.target or "").partition("?")[0]
    if not path.startswith("/apps/"):
        return None
    named = (Resource.tenant_id == invitation.tenant_id, Resource.slug == path.removeprefix("/apps/"))
    return db.session.scalar(select(Resource.title).where(*named))


def check(words: Words) -> None:
    """Refuse words that are too long, what is no path to land on, and a language that is none of ours."""
    target = words.target
    if len(words.message or "") > MOST_MESSAGE:
        raise InvitationRefused(N_("A message has %(most)s characters at most", most=MOST_MESSAGE), "message")
    if target is not None and (not target.startswith("/") or len(target) > 2000 or not target.isprintable()):
        text = N_("Where to land is a path within the tenant, like %(path)s", path="/apps/welcome-pack")
        raise InvitationRefused(text, "redirect")
    if words.language not in (None, *languages.LOCALES):
        raise InvitationRefused(N_("The languages are %(tags)s", tags=", ".join(languages.LOCALES)), "language")
