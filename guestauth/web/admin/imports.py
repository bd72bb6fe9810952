"""Invitations from a file: hand it in, see what would happen, invite, see what became of each line (B20).

What it does: `import_guests` reads a file, `import_progress` shows its plan and works it off, `import_results`
gives what became of it as CSV, `discard_import` throws it away.

The one thing to understand: a press of the button works for about two seconds and answers; with `run` in its
address the page presses it again by itself (`data-continue`), else the person does.
"""

import uuid
from typing import Any

from flask import abort, redirect, request, url_for
from flask_babel import format_decimal, gettext, ngettext
from flask_wtf.file import FileField

from guestauth import import_files, imports
from guestauth.database import Refusal
from guestauth.languages import N_
from guestauth.web import gate
from guestauth.web.admin import as_csv, blueprint, done
from guestauth.web.fields import Form, page, problem

SECONDS = 2.0  # how long one request works
EXAMPLE = {"inviteeEmail": "name@example.com", "inviteRedirectURL": "/apps/welcome-pack", "sendEmail": "true"}


class UploadForm(Form):
    """A CSV file."""

    file = FileField(N_("CSV file"))


@blueprint.route("/guests/import", methods=["GET", "POST"])
def import_guests() -> Any:
    """Take a file, and lead to what it would do."""
    tenant, form, problems = gate.tenant_arrival().tenant, UploadForm(), []
    if form.validate_on_submit():
        try:
            plan = import_files.planned(tenant.id, _content(form))
            made = imports.keep(tenant.id, form.file.data.filename, plan, by=gate.caller())
            return redirect(url_for("admin.import_progress", import_id=made.id), 303)
        except Refusal as refusal:
            problems = [problem(refusal, "file")]
    earlier = imports.listed(tenant.id)
    return page("admin/import.html", form=form, problems=problems, earlier=earlier, most=import_files.MOST_ROWS)


@blueprint.get("/guests/import/template")
def import_template() -> Any:
    """Give a file to fill in, with one line as an example."""
    columns = import_files.COLUMNS
    rows = [[import_files.VERSION], list(columns.values()), [EXAMPLE.get(name, "") for name in columns]]
    return as_csv("guests", rows)


class RunForm(Form):
    """The Invite and the Go on button."""


@blueprint.route("/guests/import/<uuid:import_id>", methods=["GET", "POST"])
def import_progress(import_id: uuid.UUID) -> Any:
    """Show what a file would do, or how far it is; invite the next of its guests."""
    form = RunForm()
    try:
        if form.validate_on_submit():
            return _go_on(import_id)
        return _progress_page(import_id, form)
    except imports.ImportUnknown:
        abort(404)


@blueprint.get("/guests/import/<uuid:import_id>/results")
def import_results(import_id: uuid.UUID) -> Any:
    """Give what became of each line, as CSV."""
    try:
        rows = imports.rows(gate.tenant_arrival().tenant.id, import_id)
    except imports.ImportUnknown:
        abort(404)
    lines = [(row.n, row.mail, row.display_name, row.outcome or imports.WAITING, row.reason) for row in rows]
    return as_csv("invitations", [("line", "mail", "displayName", "outcome", "reason"), *lines])


class DiscardForm(Form):
    """The Discard button."""


@blueprint.route("/guests/import/<uuid:import_id>/discard", methods=["GET", "POST"])
def discard_import(import_id: uuid.UUID) -> Any:
    """Throw a file and its results away, after asking."""
    tenant, form = gate.tenant_arrival().tenant, DiscardForm()
    try:
        found, counts = imports.progress(tenant.id, import_id)
        if form.validate_on_submit():
            imports.discard(tenant.id, import_id, by=gate.caller())
            return done(_discarded(found.file_name), "import_guests")
    except imports.ImportUnknown:
        abort(404)
    return page("admin/import_discard.html", form=form, found=found, counts=counts)


def _discarded(name: str) -> str:
    named, nameless = gettext("%(file)s is discarded.", file=name), gettext("The file is discarded.")
    return str(named if name else nameless)


def _content(form: UploadForm) -> bytes:
    if not form.file.data:
        raise import_files.ImportFileRefused(N_("Choose a CSV file"))
    content: bytes = form.file.data.read()
    return content


def _go_on(import_id: uuid.UUID) -> Any:
    tenant = gate.tenant_arrival().tenant
    worked = imports.run(tenant.id, import_id, by=gate.caller(), seconds=SECONDS)
    _, counts = imports.progress(tenant.id, import_id)
    if counts[imports.WAITING]:
        run = "on" if worked else None  # somebody else is at the last ones: do not press on and on
        return redirect(url_for("admin.import_progress", import_id=import_id, run=run), 303)
    count = counts[imports.INVITED]
    words = ngettext(
        "%(count)s person was invited", "%(count)s people were invited", count, count=format_decimal(count)
    )
    return done(words, "import_progress", import_id=import_id)


def _progress_page(import_id: uuid.UUID, form: RunForm) -> Any:
    tenant, outcome = gate.tenant_arrival().tenant, request.args.get("outcome", "")
    found, counts = imports.progress(tenant.id, import_id)
    number = request.args.get("page", 1, type=int)
    return page(
        "admin/import_progress.html",
        form=form,
        found=found,
        counts=counts,
        total=sum(counts.values()),
        listed=imports.page(tenant.id, import_id, outcome=outcome, number=number),
        outcome=outcome,
        why=imports.why,
        running=request.args.get("run") == "on",
    )
