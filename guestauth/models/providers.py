"""Other ways in: identity providers, and whose addresses are theirs (B6)."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from guestauth.database import Model
from guestauth.models.columns import of, primary_key

PASSCODE = "passcode"
AZURE_AD = "azure_ad"
GOOGLE = "google"
OPENID_CONNECT = "openid_connect"
MICROSOFT_ACCOUNT = "microsoft_account"
SOURCES = {  # the words of B31
    PASSCODE: "OTP",
    AZURE_AD: "External Azure Active Directory",
    MICROSOFT_ACCOUNT: "Microsoft Account",
    GOOGLE: "Google",
    OPENID_CONNECT: "OpenID Connect",
}
INSTALLATIONS = text("tenant_id IS NULL")


class IdentityProvider(Model, kw_only=True):
    """An OpenID Connect provider that people can prove their address with, instead of by a code."""

    __tablename__ = "identity_providers"
    __table_args__ = (
        Index("uq_identity_providers_of_tenant", "tenant_id", "kind", "issuer", unique=True),
        Index(
            "uq_identity_providers_of_all",
            "kind",
            unique=True,
            sqlite_where=INSTALLATIONS,
            postgresql_where=INSTALLATIONS,
        ),
    )
    id: Mapped[uuid.UUID] = primary_key()
    tenant_id: Mapped[uuid.UUID | None] = of("tenants", default=None)  # None: the installation's
    kind: Mapped[str] = mapped_column(String(20))  # one of SOURCES, but a passcode
    name: Mapped[str] = mapped_column(String(100))  # what people call it
    issuer: Mapped[str] = mapped_column(String(500))  # where it says what it is (OpenID Connect Discovery)
    client_id: Mapped[str] = mapped_column(String(255))
    sealed_secret: Mapped[str] = mapped_column(Text, repr=False)  # the client's, as `keys.seal` writes it
    directories: Mapped[list[str]] = mapped_column(default_factory=list)  # Azure AD tenants (`tid`) it takes
    created_at: Mapped[datetime]


class CoveredName(Model, kw_only=True):
    """A domain, or a single address, that is a provider's."""

    __tablename__ = "covered_names"
    provider_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("identity_providers.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(254), primary_key=True, index=True)  # canonical
