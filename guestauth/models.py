"""The tables, and the questions a row answers about itself.

What it does: names every fact the product keeps.

The one thing to understand: what may end (a session, a guest's access) is a row with an end, never a
signed promise; and no row holds a code, a ticket or a cookie, only hashes and the nonces codes derive from.

What must stay true: everything but a domain's name belongs to one tenant, and each look-up names it (B5).

Used by every noun. It holds no rule that needs a second row.
"""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from guestauth.database import Model

NOT_ENDED = text("ended_at IS NULL")
PENDING = "PendingAcceptance"
ACCEPTED = "Accepted"
PASSCODE = "passcode"
SOURCES = {PASSCODE: "OTP"}  # the words of B31; each identity provider adds its own


SORTED = ("mail_key", "display_name", "created_at", "last_sign_in_at")  # what lists of guests sort by


def _primary_key() -> Any:
    return mapped_column(primary_key=True, default_factory=uuid.uuid4)


def _of(table: str, **options: Any) -> Any:
    return mapped_column(ForeignKey(f"{table}.id"), **options)


class Tenant(Model, kw_only=True):
    """An organisation that shares things with guests."""

    __tablename__ = "tenants"
    id: Mapped[uuid.UUID] = _primary_key()
    name: Mapped[str] = mapped_column(String(200))
    domain: Mapped[str] = mapped_column(String(253))  # of its verified domains the one that is shown
    policy: Mapped[str] = mapped_column(Text)  # the B2BManagementPolicy's definition (B14)
    passcodes_on: Mapped[bool]  # what the policy says of OneTimePasscode; written with it only
    language: Mapped[str] = mapped_column(String(20), default="en", server_default="en")  # of its pages and mails
    retention_days: Mapped[int] = mapped_column(default=365, server_default="365")  # of its logs
    help_contact: Mapped[str | None] = mapped_column(String(200), default=None)
    privacy_statement_url: Mapped[str | None] = mapped_column(String(2000), default=None)
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None] = mapped_column(default=None)
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
    id: Mapped[uuid.UUID] = _primary_key()
    tenant_id: Mapped[uuid.UUID] = _of("tenants", index=True)
    name: Mapped[str] = mapped_column(String(253))  # lower-case ASCII, IDNA 2008
    verified_at: Mapped[datetime | None] = mapped_column(default=None)


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
    )
    id: Mapped[uuid.UUID] = _primary_key()
    tenant_id: Mapped[uuid.UUID] = _of("tenants")
    mail: Mapped[str] = mapped_column(String(254))  # where mail goes, as stored
    mail_key: Mapped[str] = mapped_column(String(254))  # canonical form, for look-up
    display_name: Mapped[str] = mapped_column(String(200), default="")
    user_type: Mapped[str] = mapped_column(String(10), default="Guest")
    is_administrator: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str | None] = mapped_column(String(20), default=None)  # externalUserState, of guests
    identity_provider: Mapped[str | None] = mapped_column(String(40), default=None)  # pinned (B7)
    created_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None] = mapped_column(default=None)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(default=None)
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)  # invited no longer, while pending
    codes_void_at: Mapped[datetime | None] = mapped_column(default=None)  # codes issued until then are dead
    blocked_at: Mapped[datetime | None] = mapped_column(default=None)
    deleted_at: Mapped[datetime | None] = mapped_column(default=None)

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
    id: Mapped[uuid.UUID] = _primary_key()
    tenant_id: Mapped[uuid.UUID] = _of("tenants")
    user_id: Mapped[uuid.UUID] = _of("users", index=True)
    inviter: Mapped[str] = mapped_column(String(200))
    message: Mapped[str | None] = mapped_column(Text, default=None)
    target: Mapped[str | None] = mapped_column(String(2000), default=None)  # path within the tenant
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)
    replaced_at: Mapped[datetime | None] = mapped_column(default=None)

    @property
    def closed(self) -> str | None:
        """Why the link no longer works; None: it does."""
        return "revoked" if self.revoked_at else "replaced" if self.replaced_at else None


class Resource(Model, kw_only=True):
    """What a tenant shares: a text, a file or an address on the web."""

    __tablename__ = "resources"
    __table_args__ = (Index("uq_resources_tenant_id_slug", "tenant_id", "slug", unique=True),)
    id: Mapped[uuid.UUID] = _primary_key()
    tenant_id: Mapped[uuid.UUID] = _of("tenants")
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


class SignIn(Model, kw_only=True):
    """One way in under way: an address typed in one browser (B25). A stranger's row is like a guest's."""

    __tablename__ = "sign_ins"
    id: Mapped[uuid.UUID] = _primary_key()
    tenant_id: Mapped[uuid.UUID] = _of("tenants")
    user_id: Mapped[uuid.UUID | None] = _of("users", default=None)  # known from the first send
    browser: Mapped[str] = mapped_column(String(64), index=True)  # hash of the visit cookie's id
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
    id: Mapped[uuid.UUID] = _primary_key()
    secret: Mapped[str] = mapped_column(String(64), unique=True)  # hash of the cookie's secret
    tenant_id: Mapped[uuid.UUID] = _of("tenants", index=True)
    user_id: Mapped[uuid.UUID] = _of("users")
    sign_in_id: Mapped[uuid.UUID] = mapped_column(unique=True)  # one sign-in, one session
    browser: Mapped[str] = mapped_column(String(200), default="")
    client_address: Mapped[str] = mapped_column(String(45), default="")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]  # never updated
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_reason: Mapped[str | None] = mapped_column(String(40), default=None)


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
    id: Mapped[uuid.UUID] = _primary_key()
    kind: Mapped[str] = mapped_column(String(20))
    tenant_id: Mapped[uuid.UUID] = _of("tenants")
    user_id: Mapped[uuid.UUID | None] = _of("users", default=None, index=True)  # None: a stranger asked
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


class Import(Model, kw_only=True):
    """A file of invitations that an administrator has handed in (B20)."""

    __tablename__ = "imports"
    id: Mapped[uuid.UUID] = _primary_key()
    tenant_id: Mapped[uuid.UUID] = _of("tenants", index=True)
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
    reason: Mapped[str | None] = mapped_column(String(300), default=None)
