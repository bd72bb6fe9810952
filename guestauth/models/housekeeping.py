"""When old rows were last deleted."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from guestauth.database import Model


class Housekeeping(Model, kw_only=True):
    """One row: when what nobody needs any more was last deleted."""

    __tablename__ = "housekeeping"
    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    began_at: Mapped[datetime]  # whose turn it is, is decided by this
    done_at: Mapped[datetime | None] = mapped_column(default=None)
