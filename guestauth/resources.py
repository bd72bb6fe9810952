"""Resources: what a tenant shares with its guests.

What it does: `add`, `edit`, `remove`, `share`, `unshare`; `of_user` and `find` tell what a guest may see.

The one thing to understand: a guest sees a resource that is shared with all guests or with them. For
everybody else it does not exist.

What must stay true: the bytes of a file are kept in the database and leave as a download only; a file that is
named like a document or a picture is one.

Called by the guest pages, the console and the command line. It does not know how anybody signed in.
"""

import mimetypes
import re
import unicodedata
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, or_, select
from sqlalchemy.orm import defer

from guestauth import addresses, audit
from guestauth.audit import Caller
from guestauth.database import Refusal, changed, db, now, operation, query, refusing_doubles, row_or_none, rows
from guestauth.languages import N_
from guestauth.models import Resource, ResourceFile, Share, User

MOST_BYTES = 20 * 1024 * 1024
SLUG = re.compile("[a-z0-9]+(-[a-z0-9]+)*")
RESERVED = ("add", "export")  # pages of the console
ZIPPED = ("zip", "docx", "xlsx", "pptx", "odt", "ods", "odp")
BEGINNINGS = {  # by the ending of a name: how the content of such a file begins
    "pdf": (b"%PDF",),
    "png": (b"\x89PNG\r\n\x1a\n",),
    **dict.fromkeys(("jpg", "jpeg"), (b"\xff\xd8\xff",)),
    "gif": (b"GIF87a", b"GIF89a"),
    **dict.fromkeys(ZIPPED, (b"PK\x03\x04", b"PK\x05\x06")),
}


class ResourceRefused(Refusal):
    """The resource cannot be as described: its slug, title, text, url or file."""


class ResourceTaken(Refusal):
    """The tenant has a resource of that name already."""


class ResourceUnknown(Refusal):
    """The tenant has no such resource, or it is not shared with who asks."""


@dataclass(frozen=True)
class Shared:
    """What a list says of a resource; its text can be long."""

    slug: str
    title: str
    kind: str
    shared_with_all: bool


@operation
def add(
    tenant_id: uuid.UUID,
    slug: str,
    *,
    title: str,
    by: Caller,
    text: str | None = None,
    url: str | None = None,
    file: tuple[str, bytes] | None = None,
    resource_id: uuid.UUID | None = None,
) -> Resource:
    """Add something to share: exactly one of `text`, `url` and `file`.

    :param slug: its name in addresses: small letters, digits, single hyphens.
    :param file: file name and content, 20 MB at most.
    :raises ResourceRefused: if a value is no good. :raises ResourceTaken: if the slug is taken.
    """
    _check_slug(slug)
    _check_title(title)
    if sum(value is not None for value in (text, url, file)) != 1:
        raise ResourceRefused(N_("A resource is exactly one of a text, a file and a URL"))
    _check_content(text=text, url=url, file=file)
    resource = Resource(
        id=resource_id or uuid.uuid4(),
        tenant_id=tenant_id,
        slug=slug,
        title=_one_line(title),
        kind="file" if file else "url" if url else "text",
        text=text,
        url=url,
        created_at=now(),
    )
    taken = ResourceTaken(N_("There is a resource named %(slug)s already", slug=slug), "slug")
    with refusing_doubles(taken):
        db.session.add(resource)
    if file:
        _put(resource, file)
    audit.record("resource.added", by=by, tenant_id=tenant_id, resource=slug, kind=resource.kind)
    return resource


@operation
def edit(
    tenant_id: uuid.UUID,
    slug: str,
    *,
    by: Caller,
    title: str | None = None,
    text: str | None = None,
    url: str | None = None,
    file: tuple[str, bytes] | None = None,
) -> Resource:
    """Change what is given of a resource: its title and its content; it stays of its kind, shared as it is.

    :raises ResourceRefused: if a value is no good. :raises ResourceUnknown:
    """
    resource = named(tenant_id, slug)
    db.session.refresh(resource, with_for_update=True)  # two who edit it, one after the other
    if title is not None:
        _check_title(title)
    given = {name: value for name, value in (("text", text), ("url", url), ("file", file)) if value is not None}
    if given.keys() - {resource.kind}:
        raise ResourceRefused(N_("%(slug)s stays of the kind it is: %(kind)s", slug=slug, kind=resource.kind))
    _check_content(text=text, url=url, file=file)
    before = (resource.title, resource.text, resource.url)
    resource.title = resource.title if title is None else _one_line(title)
    resource.text = resource.text if text is None else text
    resource.url = resource.url if url is None else url
    if file:
        _put(resource, file)
    if file or before != (resource.title, resource.text, resource.url):
        audit.record("resource.changed", by=by, tenant_id=tenant_id, resource=slug, title=resource.title)
    return resource


@operation
def remove(tenant_id: uuid.UUID, slug: str, *, by: Caller) -> None:
    """Remove a resource and its shares.

    :raises ResourceUnknown:
    """
    resource = named(tenant_id, slug)
    db.session.execute(delete(Share).where(Share.resource_id == resource.id))
    db.session.execute(delete(ResourceFile).where(ResourceFile.resource_id == resource.id))
    db.session.delete(resource)
    audit.record("resource.removed", by=by, tenant_id=tenant_id, resource=slug)


@operation
def share(tenant_id: uuid.UUID, slug: str, *, user_id: uuid.UUID | None, by: Caller) -> None:
    """Share a resource; doing so twice changes nothing.

    :param user_id: with whom; None: with all guests.
    :raises ResourceUnknown:
    """
    resource = named(tenant_id, slug)
    db.session.refresh(resource, with_for_update=True)  # two who share it, one after the other
    user = db.session.get(User, user_id) if user_id else None
    if user_id and (user is None or user.tenant_id != tenant_id):
        raise ResourceUnknown(N_("There is no such guest to share it with"))
    if user_id is None:
        resource.shared_with_all = True
    elif db.session.get(Share, (resource.id, user_id)) is None:
        db.session.add(Share(resource_id=resource.id, user_id=user_id))
    audit.record("resource.shared", by=by, tenant_id=tenant_id, user_id=user_id, resource=slug)


@operation
def unshare(tenant_id: uuid.UUID, slug: str, *, user_id: uuid.UUID | None, by: Caller) -> None:
    """Share a resource no longer.

    :param user_id: with whom; None: with all guests (those it is shared with by name keep it).
    :raises ResourceUnknown:
    """
    resource = named(tenant_id, slug)
    if user_id is None:
        resource.shared_with_all = False
    else:
        mine = (Share.resource_id == resource.id, Share.user_id == user_id)
        db.session.execute(delete(Share).where(*mine))
    audit.record("resource.unshared", by=by, tenant_id=tenant_id, user_id=user_id, resource=slug)


@query
def of_user(user: User, *, search: str = "") -> Sequence[Shared]:
    """Return what is shared with a user, by title.

    :param search: only titles that contain it, whatever the letter case.
    """
    found = [Shared(*row) for row in rows(_LISTED, b_user=user.id, b_tenant=user.tenant_id)]
    return [each for each in found if search.casefold() in each.title.casefold()]


@query
def of_tenant(tenant_id: uuid.UUID) -> Sequence[Resource]:
    """Return all of a tenant's resources, by slug; without the texts."""
    mine = select(Resource).where(Resource.tenant_id == tenant_id).order_by(Resource.slug)
    return db.session.scalars(mine.options(defer(Resource.text))).all()


@query
def named(tenant_id: uuid.UUID, slug: str) -> Resource:
    """Return a tenant's resource, whomever it is shared with.

    :raises ResourceUnknown:
    """
    mine = (Resource.tenant_id == tenant_id, Resource.slug == slug.lower())
    resource = db.session.scalar(select(Resource).where(*mine))
    if resource is None:
        raise ResourceUnknown(N_("There is no resource named %(slug)s", slug=slug))
    return resource


@query
def find(user: User, name: str) -> Resource:
    """Return the resource of that slug or id, if it is shared with the user.

    :raises ResourceUnknown:
    """
    named = {"b_user": user.id, "b_tenant": user.tenant_id, "b_slug": name.lower(), "b_id": None}
    with suppress(ValueError):
        named["b_id"] = uuid.UUID(name)
    resource: Resource | None = row_or_none(_FOUND, Resource, **named)
    if resource is None:
        raise ResourceUnknown(N_("There is no resource named %(slug)s", slug=name))
    return resource


@query
def content(resource: Resource) -> bytes:
    """Return the bytes of a resource that is a file."""
    return db.session.get_one(ResourceFile, resource.id).content


def suggested_slug(title: str) -> str:
    """Return a slug like the title; empty if the title has nothing that a slug can have."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall("[a-z0-9]+", plain))[:100].rstrip("-")


def _put(resource: Resource, file: tuple[str, bytes]) -> None:
    """Keep a file as the content of a resource that is there, in place of the one before."""
    name = re.sub(r"[\x00-\x1f\x7f/\\]", "_", file[0])[-255:]
    resource.file_name, resource.size = name, len(file[1])
    resource.media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    changed(delete(ResourceFile).where(ResourceFile.resource_id == resource.id))
    db.session.add(ResourceFile(resource_id=resource.id, content=file[1]))


def _one_line(title: str) -> str:
    return audit.one_line(title).strip()


def _check_slug(slug: str) -> None:
    if not SLUG.fullmatch(slug) or len(slug) > 100:
        words = N_("A slug has small letters, digits and single hyphens, like project-plan")
        raise ResourceRefused(words, "slug")
    if slug in RESERVED:
        raise ResourceRefused(
            N_("The slug %(slug)s is taken by a page of the console; choose another", slug=slug), "slug"
        )


def _check_title(title: str) -> None:
    if not _one_line(title) or not addresses.is_text(title):
        raise ResourceRefused(N_("A title has 1 to 200 characters"), "title")


def _check_content(*, text: str | None, url: str | None, file: tuple[str, bytes] | None) -> None:
    if text is not None and not addresses.is_text(text, most=MOST_BYTES):
        raise ResourceRefused(N_("A text has no NUL characters and 20 MB at most"), "text")
    if url is not None and not addresses.is_web_address(url):
        raise ResourceRefused(N_("A URL starts with https:// or http://"), "url")
    if file is None:
        return
    name, content = file
    if len(content) > MOST_BYTES:
        raise ResourceRefused(N_("A file has 20 MB at most"), "file")
    ending = name.rstrip(". ").rpartition(".")[2].lower()
    if ending in BEGINNINGS and not content.startswith(BEGINNINGS[ending]):
        words = N_(
            "The file is named %(ending)s, but what is in it is something else; save it as what it is",
            ending=f".{ending}",
        )
        raise ResourceRefused(words, "file")


_SHARED = Resource.id.in_(select(Share.resource_id).where(Share.user_id == bindparam("b_user")))
_VISIBLE = select(Resource).where(
    Resource.tenant_id == bindparam("b_tenant"), or_(Resource.shared_with_all, _SHARED)
)
_SHOWN = (Resource.slug, Resource.title, Resource.kind, Resource.shared_with_all)
_LISTED = _VISIBLE.with_only_columns(*_SHOWN).order_by(Resource.title)
_FOUND = _VISIBLE.where(or_(Resource.slug == bindparam("b_slug"), Resource.id == bindparam("b_id")))
