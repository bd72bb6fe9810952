"""GuestAuth: people from outside sign in to what an organisation shares, with nothing but their email address.

The map of the code. Operations by noun, pages by audience; each module may import only those before it:

    config       every setting, checked at the start    sessions       who is signed in
    keys         all keys, derived by purpose           policies       the B2BManagementPolicy
    colours      readable, whichever is picked          tenants        the organisations
    pictures     what is a picture, and how large       branding       their logos and colours
    database     transactions, the clock (`engines`)    domains        the names that prove to be theirs
    models       the tables, by noun                    administrators who runs a tenant
    languages    what is said in which language         guests         list, block, delete, restore
    audit        the log of who did what                passcodes      derive, issue and check a code
    journal      the logs as people read them           providers      which way in a guest has, and why:
    addresses    what is an email address                 `identity_providers` are the other ways
    spreadsheets CSV files, in and out                  `invitations`, `redemptions`: how one becomes a guest
    letters      what the mails say                     import_files   a file of invitations, read
    smtp         the way to the mail server             imports        and worked off
    fetching     the way to identity providers          signin         the way in: start, enter a code
    openid       what is spoken there: OpenID Connect   sending        send one
    mailbox      the demo's mailbox                     federation     or sign in at a provider instead
    turns        one of all processes does it           checkup        what `flask doctor` looks at
    mail_health  whether mail is delayed as a whole     copying        move to another database, back up
    outbox       letters wait, leave, or are dropped    demo           the cast, and `faults` to try
    limits       how often: the ledger                  metrics        what Prometheus is told
    housekeeping delete what nobody needs any more      web            gate, guest pages, console, /dev
    courier      the threads that do both               cli            the same on the command line
    guessing     wrong codes in a row
    resources    what is shared
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
