"""Spreadsheets: tables as CSV files that people open in Excel and the like.

What it does: `written` writes rows, `read` reads a file that somebody made.

The one thing to understand: to a spreadsheet a cell that begins with = + - @ or a control character is a
formula. An export would carry a stranger's formula to an administrator's desk, so such cells are written with
an apostrophe before them (OWASP, "CSV Injection").

What must stay true: what goes out is neutralised, whoever wrote it; what comes in is text, never run.

Called by the console and the command line. It knows no table.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from guestauth.database import Refusal
from guestauth.languages import N_

Rows = Iterable[Sequence[Any]]
FORMULA = re.compile(r"((?:^|[;\t\r\n])\s*)(?=[=+\-@|%＝＋－＠\t\r\n])")  # also where other separators are used
ENCODINGS = ("utf-8-sig", "utf-16")  # what spreadsheets save


class NotASpreadsheet(Refusal):
    """The file is no CSV file; the text says why."""


def written(rows: Rows) -> Iterator[str]:
    """Write rows as CSV (RFC 4180), a piece for each row, with the mark by which Excel knows UTF-8.

    :param rows: the first one is the header.
    """
    yield "\ufeff"
    line = io.StringIO()
    writer = csv.writer(line)
    for row in rows:
        line.seek(0)
        line.truncate()
        writer.writerow([_cell(value) for value in row])
        yield line.getvalue()


def read(content: bytes) -> list[tuple[int, list[str]]]:
    """Read a CSV file, separated by commas or semicolons: its rows with their numbers, without the empty ones.

    :returns: a row's number is the one that a spreadsheet shows beside it.
    :raises NotASpreadsheet: if it is no text, or its quotes do not end.
    """
    text = _text(content)
    first = next((line for line in text.splitlines() if "," in line or ";" in line), "")
    separator = ";" if first.count(";") > first.count(",") else ","
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as fault:
        raise NotASpreadsheet(N_("The file cannot be read as CSV: check that its quotes end")) from fault
    return [(n, row) for n, row in enumerate(rows, 1) if any(cell.strip() for cell in row)]


def _text(content: bytes) -> str:
    encoding = ENCODINGS[content[:2] in (b"\xff\xfe", b"\xfe\xff")]
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as fault:
        raise NotASpreadsheet(N_("The file is not text in UTF-8: save it as “CSV UTF-8”")) from fault
    if "\x00" in text:
        raise NotASpreadsheet(N_("The file is not text"))
    return text


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    text = "" if value is None else str(value)
    return FORMULA.sub(r"\1'", text)
