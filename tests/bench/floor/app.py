"""The floor: a sign-in by emailed code, written by hand, that does the least honest durable work.

It is the yardstick of `make bench`: Jinja pages, forms with CSRF tokens, a code that is derived by a key and kept
nowhere, a letter in an outbox, threads that send it over connections kept open, a code that works once and five
tries that are counted, a session that is a row. Nothing else: no tenants, limits, logs, consent, or resending.

The one thing to understand: nothing is left out that makes it safe or durable, and nothing is done that does not;
plain SQL on one connection per thread, and what GuestAuth's settings say of durability. An application, not a
module of the tests: gunicorn serves it from its own folder.
"""

import hashlib
import hmac
import os
import queue
import secrets
import smtplib
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any

import psycopg
from flask import Flask, abort, redirect, render_template, session
from flask_wtf import FlaskForm
from werkzeug.middleware.proxy_fix import ProxyFix
from wtforms import EmailField, StringField
from wtforms.validators import Email, InputRequired, Regexp

DATABASE, KEY = os.environ["DATABASE"], os.environ["SECRET_KEY"]
MAIL, SENDER = (os.environ["MAIL_SERVER"], int(os.environ["MAIL_PORT"])), "no-reply@floor.example"
IS_SQLITE = not DATABASE.startswith("postgresql")
LIFETIME, SESSION_LIFETIME, TRIES, LEASE, SENDERS = 1800, 86400, 5, 120, 8
SCHEMA = """
CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, blocked INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS resources (slug TEXT PRIMARY KEY, title TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS codes (id TEXT PRIMARY KEY, user_id TEXT REFERENCES users, email TEXT NOT NULL,
  browser TEXT NOT NULL, nonce TEXT NOT NULL, tries INTEGER NOT NULL, expires DOUBLE PRECISION NOT NULL,
  used DOUBLE PRECISION);
CREATE TABLE IF NOT EXISTS outbox (id TEXT PRIMARY KEY, code_id TEXT NOT NULL REFERENCES codes,
  due DOUBLE PRECISION NOT NULL, done DOUBLE PRECISION);
CREATE INDEX IF NOT EXISTS outbox_due ON outbox (due) WHERE done IS NULL;
CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users,
  expires DOUBLE PRECISION NOT NULL)
"""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
kept = threading.local()
posted: queue.SimpleQueue[None] = queue.SimpleQueue()
app = Flask(__name__)
app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)
app.config.update(
    SECRET_KEY=KEY,
    SESSION_COOKIE_SECURE=True,
    SESSION_COOKIE_SAMESITE="Lax",
    WTF_CSRF_TIME_LIMIT=None,
    MAX_CONTENT_LENGTH=65536,
)


class EmailForm(FlaskForm):
    email = EmailField("Email address", [InputRequired("Enter your email address"), Email("Enter an address")])


class ButtonForm(FlaskForm):
    pass


class CodeForm(FlaskForm):
    code = StringField("8-digit code", [Regexp(r"[0-9]{8}\Z", message="The code has 8 numbers")])


@app.get("/healthz")
def healthz() -> Any:
    return "up\n"


@app.get("/")
def apps() -> Any:
    user = signed_in()
    if user is None:
        return redirect("/sign-in")
    found = run("SELECT slug, title FROM resources").fetchall()
    return render_template("apps.html", email=user, form=ButtonForm(), resources=found)


@app.get("/apps/<slug>")
def resource(slug: str) -> Any:
    user = signed_in()
    if user is None:
        session["to"] = slug
        return redirect("/sign-in")
    found = run("SELECT title, body FROM resources WHERE slug = ?", slug).fetchone() or abort(404)
    return render_template("resource.html", email=user, form=ButtonForm(), title=found[0], body=found[1])


@app.post("/sign-out")
def sign_out() -> Any:
    if not ButtonForm().validate_on_submit():
        abort(400)
    run("DELETE FROM sessions WHERE id = ?", fingerprint(session.pop("secret", "")))
    return redirect("/sign-in", 303)


@app.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Any:
    form = EmailForm()
    if form.validate_on_submit():
        session["email"] = form.email.data.strip().lower()
        return redirect("/send-code", 303)
    return render_template("sign_in.html", form=form)


@app.route("/send-code", methods=["GET", "POST"])
def send_code() -> Any:
    email, form = session.get("email") or abort(400), ButtonForm()
    if not form.validate_on_submit():
        return render_template("send_code.html", form=form, email=email)
    code_id, session["browser"], moment = secrets.token_hex(16), secrets.token_hex(32), time.time()
    with transaction():
        user = run("SELECT id FROM users WHERE email = ? AND blocked = 0", email).fetchone()
        run(
            "INSERT INTO codes VALUES (?, ?, ?, ?, ?, 0, ?, NULL)",
            *(code_id, user and user[0], email, fingerprint(session["browser"])),
            *(secrets.token_hex(32), moment + LIFETIME),
        )
        run("INSERT INTO outbox VALUES (?, ?, ?, NULL)", secrets.token_hex(16), code_id, moment)
    start_senders()
    posted.put(None)
    session["code"] = code_id
    return redirect("/code", 303)


@app.route("/code", methods=["GET", "POST"])
def code() -> Any:
    code_id, form = session.get("code") or abort(400), CodeForm()
    if not form.validate_on_submit():
        return render_template("code.html", form=form, email=session["email"])
    secret = secrets.token_hex(32)
    if not entered(code_id, fingerprint(session["browser"]), form.code.data, secret):
        form.code.errors = ["That code is not right"]
        return render_template("code.html", form=form, email=session["email"]), 422
    to = session.get("to")
    session.clear()
    session["secret"] = secret
    return redirect(f"/apps/{to}" if to else "/", 303)


def entered(code_id: str, browser: str, typed: str, secret: str) -> bool:
    """Count the try, compare, use the code up, and open a session: one transaction."""
    moment = time.time()
    with transaction():
        tried = run(
            "UPDATE codes SET tries = tries + 1 WHERE id = ? AND browser = ? AND tries < ? AND used IS NULL"
            " AND expires > ? RETURNING nonce, user_id",
            *(code_id, browser, TRIES, moment),
        ).fetchone()
        if not tried or not hmac.compare_digest(derived(code_id, tried[0]), typed) or not tried[1]:
            return False
        if run("UPDATE codes SET used = ? WHERE id = ? AND used IS NULL", moment, code_id).rowcount != 1:
            return False
        run("INSERT INTO sessions VALUES (?, ?, ?)", fingerprint(secret), tried[1], moment + SESSION_LIFETIME)
    return True


def signed_in() -> str | None:
    """Return the address of who is signed in; the row decides."""
    if "secret" not in session:
        return None
    found = run(
        "SELECT email FROM sessions JOIN users ON users.id = user_id"
        " WHERE sessions.id = ? AND expires > ? AND blocked = 0",
        *(fingerprint(session["secret"]), time.time()),
    ).fetchone()
    return found and found[0]


@app.after_request
def add_headers(response: Any) -> Any:
    response.headers.update(HEADERS)
    return response


def derived(code_id: str, nonce: str) -> str:
    digest = hmac.digest(KEY.encode(), f"{code_id}|{nonce}".encode(), "sha256")
    return f"{int.from_bytes(digest[:8]) % 10**8:08d}"


def fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


# The database


def connected() -> Any:
    if not IS_SQLITE:
        return psycopg.connect(DATABASE, autocommit=True)
    connection = sqlite3.connect(DATABASE, timeout=5, isolation_level=None)
    for pragma in ("journal_mode = WAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def run(statement: str, *values: object) -> Any:
    """Run a statement on this thread's connection."""
    if getattr(kept, "process", None) != os.getpid() or (not IS_SQLITE and kept.connection.closed):
        kept.process, kept.connection = os.getpid(), connected()
    return kept.connection.execute(statement if IS_SQLITE else statement.replace("?", "%s"), values)


@contextmanager
def transaction() -> Iterator[None]:
    run("BEGIN IMMEDIATE" if IS_SQLITE else "BEGIN")
    try:
        yield
    except BaseException:
        run("ROLLBACK")
        raise
    run("COMMIT")


# The mail


def start_senders(running: set[int] = set()) -> None:  # noqa: B006 -- one for the process
    """Start this process's threads, once; the first looks for what others left, too."""
    if os.getpid() not in running:
        running.add(os.getpid())
        for n in range(SENDERS):
            threading.Thread(target=send_letters, args=(2 if n == 0 else None,), daemon=True).start()


def send_letters(every: float | None) -> None:
    while True:
        with suppress(queue.Empty):
            posted.get(timeout=every)
        try:
            while letter := leased():
                send(*letter)
                run("UPDATE outbox SET done = ? WHERE id = ?", time.time(), letter[0])
        except Exception:
            app.logger.exception("a letter did not leave; it goes again when its lease runs out")


def leased() -> Any:
    """Take one letter that is due; nobody else gets it until the lease runs out."""
    moment = time.time()
    due = "SELECT id FROM outbox WHERE done IS NULL AND due <= ? ORDER BY due LIMIT 1"
    letter = run(
        f"UPDATE outbox SET due = ? WHERE id = ({due}{'' if IS_SQLITE else ' FOR UPDATE SKIP LOCKED'})"
        " AND done IS NULL RETURNING id, code_id",
        *(moment + LEASE, moment),
    ).fetchone()
    return (
        letter
        and run(
            "SELECT ?, codes.id, nonce, users.email FROM codes LEFT JOIN users ON users.id = user_id"
            " WHERE codes.id = ?",
            *letter,
        ).fetchone()
    )


def send(letter_id: str, code_id: str, nonce: str, to: str | None) -> None:
    if to is None:  # a stranger's
        return
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, to, "Your sign-in code"
    message["Date"], message["Message-ID"] = formatdate(), f"<{letter_id}@floor.example>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"{derived(code_id, nonce)}\n\nis your one-time code. It works for 30 minutes.\n")
    try:
        if not getattr(kept, "smtp", None):
            kept.smtp = smtplib.SMTP(*MAIL, timeout=10, local_hostname="floor.example")
        kept.smtp.send_message(message)
    except BaseException:
        kept.smtp = None
        raise


def prepare() -> None:
    """Make the tables; on a connection of its own, since processes are forked afterwards."""
    connection = connected()
    for statement in SCHEMA.split(";"):
        connection.execute(statement)
    connection.close()


prepare()
