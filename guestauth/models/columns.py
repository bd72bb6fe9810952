"""Columns that every table has alike."""

import uuid
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import mapped_column


def primary_key() -> Any:
    """Return the column of a row's own id, made up when it is added."""
    return mapped_column(primary_key=True, default_factory=uuid.uuid4)


def of(table: str, **options: Any) -> Any:
    """Return the column that names the row of another table which this one belongs to."""
    return mapped_column(ForeignKey(f"{table}.id"), **options)
