"""GuestAuth: people from outside sign in to what an organisation shares, with nothing but their email address.

The map of the code. Operations by noun, pages by audience; each module may import only those before it:

    config      every setting, checked at the start      tenants      the organisations
    database    transactions, the clock                  guests       list, block, delete
    models      the tables                               passcodes    derive, issue and check a code
    audit       the log of who did what                  invitations  invite, resend, revoke, redeem
    addresses   what is an email address                 signin       the way in: start, send, enter
    letters     what the mails say                       demo         the demo's cast
    smtp        the way to the mail server               web          gate, pages, errors, /dev
    mailbox     the demo's mailbox                       cli          the same on the command line
    outbox      letters wait, leave, or are dropped
    courier     the threads that carry them
    resources   what is shared
    sessions    who is signed in
    policies    the B2BManagementPolicy

A request in five hops: `web/gate.py` → the view in `web/guest/` (its form above it) → the operation in
`signin.py` → the rule in `passcodes.py` with rows of `models/` → `templates/guest/enter_code.html`.
"""

import os
from collections.abc import Mapping

from flask import Flask
from flask_migrate import Migrate

from guestauth import cli, config, courier, database, languages, logs, smtp, web


def create_app(environ: Mapping[str, str] | None = None) -> Flask:
    """Make the application from its settings.

    :param environ: the environment variables; default: the process's.
    :raises BadSettings: if a setting is missing or no good.
    """
    settings = config.load(os.environ if environ is None else environ)
    app = Flask(
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
