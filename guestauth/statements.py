"""Statements: those that are built once, said to the driver directly.

What it does: `run` says one and returns its rows, or how many it changed; `run_soon` one whose answer nobody
needs; `objects` makes a row into objects of tables.

The one thing to understand: SQLAlchemy writes the words, once, and knows how values go in and come out. Its own
way of running a statement and of reading objects takes several times as long as the database does.

What must stay true: the words and values are those that SQLAlchemy would say.

Called by database. It begins and ends no transaction.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Dialect

from guestauth.connections import Line, say, soon

Processor = Callable[[Any], Any]


class Prepared:
    """A statement as the driver takes it: its words, and what is done to values on their way in and out."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        if compiled.post_compile_params or compiled.literal_execute_params:
            raise TypeError("the words of this statement depend on its values")
        named = {name: bind for bind, name in compiled.bind_names.items()}
        in_order = [(name, named[name]) for name in compiled.positiontup or named]
        self.words, self.by_name = str(compiled), compiled.positiontup is None
        self.given = [(name, bind.key, None if bind.required else bind) for name, bind in in_order]
        self.into = [bind.type.dialect_impl(dialect).bind_processor(dialect) for _, bind in in_order]
        returned = getattr(statement, "exported_columns", ())
        out = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in returned]
        self.has_rows, self.out = bool(out), [(n, process) for n, process in enumerate(out) if process]

    def values(self, values: Mapping[str, Any]) -> Any:
        """Return values as the driver takes them, with those that are a part of the statement."""
        found = [values[key] if usual is None else values.get(key, usual.value) for _, key, usual in self.given]
        said = tuple([into(value) if into else value for into, value in zip(self.into, found, strict=True)])
        return (
            {name: value for (name, _, _), value in zip(self.given, said, strict=True)} if self.by_name else said
        )


def run(mine: Line, statement: Any, values: Mapping[str, Any]) -> tuple[list[list[Any]], int]:
    """Say a statement that is built once; return its rows, and how many it found or changed."""
    prepared = _prepared(statement, mine.connection.dialect)
    found, count = say(mine, prepared.words, prepared.values(values), rows=prepared.has_rows)
    return [_meant(row, prepared.out) for row in found], count


def run_soon(mine: Line, statement: Any, values: Mapping[str, Any]) -> None:
    """Say a statement that is built once and whose answer nobody needs."""
    prepared = _prepared(statement, mine.connection.dialect)
    soon(mine, prepared.words, prepared.values(values))


def objects(row: Sequence[Any], tables: Sequence[Any]) -> tuple[Any, ...]:
    """Make a row, which is of tables side by side, into an object of each; None where an outer join found none.

    No session knows the objects, so nobody looks for changes in them. What comes after the tables stays as it is.
    """
    made, begin = [], 0
    for table in tables:
        names, new = _made_of(table)
        found = new() if row[begin] is not None else None  # the primary key stands first
        if found is not None:
            found.__dict__.update(zip(names, row[begin : begin + len(names)], strict=True))
        made.append(found)
        begin += len(names)
    return (*made, *row[begin:])


def _meant(row: Sequence[Any], out: Sequence[tuple[int, Processor]]) -> list[Any]:
    """Make what each value means of those of a row that are something else to the driver."""
    values = list(row)
    for n, process in out:
        if values[n] is not None:
            values[n] = process(values[n])
    return values


@functools.lru_cache(maxsize=512)
def _prepared(statement: Any, dialect: Dialect) -> Prepared:
    return Prepared(statement, dialect)


@functools.cache
def _made_of(table: Any) -> tuple[Sequence[str], Callable[[], Any]]:
    return table.__table__.columns.keys(), table.__mapper__.class_manager.new_instance
