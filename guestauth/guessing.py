"""Guessing: wrong codes in a row, counted for each address of a tenant.

What it does: `wrong` counts one and, when there are too many, tells the audit log and the administrators; `right`
begins anew; `is_guessed` says whether there were too many.

The one thing to understand: guessing ends no sign-in and shuts nobody out. It lowers what browsers get that are
not known to be the guest's own: one code in 24 hours, so five tries; their own browser and invitation go on.

Called by sign-in, sending codes and the outbox. It compares no codes.
"""

from sqlalchemy import select

from guestauth import audit, letters, limits, outbox
from guestauth.audit import Caller
from guestauth.database import db
from guestauth.languages import N_
from guestauth.models import Letter, SignIn, Tenant, User


def wrong(sign_in: SignIn, *, by: Caller) -> None:
    """Count a wrong code, in the transaction under way."""
    limit, row = limits.WRONG_CODES, _row(sign_in)
    warned = limits.of_tenant(limits.WARNINGS, sign_in.tenant_id)
    ledger = limits.opened([row, warned])
    too_many = ledger.next_at(limit, row) is not None
    ledger.charge({(limit, row): int(not too_many)})
    if too_many or ledger.next_at(limit, row) is None:
        return
    tenant_id, user_id, address = sign_in.tenant_id, sign_in.user_id, sign_in.address
    audit.record("limit.reached", by=by, tenant_id=tenant_id, user_id=user_id, address=address, limit=limit.name)
    if ledger.next_at(limits.WARNINGS, warned) is None:
        ledger.charge({(limits.WARNINGS, warned): 1})
        _warn(sign_in, by)


def right(sign_in: SignIn) -> None:
    """Begin anew, since the address's owner was here; in the transaction under way."""
    limits.forget(_row(sign_in))


def is_guessed(sign_in: SignIn) -> bool:
    """Whether too many wrong codes were entered in a row for the address of a sign-in."""
    return limits.is_used_up(limits.WRONG_CODES, _row(sign_in))


@outbox.kind("warning")
def write_letter(letter: Letter) -> letters.Content:
    """Write the letter that tells an administrator, if they still are one."""
    found = select(User, Tenant).join(Tenant, Tenant.id == User.tenant_id).where(User.id == letter.user_id)
    user, tenant = db.session.execute(found).one()
    if not user.is_administrator or user.deleted_at or user.blocked_at or tenant.disabled_at:
        raise outbox.Dropped(N_("no administrator any more"))
    return letters.warning(to=user.mail, org=tenant.name, guessed=letter.facts["guessed"], lang=tenant.language)


def _row(sign_in: SignIn) -> limits.Row:
    return limits.of_address(limits.WRONG_CODES, sign_in.tenant_id, sign_in.mail_key)


def _warn(sign_in: SignIn, by: Caller) -> None:
    """Post a letter to each administrator: one a day, whatever the address."""
    active = (User.is_administrator, User.deleted_at.is_(None), User.blocked_at.is_(None))
    administrators = select(User.id, User.mail).where(User.tenant_id == sign_in.tenant_id, *active)
    for user_id, mail in db.session.execute(administrators):
        outbox.post(
            "warning",
            tenant_id=sign_in.tenant_id,
            user_id=user_id,
            subject_id=sign_in.id,
            by=by,
            address=mail,
            guessed=sign_in.address,
        )
