"""The demo's cast: three tenants, their guests and what they share (INTERFACE, "The demo's cast").

What it does: `load` adds what is missing of the cast; `reset` throws everything away and loads it anew;
`living` counts what the clock can end; `asked_by` finds where a code in a letter is entered.

The one thing to understand: it uses the same operations as everybody, so the cast can do what real guests
can. Ids are derived from names, so that they are the same at every load.

What must stay true: it runs in demo mode only; it is idempotent.

Called by the command line and the `/dev` pages.
"""

import base64
import shutil
import uuid
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import delete, func, select

from guestauth import (
    audit,
    branding,
    guests,
    identity_providers,
    invitations,
    mailbox,
    outbox,
    policies,
    redemptions,
    resources,
    stand_in,
    tenants,
)
from guestauth.audit import Caller
from guestauth.database import Model, Refusal, db, move_clock, now, operation, query
from guestauth.descriptions import Described
from guestauth.models import GOOGLE, IdentityProvider, Letter, Passcode, Session, SignIn

FABRIKAM = uuid.UUID("fab00000-0000-4000-8000-000000000001")
CONTOSO = uuid.UUID("c0a00000-0000-4000-8000-000000000002")
WOODGROVE = uuid.UUID("a00d0000-0000-4000-8000-000000000003")
CAST = {FABRIKAM: ("Fabrikam", "fabrikam.example"), CONTOSO: ("Contoso", "contoso.example")}
CAST[WOODGROVE] = ("Woodgrove", "woodgrove.example")
INVITER = Caller(actor="command line", name="Robin Meyer")
WELCOME = """Welcome to Fabrikam.

You are here as a guest. On this page you find what Fabrikam shares with you.
Ask Robin Meyer if something is missing."""
ACCENT = "#b4530a"
LOGO = base64.b64decode(  # a fir in that colour, a PNG of 64 × 64 pixels
    b"iVBORw0KGgoAAAANSUhEUgAAAEAAAABABAMAAABYR2ztAAAAMFBMVEW0Uwq0Uwq0Uwq0Uwq0Uwq0Uwq0Uwq0Uwq0Uwq0Uwq0Uwq0"
    b"Uwq0Uwq0Uwq0Uwq0UwrMVcVIAAAAEHRSTlMAESIzRFVmd4iZqrvM3e7/dpUBFQAAAQ1JREFUeNrdlM0NgkAQhUHwIGikACRUYKzA"
    b"WIKdWIIlYAdYgiVIBWoJagF4UjYhjPFnw7LMzCZejL7rfLw3OzuLZf2junMDEB0NQCr4ugswY4ERwIEFEoDCkMBnDB7Ank9gMxx4"
    b"akIC/Rew5ROYjA68FROAL4ENASwlcCMScglUMZ9AZSxq4IrV7bwGqgABPFC0xvdRlqm9nErgjNftnQTKAAU8UwtJDRTkuklhazdW"
    b"gRPXItFmDxpa0XdN3LgLmvQ2Ix3QX/lOB0q2RbRNR90H7O2E6ufZB4MKmx1kvAFiEeqHyHiDloXfnkPz8aRtQBgG2RxligHCYKBa"
    b"pDggDAbY3llDgAv7r/4J4Cu6A1BkTgJaLngCAAAAAElFTkSuQmCC"
)
TRAIL_MAP = """Start at the oak by the gate and follow the red marks.

The bridge over the creek is open from May to October."""
MESSAGE = "Hello Alex,\n\nhere is the plan we spoke about. Tell me what you think.\n\nRobin"


class NotTheDemo(Refusal):
    """Demo data is for demo mode only."""


def load() -> None:
    """Add what is missing of the cast.

    :raises NotTheDemo:
    """
    if not current_app.config["GUESTAUTH_DEMO"]:
        raise NotTheDemo("Demo data is for demo mode only: set GUESTAUTH_DEMO=on")
    for tenant_id, (name, domain) in CAST.items():
        with suppress(tenants.TenantTaken):
            _tenant(tenant_id, name, domain)
    branding.change(WOODGROVE, logo=LOGO, accent=ACCENT, by=audit.COMMAND_LINE)
    _resources()
    _guest(FABRIKAM, "nicole@firstup.example", "Nicole Wagner", accepted=True)
    _guest(FABRIKAM, "alexdoe@gmail.com", "Alex Doe", message=MESSAGE, target="/apps/project-plan")
    _guest(CONTOSO, "stranded@firstup.example", "Sasha Ortiz", accepted=True)
    policies.turn_passcodes(CONTOSO, on=False, by=audit.COMMAND_LINE)
    for mail, slug in (
        ("alexdoe@gmail.com", "project-plan"),
        ("nicole@firstup.example", "project-plan"),
        ("nicole@firstup.example", "expense-portal"),
    ):
        with suppress(guests.GuestUnknown):
            user = guests.find(FABRIKAM, mail)
            resources.share(FABRIKAM, slug, user_id=user.id, by=audit.COMMAND_LINE)
    resources.share(FABRIKAM, "welcome-pack", user_id=None, by=audit.COMMAND_LINE)
    _woodgrove()


def reset() -> None:
    """Throw away every row and letter, put the clock right and load the cast.

    :raises NotTheDemo:
    """
    if not current_app.config["GUESTAUTH_DEMO"]:
        raise NotTheDemo("Demo data is for demo mode only: set GUESTAUTH_DEMO=on")
    shutil.rmtree(
        Path(current_app.config["INSTANCE_PATH"]) / "faults", ignore_errors=True
    )  # first: one stops writing
    _clear()
    mailbox.empty()
    move_clock(None)
    load()


@query
def living() -> dict[str, int]:
    """Count what time can end: codes that work, and sessions."""
    codes = select(func.count()).select_from(Passcode).join(SignIn, SignIn.id == Passcode.sign_in_id)
    sessions = select(func.count()).select_from(Session)
    return {
        "code": db.session.scalar(
            codes.where(Passcode.expires_at > now(), SignIn.consumed_at.is_(None), SignIn.user_id.is_not(None))
        )
        or 0,
        "session": db.session.scalar(sessions.where(Session.expires_at > now(), Session.ended_at.is_(None))) or 0,
    }


@query
def asked_by(letter_ids: Iterable[str]) -> dict[str, tuple[uuid.UUID, uuid.UUID]]:
    """Return the tenant and the sign-in of each of these letters that carries a code."""
    known = [uuid.UUID(each) for each in letter_ids if len(each) == 36]
    codes = select(Letter).where(Letter.id.in_(known), Letter.kind == outbox.URGENT)
    return {str(letter.id): (letter.tenant_id, letter.subject_id) for letter in db.session.scalars(codes)}


@operation
def _clear() -> None:
    for table in reversed(Model.metadata.sorted_tables):
        db.session.execute(delete(table))


def _tenant(tenant_id: uuid.UUID, name: str, domain: str) -> None:
    tenants.create(
        name,
        domains=[domain],
        tenant_id=tenant_id,
        administrator=f"admin@{domain}",
        administrator_id=uuid.uuid5(tenant_id, f"admin@{domain}"),
        help_contact=f"admin@{domain}",
        by=audit.COMMAND_LINE,
    )


def _woodgrove() -> None:
    """Let Woodgrove's guests of Google addresses sign in there; Riley accepted with a code before that (B7)."""
    _resource(WOODGROVE, "trail-map", "Trail map", text=TRAIL_MAP)
    resources.share(WOODGROVE, "trail-map", user_id=None, by=audit.COMMAND_LINE)
    google = _google()
    if google is None:
        _guest(WOODGROVE, "riley.moore@gmail.com", "Riley Moore", accepted=True)
    elif google.issuer != stand_in.issuer():  # the demo was on another port
        identity_providers.remove(google.id, tenant_id=WOODGROVE, by=audit.COMMAND_LINE)
        google = None
    if google is None:
        identity_providers.add(
            Described(
                kind=GOOGLE,
                client_id=stand_in.CLIENT_ID,
                client_secret=stand_in.client_secret(),
                issuer=stand_in.issuer(),
            ),
            tenant_id=WOODGROVE,
            provider_id=uuid.uuid5(WOODGROVE, GOOGLE),
            by=audit.COMMAND_LINE,
        )
    _guest(WOODGROVE, "jamie.wood@gmail.com", "Jamie Wood", target="/apps/trail-map")
    _guest(WOODGROVE, "casey@firstup.example", "Casey Jensen", target="/apps/trail-map")


def _google() -> IdentityProvider | None:
    found = identity_providers.listed(WOODGROVE)
    return next((each.provider for each in found if each.provider.kind == GOOGLE), None)


def _guest(
    tenant_id: uuid.UUID,
    mail: str,
    name: str,
    *,
    accepted: bool = False,
    message: str | None = None,
    target: str | None = None,
) -> None:
    user_id = uuid.uuid5(tenant_id, mail)
    with suppress(invitations.AlreadyAGuest):
        invitations.invite(
            tenant_id,
            mail,
            by=INVITER,
            display_name=name,
            message=message,
            target=target,
            send_mail=message is not None,
            user_id=user_id,
        )
        if accepted:
            redemptions.redeem(tenant_id, user_id, by=audit.COMMAND_LINE)


def _resources() -> None:
    cast: dict[str, tuple[str, dict[str, Any]]] = {
        "welcome-pack": ("Welcome pack", {"text": WELCOME}),
        "project-plan": ("Project plan", {"file": ("project-plan.pdf", _pdf("Fabrikam project plan"))}),
        "expense-portal": ("Expense portal", {"url": "https://expenses.fabrikam.example/"}),
    }
    for slug, (title, what) in cast.items():
        _resource(FABRIKAM, slug, title, **what)


def _resource(tenant_id: uuid.UUID, slug: str, title: str, **what: Any) -> None:
    resource_id = uuid.uuid5(tenant_id, slug)
    with suppress(resources.ResourceTaken):
        resources.add(tenant_id, slug, title=title, resource_id=resource_id, by=audit.COMMAND_LINE, **what)


def _pdf(words: str) -> bytes:
    """Write a one-page PDF with a line of text (PDF 1.4; the offsets are counted as it is written)."""
    stream = f"BT /F1 24 Tf 72 720 Td ({words}) Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    file, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(file))
        file += b"%d 0 obj%s endobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(file)
    file += b"xref\n0 6\n0000000000 65535 f \n" + table
    return file + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start
