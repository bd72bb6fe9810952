"""Tenants and their domains. Everything else hangs on the tenant's id (B5)."""

import uuid
from datetime import datetime

from sqlalchemy import Index, String, Text, text
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
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None] = mapped_column(default=None)
    passcodes_since: Mapped[datetime | None] = mapped_column(default=None)  # turned on again then (B11)
    codes_void_at: Mapped[datetime | None] = mapped_column(default=None)  # guests' codes until then are dead


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
