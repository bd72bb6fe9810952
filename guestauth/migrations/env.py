"""How migrations run: with the application's own engine, tables and settings."""

from typing import Any, Literal

from alembic import context
from flask import current_app
from sqlalchemy import text

from guestauth import engines


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our own column types as what they are to the database."""
    return "sa.DateTime(timezone=True)" if kind == "type" and type(item).__name__ == "UtcDateTime" else False


ALONE = 4_857_220_918  # any number: the lock that two who start at once take turns by
database = current_app.extensions["migrate"].db

if context.is_offline_mode():
    context.configure(
        dialect_name=database.engine.dialect.name, target_metadata=database.metadata, literal_binds=True
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    with database.engine.begin() as connection:
        engines.begin(connection)
        context.configure(
            connection=connection,
            target_metadata=database.metadata,
            render_as_batch=True,
            compare_type=True,
            render_item=render_item,
        )
        with context.begin_transaction():  # one for all: two who start at once take turns
            if connection.dialect.name == "postgresql":
                connection.execute(text("SET LOCAL lock_timeout = 0"))
                connection.execute(text(f"SELECT pg_advisory_xact_lock({ALONE})"))
            context.run_migrations()
