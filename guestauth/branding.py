"""Branding: a tenant's logo and colour on the pages its guests see.

What it does: `change` sets or removes them; `logo_or_none` gives the picture.

The one thing to understand: the tenant's row says all that a page needs to be written; the bytes of the logo lie
apart and leave at an address of their own.

What must stay true: a logo is what its first bytes say, small, and stands still; whoever may see a tenant's
sign-in page may see its logo, and nobody else.

Called by the console, the command line and the demo. What the colours become is decided by `colours`.
"""

import hashlib
import uuid
from typing import Any

from sqlalchemy import delete

from guestauth import audit, colours, pictures
from guestauth.audit import Caller
from guestauth.database import Refusal, changed, db, operation, query
from guestauth.languages import N_
from guestauth.models import Logo, Tenant

MOST_BYTES = 64 * 1024
SIDES = range(16, 1025)  # pixels
IN_ROW = ("logo", "logo_width", "logo_height")  # what a tenant's row says of its logo


class BrandingRefused(Refusal):
    """The logo or the colour cannot be; the text says why, `field` which of the two it is: logo or accent."""


@operation
def change(
    tenant_id: uuid.UUID,
    *,
    by: Caller,
    logo: bytes | None = None,
    remove_logo: bool = False,
    accent: str | None = None,
) -> Tenant:
    """Change a tenant's logo and colour, both or neither; what is None stays, an empty colour goes.

    :param logo: a PNG, JPEG, WebP or GIF picture, 64 kB at most, 16 to 1024 pixels wide and high.
    :param remove_logo: whether the logo goes; a new one wins.
    :param accent: like `#2b5797`.
    :raises BrandingRefused: if one is no good; nothing changes.
    """
    tenant = db.session.get_one(Tenant, tenant_id, with_for_update=True)
    wanted: dict[str, Any] = {} if accent is None else {"accent": _colour(accent)}
    new = None if logo is None else _logo(tenant_id, logo)
    if new or remove_logo:
        wanted |= new[1] if new else dict.fromkeys(IN_ROW)
    changes = {key: value for key, value in wanted.items() if value != getattr(tenant, key)}
    before = {key: getattr(tenant, key) for key in changes}
    for key, value in changes.items():
        setattr(tenant, key, value)
    if "logo" in changes:
        changed(delete(Logo).where(Logo.tenant_id == tenant_id))
        if new:
            db.session.add(new[0])
    if changes:
        audit.record("tenant.branded", by=by, tenant_id=tenant_id, before=before, after=changes)
    return tenant


@query
def logo_or_none(tenant: Tenant) -> Logo | None:
    """Return a tenant's logo, if it has one."""
    return db.session.get(Logo, tenant.id)


def _colour(typed: str) -> str | None:
    """Read a colour; None if nothing is typed."""
    colour = colours.parsed(typed)
    if colour is None and typed.strip():
        words = N_("Write the colour as # and six digits or letters from a to f, like #2b5797")
        raise BrandingRefused(words, "accent")
    return colour


def _logo(tenant_id: uuid.UUID, content: bytes) -> tuple[Logo, dict[str, Any]]:
    """Return a logo, and what the tenant's row says of it."""
    picture = _picture(content)
    described = (hashlib.sha256(content).hexdigest()[:16], picture.width, picture.height)
    logo = Logo(tenant_id=tenant_id, media_type=picture.media_type, content=content)
    return logo, dict(zip(IN_ROW, described, strict=True))


def _picture(content: bytes) -> pictures.Picture:
    if len(content) > MOST_BYTES:
        raise BrandingRefused(N_("The file is too large: a logo has 64 kB at most"), "logo")
    picture = pictures.read(content)
    if picture is None:
        words = N_("The file is not a picture we can show. Choose a PNG, JPEG, WebP or GIF file")
        raise BrandingRefused(words, "logo")
    if picture.width not in SIDES or picture.height not in SIDES:
        words = N_("A logo is 16 to 1024 pixels wide and high. This one is %(size)s", size=picture.size)
        raise BrandingRefused(words, "logo")
    if picture.moves:
        raise BrandingRefused(N_("The picture moves. Choose one that stands still"), "logo")
    return picture
