"""The gallery: every state of every page, in every language and both themes, as it really is.

What it does: lists the states as links and as small frames; shows one at an address of its own.

The one thing to understand: each picture is a page that was just rendered on a stage (see `stage.py`), with its
links and forms made to lead nowhere. The theme is the stylesheet with its question about it answered.

What must stay true: looking changes nothing of the demo; a picture is the page and nothing else, without the bar.
"""

import re
import threading
from typing import Any

from flask import Response, abort, request, url_for
from flask.globals import app_ctx

from guestauth import languages
from guestauth.web import branding
from guestauth.web.dev import WITH_FRAMES, blueprint, pseudo
from guestauth.web.dev.stage import Stage
from guestauth.web.dev.states import GROUPS, STATES
from guestauth.web.fields import page

FRAMED = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'self'; base-uri 'none'"
)
THEMES = {"": "As this device", "light": "Light", "dark": "Dark"}
LANGUAGES = {**languages.NAMES, **pseudo.NAMES}
QUESTION = "(prefers-color-scheme: dark)"
BAR = re.compile(r'<nav class="demo".*?</nav>', re.DOTALL)
LINK = re.compile(r'(<a\b[^>]*? href=")(?!#)[^"]*"')
SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL)
STYLE = re.compile(r'(<link rel="stylesheet" href=")(?:/accent/(\w+)\.css|[^"]*)')
FORM = re.compile(r'(<form\b[^>]*? action=")[^"]*"')
_lock = threading.Lock()
_pictures: dict[tuple[str, str], tuple[str, int]] = {}
_stages: list[Stage] = []


@blueprint.get("/gallery", endpoint="gallery")
def states() -> Any:
    """List the states."""
    shown = {"lang": _chosen("lang", LANGUAGES) or "en", "theme": _chosen("theme", THEMES)}
    group = _chosen("group", GROUPS)
    listed = {group: GROUPS[group]} if group else GROUPS
    answer = page(
        "dev/gallery.html",
        listed=listed,
        pairs=[(each, each) for each in GROUPS],
        group=group,
        total=len(STATES),
        spoken=LANGUAGES,
        themes=THEMES,
        shown=shown,
    )
    answer.headers["Content-Security-Policy"] = WITH_FRAMES
    return answer


@blueprint.get("/gallery/<name>")
def picture(name: str) -> Any:
    """Show a state: the page, its links and forms leading nowhere."""
    if name not in STATES:
        abort(404)
    html, status = rendered(name, _chosen("lang", LANGUAGES) or "en")
    theme = _chosen("theme", THEMES)
    if theme:
        html = STYLE.sub(lambda link: link[1] + url_for("dev.stylesheet", name=theme, accent=link[2]), html)
        html = html.replace('content="light dark"', f'content="{theme}"')
    if request.args.get("still"):  # a frame, which runs no script
        html = SCRIPT.sub("", html)
    answer = Response(html, mimetype="text/html")
    answer.headers["Content-Security-Policy"] = FRAMED
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    answer.headers["X-Gallery-Status"] = str(status)
    return answer


@blueprint.get("/gallery/style-<name>.css")
def stylesheet(name: str) -> Any:
    """Give the stylesheet as it is in one theme, whatever the device prefers.

    In the query: the tenant's colour, if it has one.
    """
    if name not in ("light", "dark"):
        abort(404)
    colour = request.args.get("accent", "")
    if colour and not branding.COLOUR.fullmatch(colour):
        abort(404)
    style = branding.dressed(colour) if colour else branding.style()
    style = style.replace(QUESTION, "all" if name == "dark" else "not all")
    return Response(style.replace("color-scheme: light dark", f"color-scheme: {name}"), mimetype="text/css")


def rendered(name: str, lang: str) -> tuple[str, int]:
    """Return a state's page and its status; it is made once in a process."""
    with _lock:
        if (name, lang) not in _pictures:
            _pictures[name, lang] = _rendered(name, lang)
        return _pictures[name, lang]


def _rendered(name: str, lang: str) -> tuple[str, int]:
    if not _stages:
        _stages.append(Stage(app_ctx.app))
    stage = _stages[0]
    stage.set("en" if lang in pseudo.NAMES else lang)
    person = stage.act(STATES[name].journey)
    html = LINK.sub(r'\g<1>#main"', BAR.sub("", person.html)).replace(" data-continue", "")
    html = FORM.sub(rf'\g<1>{url_for("dev.picture", name=name)}"', html)
    return pseudo.written(html, lang), person.answer.status_code if person.answer else 500


def _chosen(name: str, known: Any) -> str:
    value = request.args.get(name, "")
    return value if value in known else ""
