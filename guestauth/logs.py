"""Logging: one line for each event, on stderr, as text or JSON.

What it does: `set_up` gives the root logger its level and its form.

What must stay true: a line is one line whatever is in it (K-07); no path is logged, since a ticket is in some.
"""

import json
import logging
import sys

from flask import Flask

from guestauth.audit import one_line


class OneLine(logging.Formatter):
    """A line of text; a traceback follows it, indented."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record."""
        line = f"{self.formatTime(record)} {record.levelname} {record.name} {one_line(record.getMessage())}"
        if record.exc_info:
            lines = self.formatException(record.exc_info).split("\n")
            line += "".join(f"\n    {one_line(each)}" for each in lines)
        return line


class JsonLine(logging.Formatter):
    """A JSON object on a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record."""
        fields = {"time": self.formatTime(record), "level": record.levelname, "logger": record.name}
        fields["message"] = record.getMessage()
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields)


def set_up(app: Flask) -> None:
    """Log as the settings say, and keep libraries that would log a letter's content from doing so."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLine() if app.config["LOG_FORMAT"] == "json" else OneLine())
    root = logging.getLogger("guestauth")
    root.handlers, root.propagate = [handler], False
    root.setLevel(app.config["LOG_LEVEL"])
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # its warnings tell of faults that are raised, too
