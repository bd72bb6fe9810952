"""How migrations run: with the application's own engine, tables and settings."""

from typing import Any, Literal

from alembic import context
from flask import current_app


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our own column types as what they are to the database."""
    return "sa.DateTime(timezone=True)" if kind == "type" and type(item).__name__ == "UtcDateTime" else False


database = current_app.extensions["migrate"].db

if context.is_offline_mode():
    context.configure(
        dialect_name=database.engine.dialect.name, target_metadata=database.metadata, literal_binds=True
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    with database.engine.connect().execution_options(guestauth_write=True) as connection:
        context.configure(
            connection=connection,
            target_metadata=database.metadata,
            render_as_batch=True,
            compare_type=True,
            render_item=render_item,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
