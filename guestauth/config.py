"""Settings: read, check and type every one of them, once, at the start.

What it does: `load` reads the environment and `instance/config.toml`, checks each value and returns a
typed dictionary for `app.config`.

The one thing to understand: production is the default. Without `GUESTAUTH_DEMO` the start is refused
unless a strong `SECRET_KEY`, an https `PUBLIC_URL` and a `MAIL_SERVER` are there.

What must stay true: a bad value stops the start with a message that names it and says what to do; every
setting stands in `SETTINGS` with its default, unit and reason, and so in the README.

Called by `create_app`. It will not read a setting later than the start, nor guess a type (F11).
"""

import os
import secrets
import threading
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url

from guestauth import values

PROJECT = Path(__file__).resolve().parent.parent


class BadSettings(Exception):  # noqa: N818 -- it names what is wrong, as refusals do
    """The start is refused; the text has a line for each setting at fault."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting: its name, how it is read, its default as text, its unit and what it is for."""

    name: str
    read: Callable[[str], Any]
    default: str | None
    unit: str = ""
    meaning: str


def _limit(name: str, default: int, unit: str, meaning: str) -> Setting:
    """Return the setting of a limit: it can be raised, not removed."""
    read = values.number(1, 1_000_000)
    return Setting(name=f"LIMIT_{name}", read=read, default=str(default), unit=unit, meaning=meaning)


SETTINGS = [
    Setting(name="INSTANCE_PATH", read=str.strip, default=str(PROJECT / "instance"),
            meaning="folder for local data; default: `./instance`"),
    Setting(name="GUESTAUTH_DEMO", read=values.flag, default="off",
            meaning="demo mode: demo data, local mailbox, `/dev` pages, http on loopback"),
    Setting(name="SECRET_KEY", read=values.secret, default=None, unit="≥ 32 bytes",
            meaning="every key is derived from it; demo: made once in the instance folder"),
    Setting(name="SECRET_KEY_FALLBACKS", read=lambda value: [values.secret(part) for part in values.listed(value)],
            default="", unit="comma-separated, newest first",
            meaning="earlier secrets, still accepted while what they signed lives"),
    Setting(name="DATABASE_URL", read=values.database, default=None,
            meaning="`sqlite:///…` or `postgresql://…`; default: `guestauth.db` in the instance folder"),
    Setting(name="PUBLIC_URL", read=values.origin, default=None,
            meaning="the address people use, the only source of links in mail; https unless demo"),
    Setting(name="TRUSTED_HOSTS", read=values.listed, default=None, unit="comma-separated",
            meaning="host names answered to; default: the host of `PUBLIC_URL`"),
    Setting(name="TRUSTED_PROXIES", read=values.number(0, 10), default="0", unit="hops",
            meaning="proxies in front whose `X-Forwarded-*` headers count"),
    Setting(name="MAIL_SERVER", read=str.strip, default="",
            meaning="mail server; demo without it: the local mailbox only"),
    Setting(name="MAIL_PORT", read=values.number(1, 65535), default="25", meaning="its port"),
    Setting(name="MAIL_USE_TLS", read=values.flag, default="off", meaning="STARTTLS after connecting"),
    Setting(name="MAIL_USE_SSL", read=values.flag, default="off", meaning="TLS from the first byte"),
    Setting(name="MAIL_USERNAME", read=str.strip, default="", meaning="user name at the mail server"),
    Setting(name="MAIL_PASSWORD", read=str.strip, default="", meaning="password at the mail server"),
    Setting(name="MAIL_DEFAULT_SENDER", read=values.sender, default=None,
            meaning="the address every mail comes from; default: no-reply at the host of `PUBLIC_URL`"),
    Setting(name="MAIL_CA_FILE", read=values.file, default="",
            meaning="certificates to trust instead of the system's; always checked"),
    Setting(name="MAIL_TIMEOUT", read=values.number(1, 120), default="10", unit="s",
            meaning="how long to wait for each answer of the mail server"),
    Setting(name="MAIL_CONNECTIONS", read=values.number(1, 64), default="8", unit="per process",
            meaning="mails on their way at the same time"),
    Setting(name="MAIL_DELIVERY", read=values.one_of("inline", "worker"), default="inline",
            meaning="`inline`: threads of every web process deliver; `worker`: only `flask mail deliver`"),
    Setting(name="PROVIDER_NETWORKS", read=values.networks, default="", unit="comma-separated, like 10.0.0.0/8",
            meaning="networks of our own that identity providers may be in; else on the public internet only"),
    Setting(name="PROVIDER_CA_FILE", read=values.file, default="",
            meaning="certificates to trust of identity providers instead of the system's"),
    Setting(name="PROVIDER_TIMEOUT", read=values.number(1, 30), default="5", unit="s",
            meaning="how long to wait for each answer of an identity provider"),
    Setting(name="DNS_SERVER", read=values.name_server, default="", unit="address[:port]",
            meaning="name server asked about domains to verify; default: the machine's own"),
    Setting(name="PASSCODE_LIFETIME", read=values.number(60, 1800), default="1800", unit="s",
            meaning="how long a code works (B22); may be shortened, never lengthened"),
    Setting(name="SESSION_LIFETIME", read=values.number(300, 86400), default="86400", unit="s",
            meaning="how long a guest stays signed in (B28)"),
    Setting(name="LOG_LEVEL", read=values.one_of("DEBUG", "INFO", "WARNING", "ERROR"), default="INFO",
            meaning="least severity that is logged"),
    Setting(name="LOG_FORMAT", read=values.one_of("text", "json"), default="text",
            meaning="log lines on stderr as text or JSON"),
    Setting(name="METRICS_ADDRESS", read=values.listener, default="", unit="address:port",
            meaning="where Prometheus finds metrics; no TLS, no password; empty: nowhere, and nothing is counted"),
    _limit("SENDS_PER_HOUR", 5, "codes", "asked for with one address, in browsers not known to be its own"),
    _limit("SENDS_PER_DAY", 12, "codes", "the same, in 24 hours"),
    _limit("KNOWN_SENDS_PER_DAY", 10, "codes",
           "asked for in 24 hours by a browser that has entered a code of this guest, or by their invitation"),
    _limit("WRONG_CODES", 50, "wrong codes",
           "in a row for an address; then browsers not known to be its own get one code in 24 hours"),
    _limit("CLIENT_SENDS_PER_10_MINUTES", 60, "codes", "asked for from one client address (IPv6: /64)"),
    _limit("CLIENT_SENDS_PER_HOUR", 300, "codes", "the same, in an hour"),
    _limit("CLIENT_CODES_PER_10_MINUTES", 120, "codes", "entered from one client address"),
    _limit("CLIENT_ADDRESSES_PER_10_MINUTES", 240, "addresses", "typed from one client address"),
    _limit("TENANT_MAILS_PER_HOUR", 500, "mails", "with codes, to the guests of one tenant"),
    _limit("MAILS_PER_HOUR", 2000, "mails", "with codes, of all tenants"),
]  # fmt: skip


def load(environ: Mapping[str, str]) -> dict[str, Any]:
    """Read every setting.

    :param environ: the environment variables; they win over `instance/config.toml`.
    :returns: setting name → typed value.
    :raises BadSettings: with a line for each value at fault.
    """
    faults: list[str] = []
    settings = dict(_read(environ, faults))
    if not faults:
        _fill_in(settings, _port(environ))
        faults += _missing_in_production(settings, environ)
    if faults:
        raise BadSettings("GuestAuth does not start:\n" + "\n".join(f"  {fault}" for fault in faults))
    return settings


def _read(environ: Mapping[str, str], faults: list[str]) -> Iterator[tuple[str, Any]]:
    toml: dict[str, Any] = {}
    with suppress(ValueError, OSError):  # said below
        toml = _config_file(Path(_raw(SETTINGS[0], environ, {}) or "") / "config.toml", faults)
    for setting in SETTINGS:
        try:
            text = _raw(setting, environ, toml)
            yield setting.name, None if text is None else setting.read(text)
        except (ValueError, OSError) as fault:
            faults.append(f"{setting.name}: {fault}")


def _config_file(path: Path, faults: list[str]) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (ValueError, OSError) as fault:
        faults.append(f"{path.name}: {fault}")
        return {}
    unknown = set(content) - {setting.name for setting in SETTINGS}
    faults += [f"{path.name}: there is no setting {name}" for name in sorted(unknown)]
    return content


def _raw(setting: Setting, environ: Mapping[str, str], toml: Mapping[str, Any]) -> str | None:
    if setting.name in environ:
        return environ[setting.name] or setting.default
    if f"{setting.name}_FILE" in environ:
        return Path(environ[f"{setting.name}_FILE"]).read_text("utf-8").strip()
    if setting.name in toml:
        return _toml_text(toml[setting.name])
    return setting.default


def _toml_text(value: object) -> str:
    """Write a TOML value as the environment would have it."""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ",".join(value)
    if not isinstance(value, str | int | float):
        raise ValueError("write a text, a number, true, false or a list of texts")
    return str(value)


def _fill_in(settings: dict[str, Any], port: int) -> None:
    """Give the settings whose default depends on others their value."""
    instance = Path(settings["INSTANCE_PATH"]).resolve()
    settings["INSTANCE_PATH"] = str(instance)
    url = make_url(settings["DATABASE_URL"] or "sqlite:///guestauth.db")
    if url.get_backend_name() == "sqlite":
        url = url.set(database=str(instance / (url.database or "")))
    settings["DATABASE_URL"] = url.render_as_string(hide_password=False)
    if settings["GUESTAUTH_DEMO"]:
        settings["PUBLIC_URL"] = settings["PUBLIC_URL"] or f"http://127.0.0.1:{port}"
        settings["SECRET_KEY"] = settings["SECRET_KEY"] or made_once(instance / "secret_key", secrets.token_hex)
        settings["MAIL_DEFAULT_SENDER"] = settings["MAIL_DEFAULT_SENDER"] or "no-reply@guestauth.example"
    host = urlsplit(settings["PUBLIC_URL"] or "").hostname or ""
    also = ["localhost", "127.0.0.1"] if settings["GUESTAUTH_DEMO"] else []
    settings["TRUSTED_HOSTS"] = settings["TRUSTED_HOSTS"] or [host, *also]
    settings["MAIL_DEFAULT_SENDER"] = settings["MAIL_DEFAULT_SENDER"] or f"no-reply@{host}"


def _missing_in_production(settings: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[str]:
    if settings["MAIL_USE_TLS"] and settings["MAIL_USE_SSL"]:
        yield "MAIL_USE_TLS: it excludes MAIL_USE_SSL; turn one of them off"
    if settings["GUESTAUTH_DEMO"]:
        return
    if not settings["SECRET_KEY"]:
        yield "SECRET_KEY: it is missing; make one with: openssl rand -hex 32"
    if not (settings["PUBLIC_URL"] or "").startswith("https://"):
        yield "PUBLIC_URL: write the https address people use, like https://guests.example.org"
    if not settings["MAIL_SERVER"]:
        yield "MAIL_SERVER: it is missing; codes and invitations leave by mail"
    if environ.get("FLASK_DEBUG", "0").lower() not in ("", "0", "false", "no"):
        yield "FLASK_DEBUG: the debugger runs code for anyone who reaches it; unset it"


def _port(environ: Mapping[str, str]) -> int:
    """Return the port that `make run` serves the demo on."""
    text = environ.get("PORT", "")
    return int(text) if text.isascii() and text.isdigit() else 5000


def made_once(path: Path, make: Callable[[], str]) -> str:
    """Return a secret of the demo's: made once (mode 0600) and read ever after; two processes make only one."""
    if path.exists():
        return path.read_text()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        file.write(make())
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    return path.read_text()
