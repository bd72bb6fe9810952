"""The ledger of limits."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from guestauth.database import Model


class Counter(Model, kw_only=True):
    """How often something was done lately by, or to, somebody."""

    __tablename__ = "counters"
    name: Mapped[str] = mapped_column(String(20), primary_key=True)  # of the limit
    key: Mapped[str] = mapped_column(String(64), primary_key=True)  # hash of whom it is about
    log: Mapped[str] = mapped_column(Text, default="[]")  # JSON: when, and how often then
    noted_at: Mapped[datetime | None] = mapped_column(default=None)  # the audit log was told that it was reached
    near_at: Mapped[datetime | None] = mapped_column(default=None)  # and that it was near
    expires_at: Mapped[datetime] = mapped_column(index=True)  # says nothing any more from then on
