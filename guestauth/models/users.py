"""Guests, members, and how guests are invited."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from guestauth.database import Model
from guestauth.models.columns import of, primary_key
from guestauth.models.providers import SOURCES

PENDING = "PendingAcceptance"
ACCEPTED = "Accepted"
SORTED = ("mail_key", "display_name", "created_at", "last_sign_in_at")  # what lists of guests sort by


def _partial(name: str, where: str, *columns: str) -> Index:
    """Return an index over some of a tenant's users."""
    some = text(where)
    return Index(f"ix_users_{name}", "tenant_id", *columns, sqlite_where=some, postgresql_where=some)


class User(Model, kw_only=True):
    """A guest, or a member of the tenant (B34). One address is one user, until deleted (B8)."""

    __tablename__ = "users"
    __table_args__ = (
        Index(
            "uq_users_tenant_id_mail_key",
            "tenant_id",
            "mail_key",
            unique=True,
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
        *(Index(f"ix_users_tenant_id_{column}", "tenant_id", column, "id") for column in SORTED),
        # what counts them, without a look at the rows; and the few that a list of all would be searched for
        _partial("current", "deleted_at IS NULL", "user_type", "state", "identity_provider", "blocked_at"),
        _partial("blocked", "blocked_at IS NOT NULL", "mail_key"),
        _partial("deleted", "deleted_at IS NOT NULL", "mail_key"),
    )
    id: Mapped[uuid.UUID] = primary_key()
    tenant_id: Mapped[uuid.UUID] = of("tenants")
    mail: Mapped[str] = mapped_column(String(254))  # where mail goes, as stored
    mail_key: Mapped[str] = mapped_column(String(254))  # canonical form, for look-up
    domain: Mapped[str] = mapped_column(String(253), init=False)  # what follows its @
    display_name: Mapped[str] = mapped_column(String(200), default="")
    user_type: Mapped[str] = mapped_column(String(10), default="Guest")
    is_administrator: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str | None] = mapped_column(String(20), default=None)  # externalUserState, of guests
    language: Mapped[str | None] = mapped_column(String(20), default=None)  # chosen on their account page
    identity_provider: Mapped[str | None] = mapped_column(String(40), default=None)  # kind of it, pinned (B7)
    identity_issuer: Mapped[str | None] = mapped_column(String(500), default=None)  # who they are there,
    identity_subject: Mapped[str | None] = mapped_column(String(255), default=None)  # whatever their address is
    created_at: Mapped[datetime]
    invited_at: Mapped[datetime | None] = mapped_column(default=None)  # by the newest invitation (B11)
    accepted_at: Mapped[datetime | None] = mapped_column(default=None)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(default=None)
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)  # invited no longer, while pending
    codes_void_at: Mapped[datetime | None] = mapped_column(default=None)  # codes issued until then are dead
    blocked_at: Mapped[datetime | None] = mapped_column(default=None)
    deleted_at: Mapped[datetime | None] = mapped_column(default=None)

    def __post_init__(self) -> None:
        """Note the address's domain, for statements that ask for it."""
        self.domain = self.mail_key.rpartition("@")[2]

    @property
    def is_guest(self) -> bool:
        """Whether the passcode setting concerns them (B34)."""
        return self.user_type == "Guest"

    @property
    def source(self) -> str | None:
        """Return the word of B31: how a guest signs in, known only after redemption (B9)."""
        if not self.is_guest:
            return None
        return SOURCES[self.identity_provider] if self.identity_provider else "Invited user"

    @property
    def must_consent(self) -> bool:
        """Whether Review permissions comes before anything else (B19)."""
        return self.state == PENDING


class Invitation(Model, kw_only=True):
    """One invitation sent to a guest. It names the guest and carries no authority (B18)."""

    __tablename__ = "invitations"
    id: Mapped[uuid.UUID] = primary_key()
    tenant_id: Mapped[uuid.UUID] = of("tenants")
    user_id: Mapped[uuid.UUID] = of("users", index=True)
    inviter: Mapped[str] = mapped_column(String(200))
    message: Mapped[str | None] = mapped_column(Text, default=None)
    target: Mapped[str | None] = mapped_column(String(2000), default=None)  # path within the tenant
    language: Mapped[str | None] = mapped_column(String(20), default=None)  # of its letter; None: the tenant's
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)
    replaced_at: Mapped[datetime | None] = mapped_column(default=None)

    @property
    def closed(self) -> str | None:
        """Why the link no longer works; None: it does."""
        return "revoked" if self.revoked_at else "replaced" if self.replaced_at else None


class Import(Model, kw_only=True):
    """A file of invitations that an administrator has handed in (B20)."""

    __tablename__ = "imports"
    id: Mapped[uuid.UUID] = primary_key()
    tenant_id: Mapped[uuid.UUID] = of("tenants", index=True)
    file_name: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]


class ImportRow(Model, kw_only=True):
    """One line of such a file: what it asks for, and what became of it. Done once, whoever runs it again."""

    __tablename__ = "import_rows"
    import_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)  # the line, as a person counts: the header is 1
    mail: Mapped[str] = mapped_column(Text)  # as it stands in the file
    display_name: Mapped[str] = mapped_column(Text, default="")
    message: Mapped[str] = mapped_column(Text, default="")
    target: Mapped[str] = mapped_column(Text, default="")
    send_mail: Mapped[bool] = mapped_column(default=True)
    outcome: Mapped[str | None] = mapped_column(String(20), default=None)  # invited, skipped, refused; None: waits
    reason: Mapped[str | None] = mapped_column(String(300), default=None)  # in English
    said: Mapped[list[Any] | None] = mapped_column(JSON, default=None)  # what its `languages.Text` is made from
