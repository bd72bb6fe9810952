"""Letters in the outbox, and the health of the mail server."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from guestauth.database import Model
from guestauth.models.columns import of, primary_key


class Letter(Model, kw_only=True):
    """A letter in the outbox: what it is about, never what it says (B26). Written when it is sent."""

    __tablename__ = "letters"
    __table_args__ = (
        Index(
            "ix_letters_waiting",
            "due_at",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )
    id: Mapped[uuid.UUID] = primary_key()
    kind: Mapped[str] = mapped_column(String(20))
    tenant_id: Mapped[uuid.UUID] = of("tenants")
    user_id: Mapped[uuid.UUID | None] = of("users", default=None, index=True)  # None: a stranger asked
    subject_id: Mapped[uuid.UUID]  # the sign-in or invitation it tells of
    n: Mapped[int] = mapped_column(default=0)  # which of the sign-in's codes
    facts: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    correlation_id: Mapped[str] = mapped_column(String(36), default="")
    posted_at: Mapped[datetime]
    due_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    lease: Mapped[uuid.UUID | None] = mapped_column(default=None)
    done_at: Mapped[datetime | None] = mapped_column(default=None)
    outcome: Mapped[str | None] = mapped_column(String(20), default=None)  # sent, dropped, failed
    reason: Mapped[str | None] = mapped_column(String(200), default=None)


class MailHealth(Model, kw_only=True):
    """One row: whether the mail server answers, asked by the clock and never on account of a letter (B37)."""

    __tablename__ = "mail_health"
    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    checked_at: Mapped[datetime]
    failing_since: Mapped[datetime | None] = mapped_column(default=None)
    reason: Mapped[str | None] = mapped_column(String(200), default=None)
