"""Tenants, their logos and their domains. Everything else hangs on the tenant's id (B5)."""

import uuid
from datetime import datetime

from sqlalchemy import Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from guestauth.database import Model
from guestauth.models.columns import of, primary_key


class Tenant(Model, kw_only=True):
    """An organisation that shares things with guests."""

    __tablename__ = "tenants"
    id: Mapped[uuid.UUID] = primary_key()
    name: Mapped[str] = mapped_column(String(200))
    domain: Mapped[str] = mapped_column(String(253))  # of its verified domains the one that is shown
    policy: Mapped[str] = mapped_column(Text)  # the B2BManagementPolicy's definition (B14)
    passcodes_on: Mapped[bool]  # what the policy says of OneTimePasscode; written with it only
    language: Mapped[str] = mapped_column(String(20), default="en", server_default="en")  # of invitations
    retention_days: Mapped[int] = mapped_column(default=365, server_default="365")  # of its logs
    help_contact: Mapped[str | None] = mapped_column(String(200), default=None)
    privacy_statement_url: Mapped[str | None] = mapped_column(String(2000), default=None)
    accent: Mapped[str | None] = mapped_column(String(7), default=None)  # like #2b5797; as it was picked
    logo: Mapped[str | None] = mapped_column(String(16), default=None)  # how the picture's hash begins
    logo_width: Mapped[int | None] = mapped_column(default=None)  # pixels
    logo_height: Mapped[int | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None] = mapped_column(default=None)
    passcodes_since: Mapped[datetime | None] = mapped_column(default=None)  # turned on again then (B11)
    codes_void_at: Mapped[datetime | None] = mapped_column(default=None)  # guests' codes until then are dead


class Logo(Model, kw_only=True):
    """The picture of a tenant that has one; apart, so that no request loads it but its own."""

    __tablename__ = "logos"
    tenant_id: Mapped[uuid.UUID] = of("tenants", primary_key=True)
    media_type: Mapped[str] = mapped_column(String(20))
    content: Mapped[bytes] = mapped_column(LargeBinary)


class Domain(Model, kw_only=True):
    """A domain name of a tenant. Only a verified one resolves (B4), and only one tenant can have it."""

    __tablename__ = "domains"
    __table_args__ = (
        Index(
            "uq_domains_verified_name",
            "name",
            unique=True,
            sqlite_where=text("verified_at IS NOT NULL"),
            postgresql_where=text("verified_at IS NOT NULL"),
        ),
    )
    id: Mapped[uuid.UUID] = primary_key()
    tenant_id: Mapped[uuid.UUID] = of("tenants", index=True)
    name: Mapped[str] = mapped_column(String(253))  # lower-case ASCII, IDNA 2008
    verified_at: Mapped[datetime | None] = mapped_column(default=None)
