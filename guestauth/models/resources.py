"""What a tenant shares, and with whom."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from guestauth.database import Model
from guestauth.models.columns import of, primary_key


class Resource(Model, kw_only=True):
    """What a tenant shares: a text, a file or an address on the web."""

    __tablename__ = "resources"
    __table_args__ = (Index("uq_resources_tenant_id_slug", "tenant_id", "slug", unique=True),)
    id: Mapped[uuid.UUID] = primary_key()
    tenant_id: Mapped[uuid.UUID] = of("tenants")
    slug: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(10))  # text, file, url
    text: Mapped[str | None] = mapped_column(Text, default=None)
    url: Mapped[str | None] = mapped_column(String(2000), default=None)
    file_name: Mapped[str | None] = mapped_column(String(255), default=None)
    media_type: Mapped[str | None] = mapped_column(String(100), default=None)
    size: Mapped[int | None] = mapped_column(default=None)  # bytes
    shared_with_all: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class ResourceFile(Model, kw_only=True):
    """The bytes of a resource that is a file; apart, so that lists never load them."""

    __tablename__ = "resource_files"
    resource_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("resources.id", ondelete="CASCADE"), primary_key=True
    )
    content: Mapped[bytes] = mapped_column(LargeBinary)


class Share(Model, kw_only=True):
    """A resource shared with one guest."""

    __tablename__ = "shares"
    resource_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("resources.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
