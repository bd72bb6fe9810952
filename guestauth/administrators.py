"""Administrators: the members of a tenant who use its console (B34).

What it does: `add`, `remove`, `listed`, `find`.

The one thing to understand: an administrator is a member, never a guest. Being added sends nothing; they
sign in at the console with a code that is mailed to their address, like everybody.

What must stay true: a tenant that has an administrator keeps one, whoever removes whom at the same time; who
is removed is signed out at once and for good.

Called by the console and the command line. The first one is made with the tenant.
"""

import uuid
from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, select

from guestauth import addresses, audit, sessions, tenants
from guestauth.audit import Caller
from guestauth.database import Refusal, db, now, operation, query, refusing_doubles
from guestauth.languages import N_
from guestauth.models import Tenant, User

MOST_NAME = 200  # characters


class AdministratorRefused(Refusal):
    """The administrator cannot be as described; the text says why."""


class AddressTaken(Refusal):
    """The address is a guest's or an administrator's already; nothing was changed."""


class AdministratorUnknown(Refusal):
    """The tenant has no such administrator."""


class LastAdministrator(Refusal):
    """The tenant has no other administrator."""


@query
def listed(tenant_id: uuid.UUID) -> Sequence[User]:
    """Return a tenant's administrators, by address."""
    return db.session.scalars(select(User).where(_of(tenant_id)).order_by(User.mail_key)).all()


@query
def find(tenant_id: uuid.UUID, which: uuid.UUID | str) -> User:
    """Return the administrator with that id or address.

    :raises AdministratorUnknown: :raises NotAnAddress:
    """
    same = User.id == which if isinstance(which, uuid.UUID) else User.mail_key == addresses.parse(which).key
    user = db.session.scalar(select(User).where(_of(tenant_id), same))
    if user is None:
        raise AdministratorUnknown(N_("There is no administrator %(who)s", who=which))
    return user


@operation
def add(tenant_id: uuid.UUID, typed: str, *, by: Caller, display_name: str = "") -> User:
    """Make somebody an administrator. No mail goes out: a link in it would be one more to trust.

    :raises NotAnAddress: :raises AdministratorRefused:
    :raises AddressTaken: if the address is a guest's or an administrator's.
    """
    address, name = addresses.parse(typed), audit.one_line(display_name).strip()
    if not addresses.is_text(name, most=MOST_NAME):
        raise AdministratorRefused(N_("A name has %(most)s characters at most", most=MOST_NAME), "display_name")
    same = (User.tenant_id == tenant_id, User.mail_key == address.key, User.deleted_at.is_(None))
    there = db.session.scalar(select(User).where(*same))
    if there and there.is_guest:
        raise AddressTaken(
            N_("%(mail)s is a guest. Delete that guest first, or use another address.", mail=address.mail), "email"
        )
    taken = AddressTaken(N_("%(mail)s is an administrator already", mail=address.mail), "email")
    user = tenants.administrator_of(tenant_id, address, display_name=name)
    with refusing_doubles(taken):
        db.session.add(user)
    audit.record("administrator.added", by=by, tenant_id=tenant_id, user_id=user.id, address=user.mail)
    return user


@operation
def remove(tenant_id: uuid.UUID, user_id: uuid.UUID, *, by: Caller) -> User:
    """Remove an administrator: they are nobody here from now on, and their sessions end at once and for good.

    :raises AdministratorUnknown: :raises LastAdministrator:
    """
    db.session.get_one(Tenant, tenant_id, with_for_update=True)  # the other removal waits for this one
    user = find(tenant_id, user_id)
    if len(listed(tenant_id)) == 1:
        raise LastAdministrator(N_("%(mail)s is the only administrator; add another one first", mail=user.mail))
    user.is_administrator, user.deleted_at, user.codes_void_at = False, now(), now()
    db.session.flush()
    ended = sessions.end_of_user(user.id, "administrator removed")
    audit.record(
        "administrator.removed", by=by, tenant_id=tenant_id, user_id=user.id, address=user.mail, sessions=ended
    )
    return user


def _of(tenant_id: uuid.UUID) -> ColumnElement[bool]:
    return and_(User.tenant_id == tenant_id, User.is_administrator, User.deleted_at.is_(None))
