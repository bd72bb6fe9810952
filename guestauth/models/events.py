"""The log of who did what (B33)."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from guestauth.database import Model


class Event(Model, kw_only=True):
    """A line of the sign-in and audit logs (B33). Written by `audit` only, changed by nobody."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_tenant_id_at", "tenant_id", "at", "id"),
        Index("ix_events_tenant_id_name_at", "tenant_id", "name", "at", "id"),
        Index("ix_events_user_id_at", "user_id", "at", "id"),
    )
    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, init=False, autoincrement=True
    )
    at: Mapped[datetime]
    name: Mapped[str] = mapped_column(String(40))
    result: Mapped[str] = mapped_column(String(10))  # success, refused
    reason: Mapped[str] = mapped_column(String(200), default="")
    actor: Mapped[str] = mapped_column(String(20))
    tenant_id: Mapped[uuid.UUID | None] = mapped_column(default=None)
    user_id: Mapped[uuid.UUID | None] = mapped_column(default=None)
    address: Mapped[str | None] = mapped_column(String(254), default=None)
    client_address: Mapped[str] = mapped_column(String(45), default="")
    browser: Mapped[str] = mapped_column(String(200), default="")
    correlation_id: Mapped[str] = mapped_column(String(36), default="")
    detail: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
