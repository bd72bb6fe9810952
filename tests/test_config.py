"""Settings: typed, checked at the start, production unless told otherwise (F11, K-01, K-02, K-04, K-08)."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from guestauth import config, create_app
from guestauth.config import SETTINGS, BadSettings
from tests import servers

SECRET = "6f1d2c3b4a5968778695a4b3c2d1e0ffa1b2c3d4e5f60718293a4b5c6d7e8f90"
OTHER = "0f8e7d6c5b4a39281706f5e4d3c2b1a0ffe0d1c2b3a495867768594a3b2c1d6f"
Load = Callable[..., dict[str, Any]]


@pytest.fixture
def production(tmp_path: Path) -> Load:
    """Load what production needs, changed as given; None leaves a setting out."""
    needed = {
        "SECRET_KEY": SECRET,
        "PUBLIC_URL": "https://guests.example.org",
        "MAIL_SERVER": "mail.example.org",
        "INSTANCE_PATH": str(tmp_path),
    }

    def load(**changes: str | None) -> dict[str, Any]:
        return config.load({name: text for name, text in {**needed, **changes}.items() if text is not None})

    return load


@pytest.fixture
def demo(tmp_path: Path) -> Load:
    """Load the demo, changed as given."""
    return lambda **changes: config.load({"GUESTAUTH_DEMO": "on", "INSTANCE_PATH": str(tmp_path), **changes})


def refusal(load: Load, **changes: str | None) -> list[str]:
    """Return the lines of the refused start, after the first."""
    with pytest.raises(BadSettings) as refused:
        load(**changes)
    first, *lines = str(refused.value).splitlines()
    assert first == "GuestAuth does not start:"
    return [line.strip() for line in lines]


# Production is the default.


def test_production_starts_with_three_settings(production: Load) -> None:
    values = production()
    assert (values["GUESTAUTH_DEMO"], values["SECRET_KEY"]) == (False, SECRET)
    assert values["MAIL_DEFAULT_SENDER"] == "no-reply@guests.example.org"
    assert values["TRUSTED_HOSTS"] == ["guests.example.org"]


@pytest.mark.parametrize(
    ("changes", "named", "advice"),
    [
        ({"SECRET_KEY": None}, "SECRET_KEY", "openssl rand -hex 32"),
        ({"SECRET_KEY": ""}, "SECRET_KEY", "openssl rand -hex 32"),
        ({"PUBLIC_URL": None}, "PUBLIC_URL", "https://guests.example.org"),
        ({"PUBLIC_URL": "http://guests.example.org"}, "PUBLIC_URL", "write the https address"),
        ({"MAIL_SERVER": None}, "MAIL_SERVER", "it is missing"),
        ({"FLASK_DEBUG": "1"}, "FLASK_DEBUG", "unset it"),
        ({"FLASK_DEBUG": "True"}, "FLASK_DEBUG", "unset it"),
        ({"MAIL_USE_TLS": "on", "MAIL_USE_SSL": "on"}, "MAIL_USE_TLS", "turn one of them off"),
    ],
)
def test_refused_start_names_the_setting_and_says_what_to_do(
    production: Load, changes: dict[str, str | None], named: str, advice: str
) -> None:
    (line,) = refusal(production, **changes)
    assert line.startswith(f"{named}: ")
    assert advice in line


def test_every_missing_setting_has_its_line() -> None:
    lines = refusal(lambda: config.load({"INSTANCE_PATH": "/nowhere"}))
    assert [line.partition(":")[0] for line in lines] == ["SECRET_KEY", "PUBLIC_URL", "MAIL_SERVER"]


@pytest.mark.parametrize("debug", ["", "0", "false", "No"])
def test_debugger_that_is_off_is_no_reason(production: Load, debug: str) -> None:
    assert production(FLASK_DEBUG=debug)


@pytest.mark.parametrize(
    "weak",
    ["dev", "changeme", "secret", "x" * 64, "0123456789" * 4, "a" * 31, "example-" + SECRET, "ab" * 32,
     "Change-Me-please-changeme-1234567890", "é" * 20],
)  # fmt: skip
@pytest.mark.parametrize("name", ["SECRET_KEY", "SECRET_KEY_FALLBACKS"])
@pytest.mark.case("K-01")
def test_secret_that_can_be_guessed_is_refused_and_not_shown(production: Load, name: str, weak: str) -> None:
    (line,) = refusal(production, **{name: weak})
    assert line.startswith(f"{name}: ") and "openssl rand -hex 32" in line
    assert weak not in line.replace("secret", "")


def test_fallbacks_are_a_list_newest_first(production: Load) -> None:
    assert production(SECRET_KEY_FALLBACKS=f" {OTHER} , {SECRET},")["SECRET_KEY_FALLBACKS"] == [OTHER, SECRET]
    assert production()["SECRET_KEY_FALLBACKS"] == []


def test_application_itself_refuses_the_start_with_the_words_and_no_traceback() -> None:
    done = servers.flask({}, "routes")
    assert done.returncode != 0
    assert "SECRET_KEY: it is missing" in done.stderr
    assert "Traceback" not in done.stderr


def test_mail_debug_stays_off_whatever_the_environment_says(tmp_path: Path) -> None:
    app = create_app({"GUESTAUTH_DEMO": "on", "INSTANCE_PATH": str(tmp_path), "MAIL_DEBUG": "1"})
    assert (app.config["MAIL_DEBUG"], app.config["MAIL_SUPPRESS_SEND"]) == (False, False)


# Types (F11).


def test_secret_of_digits_stays_text(production: Load) -> None:
    digits = "31415926535897932384626433832795028841971"
    assert production(SECRET_KEY=digits)["SECRET_KEY"] == digits


@pytest.mark.parametrize(
    ("text", "value"),
    [("False", False), ("off", False), ("0", False), ("NO", False), ("", False), (" on ", True), ("TRUE", True),
     ("1", True), ("yes", True)],
)  # fmt: skip
def test_flag_is_true_or_false(production: Load, text: str, value: bool) -> None:
    assert production(MAIL_USE_TLS=text)["MAIL_USE_TLS"] is value


@pytest.mark.parametrize(
    ("name", "text", "advice"),
    [
        ("MAIL_USE_TLS", "maybe", "write on or off"),
        ("GUESTAUTH_DEMO", "2", "write on or off"),
        ("MAIL_PORT", "0", "from 1 to 65535"),
        ("MAIL_PORT", "65536", "from 1 to 65535"),
        ("MAIL_PORT", "smtp", "whole number"),
        ("MAIL_PORT", "-25", "whole number"),
        ("MAIL_PORT", "25.0", "whole number"),
        ("MAIL_PORT", "1_000", "whole number"),
        ("MAIL_PORT", "٢٥", "whole number"),
        ("MAIL_PORT", "²", "whole number"),
        ("MAIL_TIMEOUT", "121", "from 1 to 120"),
        ("MAIL_CONNECTIONS", "0", "from 1 to 64"),
        ("TRUSTED_PROXIES", "11", "from 0 to 10"),
        ("PASSCODE_LIFETIME", "59", "from 60 to 1800"),
        ("PASSCODE_LIFETIME", "1801", "from 60 to 1800"),
        ("SESSION_LIFETIME", "299", "from 300 to 86400"),
        ("SESSION_LIFETIME", "86401", "from 300 to 86400"),
        ("MAIL_DELIVERY", "cron", "one of inline, worker"),
        ("LOG_LEVEL", "LOUD", "one of DEBUG, INFO"),
        ("LOG_FORMAT", "xml", "one of text, json"),
        ("DATABASE_URL", "mysql://root@localhost/db", "sqlite and postgresql only"),
        ("DATABASE_URL", "guestauth.db", "write sqlite:///"),
        ("DATABASE_URL", "sqlite://", "write sqlite:///"),
        ("DATABASE_URL", "sqlite:///:memory:", "write sqlite:///"),
        ("MAIL_DEFAULT_SENDER", "nobody", "write an email address"),
        ("MAIL_DEFAULT_SENDER", "é@example.org", "write an email address"),
        ("MAIL_CA_FILE", "/nowhere/ca.pem", "there is no file /nowhere/ca.pem"),
    ],
)  # fmt: skip
def test_bad_value_is_named_with_what_to_write(production: Load, name: str, text: str, advice: str) -> None:
    (line,) = refusal(production, **{name: text})
    assert line.startswith(f"{name}: ")
    assert advice in line


@pytest.mark.parametrize(
    "text",
    ["guests.example.org", "ftp://guests.example.org", "https://", "https://h.example/path", "https://h.example?x=1",
     "https://h.example#x", "https://me@h.example", "https://[::1", "https://h.example:port",
     "https://h.example:99999", "//h.example", "https://h example", "https://g\u00e4ste.example/x"],
)  # fmt: skip
@pytest.mark.case("C-09")
def test_public_url_is_scheme_and_host_only(production: Load, text: str) -> None:
    (line,) = refusal(production, PUBLIC_URL=text)
    assert line.startswith("PUBLIC_URL: ")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (" https://guests.example.org/ ", "https://guests.example.org"),
        ("HTTPS://Guests.Example.ORG:443", "https://guests.example.org"),
        ("https://guests.example.org:8443", "https://guests.example.org:8443"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        ("https://B\u00fccher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_public_url_is_written_as_browsers_write_it(production: Load, text: str, url: str) -> None:
    assert production(PUBLIC_URL=text)["PUBLIC_URL"] == url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("postgres://u:p%40s@h:5433/d", "postgresql+psycopg://u:p%40s@h:5433/d"),
        ("postgresql://u:p@h/d?sslmode=require", "postgresql+psycopg://u:p@h/d?sslmode=require"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
        ("sqlite:////var/lib/guests.db", "sqlite:////var/lib/guests.db"),
    ],
)
def test_database_url_names_its_driver_and_keeps_its_password(production: Load, text: str, url: str) -> None:
    assert production(DATABASE_URL=text)["DATABASE_URL"] == url


def test_database_is_a_file_in_the_instance_folder_unless_told_otherwise(production: Load, tmp_path: Path) -> None:
    assert production()["DATABASE_URL"] == f"sqlite:///{tmp_path}/guestauth.db"
    assert production(DATABASE_URL="sqlite:///other.db")["DATABASE_URL"] == f"sqlite:///{tmp_path}/other.db"


@pytest.mark.parametrize(
    ("text", "address"),
    [("codes@example.org", "codes@example.org"), ("Fabrikam <codes@example.org>", "codes@example.org"),
     ("codes@b\u00fccher.example", "codes@xn--bcher-kva.example")],
)  # fmt: skip
def test_sender_is_an_address_alone(production: Load, text: str, address: str) -> None:
    assert production(MAIL_DEFAULT_SENDER=text)["MAIL_DEFAULT_SENDER"] == address


def test_words_are_taken_in_any_letter_case(production: Load) -> None:
    values = production(LOG_LEVEL="debug", LOG_FORMAT=" JSON", MAIL_DELIVERY="Worker")
    assert (values["LOG_LEVEL"], values["LOG_FORMAT"], values["MAIL_DELIVERY"]) == ("DEBUG", "json", "worker")


def test_hosts_are_a_list(production: Load) -> None:
    assert production(TRUSTED_HOSTS="a.example, b.example")["TRUSTED_HOSTS"] == ["a.example", "b.example"]


def test_empty_value_means_the_default(production: Load) -> None:
    empty = {setting.name: "" for setting in SETTINGS if setting.name not in ("SECRET_KEY", "PUBLIC_URL")}
    given = production(**{**empty, "MAIL_SERVER": "mail.example.org", "INSTANCE_PATH": None})
    assert given == {**production(INSTANCE_PATH=None)}


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("", None),
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
    ],
)
def test_name_server_is_an_address_and_a_port(production: Load, text: str, server: object) -> None:
    assert production(DNS_SERVER=text)["DNS_SERVER"] == server


@pytest.mark.parametrize("text", ["dns.example.org", "192.0.2.1:x", "192.0.2.1:99999", "300"])
def test_name_server_that_is_no_address_is_refused(production: Load, text: str) -> None:
    (line,) = refusal(production, DNS_SERVER=text)
    assert line.startswith("DNS_SERVER: ")


# Files.


SAMPLES = {
    **dict.fromkeys(("SECRET_KEY", "SECRET_KEY_FALLBACKS"), OTHER),
    **dict.fromkeys(("GUESTAUTH_DEMO", "MAIL_USE_TLS", "MAIL_USE_SSL"), "off"),
    **dict.fromkeys(("TRUSTED_PROXIES", "MAIL_TIMEOUT", "MAIL_CONNECTIONS", "PROVIDER_TIMEOUT"), "3"),
    **dict.fromkeys(("INSTANCE_PATH", "MAIL_USERNAME", "MAIL_PASSWORD"), "/somewhere"),
    "DATABASE_URL": "sqlite:////somewhere/a.db",
    "PUBLIC_URL": "https://a.example",
    "MAIL_DEFAULT_SENDER": "a@a.example",
    "MAIL_CA_FILE": __file__,
    "MAIL_DELIVERY": "worker",
    "DNS_SERVER": "127.0.0.1:5353",
    "PROVIDER_NETWORKS": "10.0.0.0/8,fd00::/8",
    "PROVIDER_CA_FILE": __file__,
    "METRICS_ADDRESS": "127.0.0.1:9464",
    "LOG_LEVEL": "ERROR",
    "LOG_FORMAT": "json",
}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_can_be_given_as_a_file(production: Load, tmp_path: Path, setting: config.Setting) -> None:
    text = SAMPLES.get(setting.name, "300")
    (tmp_path / "value").write_text(f"{text}\n")
    values = production(**{setting.name: None, f"{setting.name}_FILE": str(tmp_path / "value")})
    assert values[setting.name] == setting.read(text)


def test_environment_wins_over_the_file(production: Load, tmp_path: Path) -> None:
    (tmp_path / "value").write_text("other.example.org")
    assert production(MAIL_SERVER_FILE=str(tmp_path / "value"))["MAIL_SERVER"] == "mail.example.org"


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"short"])
def test_file_that_is_no_good_is_named_by_its_setting(
    production: Load, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "value").write_bytes(content)
    (line,) = refusal(production, SECRET_KEY=None, SECRET_KEY_FILE=str(tmp_path / "value"))
    assert line.startswith("SECRET_KEY: ")


def test_instance_folder_given_as_a_file_is_where_config_toml_is_looked_for(
    production: Load, tmp_path: Path
) -> None:
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "config.toml").write_text("MAIL_PORT = 2525")
    (tmp_path / "where").write_text(str(tmp_path / "instance"))
    assert production(INSTANCE_PATH=None, INSTANCE_PATH_FILE=str(tmp_path / "where"))["MAIL_PORT"] == 2525


def test_config_toml_holds_the_same_names(production: Load, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        'MAIL_PORT = 2525\nMAIL_USE_TLS = true\nTRUSTED_HOSTS = ["a.example", "b.example"]\nLOG_LEVEL = "ERROR"\n'
    )
    values = production()
    assert (values["MAIL_PORT"], values["MAIL_USE_TLS"], values["LOG_LEVEL"]) == (2525, True, "ERROR")
    assert values["TRUSTED_HOSTS"] == ["a.example", "b.example"]


def test_environment_and_file_win_over_config_toml(production: Load, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("MAIL_PORT = 2525\nMAIL_TIMEOUT = 30\n")
    (tmp_path / "value").write_text("40")
    values = production(MAIL_PORT="587", MAIL_TIMEOUT_FILE=str(tmp_path / "value"))
    assert (values["MAIL_PORT"], values["MAIL_TIMEOUT"]) == (587, 40)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"MAIL_PORTS = 25", "config.toml: there is no setting MAIL_PORTS"),
        (b"[mail]\nserver = 'x'", "config.toml: there is no setting mail"),
        (b"MAIL_PORT = ", "config.toml: "),
        (b"\xff", "config.toml: "),
        (b"MAIL_PORT = 'x'", "MAIL_PORT: write a whole number"),
        (b"TRUSTED_HOSTS = [1, 2]", "TRUSTED_HOSTS: "),
        (b"MAIL_USERNAME = {a = 1}", "MAIL_USERNAME: "),
    ],
)
def test_bad_config_toml_stops_the_start(production: Load, tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "config.toml").write_bytes(content)
    assert refusal(production)[0].startswith(words)


# The demo.


def test_demo_starts_with_nothing_else(demo: Load, tmp_path: Path) -> None:
    values = demo()
    assert (values["PUBLIC_URL"], values["MAIL_SERVER"]) == ("http://127.0.0.1:5000", "")
    assert values["TRUSTED_HOSTS"] == ["127.0.0.1", "localhost", "127.0.0.1"]
    assert values["INSTANCE_PATH"] == str(tmp_path)


@pytest.mark.parametrize(("port", "url"), [("5001", "http://127.0.0.1:5001"), ("", "http://127.0.0.1:5000")])
def test_demos_address_follows_the_port(demo: Load, port: str, url: str) -> None:
    assert demo(PORT=port)["PUBLIC_URL"] == url


@pytest.mark.parametrize("port", ["abc", "²", "-1", "5000 ", "99999999"])
def test_port_that_is_none_never_ends_in_a_traceback(demo: Load, port: str) -> None:
    try:
        assert demo(PORT=port)
    except BadSettings as refused:
        assert "PORT" in str(refused)


def test_demos_secret_is_made_once_and_only_its_owner_can_read_it(demo: Load, tmp_path: Path) -> None:
    made = demo()["SECRET_KEY"]
    assert len(made) == 64 and demo()["SECRET_KEY"] == made
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_demos_secret_can_be_given(demo: Load, tmp_path: Path) -> None:
    assert demo(SECRET_KEY=SECRET)["SECRET_KEY"] == SECRET
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_processes_that_start_at_once_make_one_secret(tmp_path: Path) -> None:
    code = "import sys; from guestauth import config; sys.stdin.read()\n"
    code += "print(config.load({'GUESTAUTH_DEMO': 'on', 'INSTANCE_PATH': sys.argv[1]})['SECRET_KEY'])"
    command = [sys.executable, "-c", code, str(tmp_path / "instance")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": servers.ROOT}
    started = [subprocess.Popen(command, **pipes) for _ in range(4)]
    for process in started:
        process.stdin.close()
    made = {process.stdout.read() for process in started}
    assert [process.wait(30) for process in started] == [0] * 4
    assert len(made) == 1 and len(made.pop().strip()) == 64
    assert [path.name for path in (tmp_path / "instance").iterdir()] == ["secret_key"]


def test_demo_refuses_bad_values_too(demo: Load) -> None:
    assert refusal(demo, MAIL_PORT="x", SECRET_KEY="dev")[0].startswith("SECRET_KEY: ")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_says_what_it_is_for_and_its_default_is_good(setting: config.Setting) -> None:
    assert setting.meaning and not setting.meaning.endswith(".")
    if setting.default is not None:
        setting.read(setting.default)
