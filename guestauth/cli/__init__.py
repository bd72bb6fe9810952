"""The command line: what the pages do, with the same rules and the same audit (B35). One file for each noun.

What it does: `set_up` registers the commands; `command` gives each its tenant, its exit codes and its output.

The one thing to understand: bad input ends with 2, a rule's refusal with 1, each with a message on stderr; what
a command shows it also gives as JSON.
"""

from flask import Flask

from guestauth.cli import (
    administrator,
    audit,
    database,
    demo,
    doctor,
    guest,
    imports,
    mail,
    policy,
    provider,
    purge,
    resource,
    session,
    tenant,
)


def set_up(app: Flask) -> None:
    """Add the commands to `flask`."""
    guest.guest.add_command(imports.import_guests)
    for group in (
        tenant.tenant,
        administrator.administrator,
        guest.guest,
        resource.resource,
        policy.policy,
        provider.provider,
        session.session,
        mail.mail,
        database.database,
        demo.demo,
    ):
        app.cli.add_command(group)
    app.cli.add_command(audit.audit)
    app.cli.add_command(doctor.doctor)
    app.cli.add_command(purge.purge)
