"""The tables, and the questions a row answers about itself.

What it does: names every fact the product keeps.

The one thing to understand: what may end (a session, a guest's access) is a row with an end, never a
signed promise; and no row holds a code, a ticket or a cookie, only hashes and the nonces codes derive from.

What must stay true: everything but a domain's name belongs to one tenant, and each look-up names it (B5).

Used by every noun. It holds no rule that needs a second row.
"""

from guestauth.models.events import Event
from guestauth.models.letters import Letter, MailHealth
from guestauth.models.limits import Counter
from guestauth.models.providers import (
    AZURE_AD,
    GOOGLE,
    MICROSOFT_ACCOUNT,
    OPENID_CONNECT,
    PASSCODE,
    SOURCES,
    CoveredName,
    IdentityProvider,
)
from guestauth.models.resources import Resource, ResourceFile, Share
from guestauth.models.sessions import Passcode, Session, SignIn
from guestauth.models.tenants import Domain, Logo, Tenant
from guestauth.models.turns import Turn
from guestauth.models.users import ACCEPTED, PENDING, Import, ImportRow, Invitation, User

__all__ = [
    "ACCEPTED",
    "AZURE_AD",
    "GOOGLE",
    "MICROSOFT_ACCOUNT",
    "OPENID_CONNECT",
    "PASSCODE",
    "PENDING",
    "SOURCES",
    "Counter",
    "CoveredName",
    "Domain",
    "Event",
    "IdentityProvider",
    "Import",
    "ImportRow",
    "Invitation",
    "Letter",
    "Logo",
    "MailHealth",
    "Passcode",
    "Resource",
    "ResourceFile",
    "Session",
    "Share",
    "SignIn",
    "Tenant",
    "Turn",
    "User",
]
