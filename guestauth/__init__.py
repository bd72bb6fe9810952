"""GuestAuth: people from outside sign in to what an organisation shares, with nothing but their email address.

The map of the code. Operations by noun, pages by audience; each module may import only those before it:

    config              every setting, checked at the start
    keys                all keys, derived by purpose
    colours, pictures   readable, whichever is picked; what is a picture, and how large
    engines, statements what SQLite and PostgreSQL need; what is said to them
    connections         one for each request, kept until its end
    database            transactions, the clock
    models              the tables, by noun
    languages           what is said in which language; `templating`: templates with their words in them
    audit, journal      the log of who did what; the logs as people read them
    addresses           what is an email address
    spreadsheets        CSV files, in and out
    letters, smtp       what the mails say; the way to the mail server
    fetching, openid    the way to identity providers; what is spoken there: OpenID Connect
    mailbox             the demo's mailbox
    turns               one of all processes does it
    mail_health         whether mail is delayed as a whole
    outbox              letters wait, leave, or are dropped
    limits, guessing    how often: the ledger; wrong codes in a row
    housekeeping        delete what nobody needs any more
    courier             the threads that deliver and clean up
    resources, shares   what is shared; with whom, and who opened it
    sessions            who is signed in
    policies            the B2BManagementPolicy
    tenants, branding   the organisations; their logos and colours
    domains             the names that prove to be theirs
    administrators      who runs a tenant
    guests              list, block, delete, restore
    passcodes           derive, issue and check a code
    providers           which way in a guest has, and why
    identity_providers  the other ways; `descriptions`: what one is; `identities`: who somebody is there
    invitations         invite, resend, reset, revoke
    redemptions         accept or decline
    imports             a file of invitations worked off; `import_files` reads it
    signin, sending     the way in: start, enter a code; send one
    federation          or sign in at an identity provider
    checkup, copying    what `flask doctor` looks at; move to another database, back up
    stand_in            the demo's stand-in for Google
    samples             every letter, to look at
    demo, faults        the cast; what can go wrong, to try
    metrics             what Prometheus is told
    web                 gate, guest pages, console, /dev
    cli                 the same on the command line

A request in five hops: `web/gate.py` → the view in `web/guest/` (its form above it) → the operation in
`signin.py` → the rule in `passcodes.py` with rows of `models/` → `templates/guest/enter_code.html`.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask
from flask_migrate import Migrate

from guestauth import cli, config, courier, database, languages, logs, smtp, templating, web


class Site(Flask):
    """A Flask application none of whose views is a coroutine, and whose templates are those of a language."""

    jinja_environment = templating.Environment

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function as it is; Flask would look at each again, a dozen for each request."""
        return func


def create_app(environ: Mapping[str, str] | None = None) -> Flask:
    """Make the application from its settings.

    :param environ: the environment variables; default: the process's.
    :raises BadSettings: if a setting is missing or no good.
    """
    settings = config.load(os.environ if environ is None else environ)
    app = Site(
        __name__,
        root_path=str(config.PROJECT),
        instance_path=settings["INSTANCE_PATH"],
    )
    app.config.update(settings, MAIL_DEBUG=False, MAIL_SUPPRESS_SEND=False)
    logs.set_up(app)
    database.set_up(app)
    smtp.mail.init_app(app)
    languages.set_up(app)
    app.extensions["guestauth_courier"] = courier.Courier()
    Migrate(app, database.db, directory=str(config.PROJECT / "guestauth" / "migrations"))
    web.set_up(app)
    cli.set_up(app)
    return app
