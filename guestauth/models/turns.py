"""Who does what all processes share."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from guestauth.database import Model


class Turn(Model, kw_only=True):
    """When one of all processes last did something on behalf of the others."""

    __tablename__ = "turns"
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    taken_at: Mapped[datetime]  # whose turn it is, is decided by this
    done_at: Mapped[datetime | None] = mapped_column(default=None)
