"""GuestAuth: people from outside sign in to what an organisation shares, with nothing but their email address.

The map of the code. Operations by noun, pages by audience; each module may import only those before it:

    config       every setting, checked at the start    sessions       who is signed in
    keys         all keys, derived by purpose           policies       the B2BManagementPolicy
    database     transactions, the clock (`engines`)    tenants        the organisations
    models       the tables, by noun                    domains        the names that prove to be theirs
    languages    what is said in which language         administrators who runs a tenant
    audit        the log of who did what                guests         list, block, delete, restore
    journal      the logs as people read them           passcodes      derive, issue and check a code
    addresses    what is an email address               providers      which way in a guest has, and why:
    spreadsheets CSV files, in and out                    `identity_providers` are the other ways
    letters      what the mails say                     `invitations`, `redemptions`: how one becomes a guest
    smtp         the way to the mail server             import_files   a file of invitations, read
    fetching     the way to identity providers          imports        and worked off
    openid       what is spoken there: OpenID Connect   identities     who somebody is at one
    mailbox      the demo's mailbox                     signin         the way in: start, enter a code
    turns        one of all processes does it           sending        send one
    mail_health  whether mail is delayed as a whole     federation     or sign in at a provider instead
    outbox       letters wait, leave, or are dropped    checkup        what `flask doctor` looks at
    limits       how often: the ledger                  copying        move to another database, back up
    housekeeping delete what nobody needs any more      demo           the cast, and `faults` to try
    courier      the threads that do both               metrics        what Prometheus is told
    guessing     wrong codes in a row                   web            gate, guest pages, console, /dev
    resources    what is shared                         cli            the same on the command line
    shares       with whom, and who opened it

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
