"""Tells `metrics` of every request, by the name of its page and never by its address (a ticket is in some)."""

import time

from flask import Flask, Response, g, request

from guestauth import metrics


def set_up(app: Flask) -> None:
    """Measure requests, if anybody is to be told."""
    if metrics.is_on(app):
        app.after_request(_tell)


def _tell(response: Response) -> Response:
    spent = time.monotonic() - g.began if "began" in g else 0.0
    metrics.served(request.endpoint or "none", response.status_code, spent)
    return response
