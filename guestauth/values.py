"""Values: how the text of a setting is read, and what is said of one that is no good.

What it does: each function turns a text into a typed value, or raises `ValueError` with what to write instead.

The one thing to understand: no type is guessed (F11); the setting says which of these reads it.

Called by config. It knows no setting.
"""

import ipaddress
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import idna
from email_validator import EmailNotValidError, validate_email
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

WEAK_WORDS = ("changeme", "secret", "password", "example", "12345678", "default")


def flag(value: str) -> bool:
    """Read on or off."""
    word = value.strip().lower()
    if word not in ("on", "true", "yes", "1", "off", "false", "no", "0", ""):
        raise ValueError("write on or off")
    return word in ("on", "true", "yes", "1")


def number(least: int, most: int) -> Callable[[str], int]:
    """Return what reads a whole number within bounds."""

    def read(value: str) -> int:
        if not value.strip().isascii() or not value.strip().isdigit() or not least <= int(value) <= most:
            raise ValueError(f"write a whole number from {least} to {most}")
        return int(value)

    return read


def one_of(*words: str) -> Callable[[str], str]:
    """Return what reads one of these words."""

    def read(value: str) -> str:
        if value.strip().lower() not in [word.lower() for word in words]:
            raise ValueError(f"write one of {', '.join(words)}")
        return next(word for word in words if word.lower() == value.strip().lower())

    return read


def listed(value: str) -> list[str]:
    """Read a list with commas."""
    return [part.strip() for part in value.split(",") if part.strip()]


def secret(value: str) -> str:
    """Read a secret that cannot be guessed."""
    value = value.strip()
    if len(value.encode()) < 32:
        raise ValueError("it needs at least 32 bytes; make one with: openssl rand -hex 32")
    if len(set(value)) < 10 or any(word in value.lower() for word in WEAK_WORDS):
        raise ValueError("it can be guessed; make one with: openssl rand -hex 32")
    return value


def origin(value: str) -> str:
    """Read the address of a site: scheme and host, no path."""
    parts = urlsplit(value.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write the address people use, like https://guests.example.org")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise ValueError("write scheme and host only, like https://guests.example.org")
    unusual = parts.port not in (None, {"http": 80, "https": 443}[parts.scheme])
    return f"{parts.scheme}://{_host(parts.hostname)}" + (f":{parts.port}" if unusual else "")


def _host(name: str) -> str:
    """Write a host as browsers do: in lower-case ASCII (IDNA 2008), an IPv6 address in brackets."""
    if ":" in name:
        return f"[{ipaddress.IPv6Address(name)}]"
    try:
        return str(idna.encode(name, uts46=True).decode())
    except idna.IDNAError as fault:
        raise ValueError(f"{name} is not the name of a host") from fault


def database(value: str) -> str:
    """Read the address of a database."""
    value = value.strip().replace("postgres://", "postgresql://", 1)
    try:
        url = make_url(value)
    except ArgumentError as fault:
        raise ValueError("write sqlite:///file.db or postgresql://user:password@host/name") from fault
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise ValueError("GuestAuth runs on sqlite and postgresql only")
    if url.get_backend_name() == "sqlite" and (url.database or ":memory:").startswith((":memory:", "file:")):
        raise ValueError("write sqlite:///file.db: the database must be a file that processes can share")
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return url.render_as_string(hide_password=False)


def sender(value: str) -> str:
    """Read an email address, with or without a name before it."""
    address = value.strip().rpartition("<")[2].rstrip(">")
    try:
        return str(validate_email(address, check_deliverability=False, allow_smtputf8=False).ascii_email)
    except EmailNotValidError as fault:
        raise ValueError(f"write an email address: {fault}") from fault


def name_server(value: str) -> tuple[str, int] | None:
    """Read an IP address with or without a port."""
    parts = urlsplit(f"//{value.strip()}")
    return (str(ipaddress.ip_address(parts.hostname or "")), parts.port or 53) if value.strip() else None


def listener(value: str) -> tuple[str, int] | None:
    """Read an IP address and a port to listen on."""
    parts = urlsplit(f"//{value.strip()}")
    if value.strip() and not parts.port:
        raise ValueError("write address:port, like 127.0.0.1:9464")
    return (str(ipaddress.ip_address(parts.hostname or "")), parts.port or 0) if value.strip() else None


def networks(value: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Read a list of IP networks."""
    return [ipaddress.ip_network(each) for each in listed(value)]


def file(value: str) -> str:
    """Read the path of a file that is there."""
    if value and not Path(value).is_file():
        raise ValueError(f"there is no file {value}")
    return value
