"""Import files: lists of guests to invite, in the original's bulk-invite format (B20).

What it does: `planned` reads a file and says of each line whether its guest would be invited, and why not.

The one thing to understand: columns are known by the name in square brackets in their title, in any order. The
line `version:v1.0` above the titles may be missing; another version is refused.

What must stay true: a file is good as a whole or refused as a whole; a line is good or has a reason; nothing is
kept here.

Called by the console and the command line, which hand the plan to `imports`.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from flask import current_app
from sqlalchemy import select

from guestauth import addresses, audit, invitations, policies, spreadsheets, tenants
from guestauth.database import Refusal, db, query
from guestauth.languages import N_
from guestauth.models import Tenant, User

VERSION = "version:v1.0"
COLUMNS = {  # as the original's template has them
    "inviteeEmail": "Email address to invite [inviteeEmail] Required",
    "inviteRedirectURL": "Redirection url [inviteRedirectURL] Required",
    "sendEmail": "Send invitation message (true or false) [sendEmail]",
    "customizedMessageBody": "Customized invitation message [customizedMessageBody]",
    "inviteeName": "Name of invitee [inviteeName]",
}
REQUIRED = ("inviteeEmail", "inviteRedirectURL")
SEND = {"true": True, "false": False, "": False}  # empty is false, as in the original
MOST_ROWS = 10_000
TOO_MANY_CELLS = N_("The line has more than there are columns: a message with commas stands in quotes")
SKIPPED, DOUBLED, REFUSED = "skipped", "doubled", "refused"
Row = tuple[int, list[str]]  # its number, its cells


class ImportFileRefused(Refusal):
    """The file is no list of guests to invite; the text says why."""


class LineRefused(Refusal):
    """A line cannot be used; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a file, and what would become of it; an `outcome` of None: its guest would be invited."""

    n: int  # as a spreadsheet shows it
    mail: str
    display_name: str
    message: str
    target: str
    send_mail: bool = False
    outcome: str | None = None
    reason: str | None = None  # a `Text`

    def ended(self, outcome: str, reason: str) -> "Line":
        """Return the line with what became of it."""
        return replace(self, outcome=outcome, reason=reason)


@query
def planned(tenant_id: uuid.UUID, content: bytes) -> list[Line]:
    """Read a file and say what would become of each line; nothing is kept.

    :raises NotASpreadsheet: :raises ImportFileRefused:
    """
    places, table = _columns(spreadsheets.read(content))
    if not table:
        raise ImportFileRefused(N_("The file has no guests: write each on a line below the titles of the columns"))
    if len(table) > MOST_ROWS:
        raise ImportFileRefused(
            N_(
                "The file has %(count)s guests; %(most)s are the most in one file",
                count=len(table),
                most=MOST_ROWS,
            )
        )
    tenant, names = db.session.get_one(Tenant, tenant_id), {str(tenant_id), *tenants.domains(tenant_id)}
    return _compared(tenant, [_read(tenant, names, places, row) for row in table])


def _columns(table: list[Row]) -> tuple[dict[str, int], list[Row]]:
    """Find the place of each column, and the rows below their titles."""
    version = table[0][1][0].strip().lower() if table else ""
    if version.startswith("version:"):
        table = table[1:]
        if version != VERSION:
            raise ImportFileRefused(
                N_("The file says %(found)s; only %(known)s is known", found=version[:50], known=VERSION)
            )
    if not table:
        raise ImportFileRefused(N_("The file is empty"))
    places: dict[str, int] = {}
    for place, title in enumerate(table[0][1]):
        if title.strip():
            name = _name(title)
            if name in places:
                raise ImportFileRefused(N_("The file has the column %(column)s twice", column=f"[{name}]"))
            places[name] = place
    missing = [f"[{name}]" for name in REQUIRED if name not in places]
    if missing:
        raise ImportFileRefused(
            N_("The file lacks a column that is required: %(columns)s", columns=", ".join(missing))
        )
    return places, table[1:]


def _name(title: str) -> str:
    known = {name.lower(): name for name in COLUMNS}
    name = known.get(title.partition("[")[2].partition("]")[0].strip().lower())
    if name is None:
        columns = ", ".join(f"[{each}]" for each in COLUMNS)
        text = N_(
            "The file has a column that is not known: %(column)s. The columns are %(columns)s",
            column=title.strip()[:100],
            columns=columns,
        )
        raise ImportFileRefused(text)
    return name


def _read(tenant: Tenant, names: set[str], places: Mapping[str, int], row: Row) -> tuple[Line, User | None]:
    """Read a line; there is no guest if it is refused."""
    n, cells = row
    said = {name: cells[place].strip() for name, place in places.items() if place < len(cells)}
    mail, send, target = (said.get(name, "") for name in ("inviteeEmail", "sendEmail", "inviteRedirectURL"))
    message, display_name = said.get("customizedMessageBody", ""), said.get("inviteeName", "")
    line = Line(n=n, mail=mail, display_name=display_name, message=message, target=target)
    try:
        if any(cell.strip() for place, cell in enumerate(cells) if place not in places.values()):
            raise LineRefused(TOO_MANY_CELLS)
        guest = invitations.described(tenant.id, mail, display_name=display_name)
        if send.lower() not in SEND:
            raise LineRefused(N_("[sendEmail] is true or false, not %(found)s", found=audit.one_line(send[:50])))
        line = replace(line, target=_target(tenant, names, target), send_mail=SEND[send.lower()])
        invitations.check(invitations.Words(message=message, target=line.target or None))
    except addresses.NotAnAddress:
        why = N_("The address is not like name@example.com") if mail else N_("There is no address")
        return line.ended(REFUSED, why), None
    except Refusal as refusal:
        return line.ended(REFUSED, refusal.text), None
    return line, guest


def _target(tenant: Tenant, names: set[str], typed: str) -> str:
    """Return the path within the tenant that an address of ours leads to; empty is the list of apps."""
    public = current_app.config["PUBLIC_URL"]
    elsewhere = LineRefused(
        N_(
            "[inviteRedirectURL] is an address like %(example)s, or just %(path)s, or empty; not another site",
            example=f"{public}/{tenant.domain}/apps/welcome-pack",
            path="/apps/welcome-pack",
        )
    )
    try:
        parts = urlsplit(typed)
    except ValueError as fault:
        raise elsewhere from fault
    whole = bool(parts.scheme or parts.netloc)
    if f"{parts.scheme}://{parts.netloc}".lower() != public if whole else not typed.startswith("/") and typed:
        raise elsewhere
    first, _, rest = parts.path.removeprefix("/").partition("/")
    reference = tenants.reference_or_none(unquote(first))
    if str(reference) in names:
        path = f"/{rest}"
    elif whole or reference:
        raise elsewhere
    else:
        path = parts.path
    target = f"{path}?{parts.query}" if parts.query else path
    return "" if target == "/" else target


def _compared(tenant: Tenant, read: Sequence[tuple[Line, User | None]]) -> list[Line]:
    """Say of each line what the tenant's domains, its guests and the lines above it make of it."""
    domains, seen = policies.domain_list(tenant.policy), dict[str, int]()
    taken = _taken(tenant.id, [guest.mail_key for _, guest in read if guest])
    plan = []
    for line, guest in read:
        if guest is None:
            plan.append(line)
        elif domains and not domains.allows(guest.mail_key):
            domain = guest.mail_key.rpartition("@")[2]
            plan.append(line.ended(REFUSED, N_(invitations.NOT_LET_IN, org=tenant.name, domain=domain)))
        elif guest.mail_key in taken:
            plan.append(line.ended(SKIPPED, N_(invitations.TAKEN, mail=guest.mail)))
        elif guest.mail_key in seen:
            plan.append(line.ended(DOUBLED, N_("Line %(line)s has the same address", line=seen[guest.mail_key])))
        else:
            seen[guest.mail_key] = line.n
            plan.append(line)
    return plan


def _taken(tenant_id: uuid.UUID, keys: Sequence[str]) -> set[str]:
    """Return which of the addresses are somebody's already."""
    there = select(User.mail_key).where(User.tenant_id == tenant_id, User.deleted_at.is_(None))
    parts = (keys[start : start + 500] for start in range(0, len(keys), 500))
    return {key for part in parts for key in db.session.scalars(there.where(User.mail_key.in_(part)))}
