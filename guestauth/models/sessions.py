"""The way in: sign-ins under way, codes sent, and who is signed in."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from guestauth.database import Model
from guestauth.models.columns import of, primary_key
from guestauth.models.providers import PASSCODE

NOT_ENDED = text("ended_at IS NULL")


class SignIn(Model, kw_only=True):
    """One way in under way: an address typed in one browser (B25). A stranger's row is like a guest's."""

    __tablename__ = "sign_ins"
    id: Mapped[uuid.UUID] = primary_key()
    tenant_id: Mapped[uuid.UUID] = of("tenants")
    user_id: Mapped[uuid.UUID | None] = of("users", default=None)  # known from the first send
    browser: Mapped[str] = mapped_column(String(64), index=True)  # hash of the visit cookie's id
    known: Mapped[str | None] = mapped_column(String(64), default=None)  # why it is the guest's own, if it is
    address: Mapped[str] = mapped_column(String(254))  # as typed
    mail_key: Mapped[str] = mapped_column(String(254))
    nonce: Mapped[bytes] = mapped_column(LargeBinary)  # what its codes derive from, beside the key
    target: Mapped[str | None] = mapped_column(String(2000), default=None)  # where to go then
    sends: Mapped[int] = mapped_column(default=0)
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    last_sent_at: Mapped[datetime | None] = mapped_column(default=None)
    consumed_at: Mapped[datetime | None] = mapped_column(default=None)


class Passcode(Model, kw_only=True):
    """One code sent for a sign-in: the `n`th. The code itself is nowhere (B26)."""

    __tablename__ = "passcodes"
    sign_in_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("sign_ins.id", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Session(Model, kw_only=True):
    """A guest signed in, in one browser, until `expires_at` at the latest (B28, B29)."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_live", "user_id", sqlite_where=NOT_ENDED, postgresql_where=NOT_ENDED),)
    id: Mapped[uuid.UUID] = primary_key()
    secret: Mapped[str] = mapped_column(String(64), unique=True)  # hash of the cookie's secret
    tenant_id: Mapped[uuid.UUID] = of("tenants", index=True)
    user_id: Mapped[uuid.UUID] = of("users")
    sign_in_id: Mapped[uuid.UUID] = mapped_column(unique=True)  # one sign-in, one session
    way: Mapped[str] = mapped_column(String(20), default=PASSCODE, server_default=PASSCODE)  # kind of provider
    identity_issuer: Mapped[str | None] = mapped_column(String(500), default=None)  # who they are there
    identity_subject: Mapped[str | None] = mapped_column(String(255), default=None)
    browser: Mapped[str] = mapped_column(String(200), default="")
    client_address: Mapped[str] = mapped_column(String(45), default="")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]  # never updated
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_reason: Mapped[str | None] = mapped_column(String(40), default=None)
