"""The resources of a tenant, as administrators see them: what is shared, with whom, who opened it (B32).

What it does: lists, adds, edits and removes resources; shares them with one guest, with several or with all.

The one thing to understand: a resource is named by its slug, and stays of its kind: a text, a file or an address.
"""

import re
from collections.abc import Sequence
from typing import Any

from flask import request
from flask_babel import gettext
from flask_wtf.file import FileField
from werkzeug.exceptions import NotFound
from wtforms import HiddenField, StringField, TextAreaField

from guestauth import resources as store
from guestauth import shares
from guestauth.languages import N_
from guestauth.models import Resource
from guestauth.web import gate
from guestauth.web.admin import as_csv, blueprint, done
from guestauth.web.fields import Form, Problem, first, page, problem

KINDS = {"text": N_("Text"), "file": N_("File"), "url": N_("Link")}
MISSING = {"text": N_("Enter the text"), "url": N_("Enter the address"), "file": N_("Choose a file")}
MOST_PAGES = 100_000
COLUMNS = ("title", "slug", "kind", "sharedWithAllGuests", "guests", "size", "fileName", "url", "createdDateTime")


@blueprint.get("/resources")
def resources() -> Any:
    """List what the tenant shares."""
    query = {name: request.args.get(name, "")[:200] for name in ("q", "sort")}
    asked = request.args.get("page", "1")
    number = min(int(asked), MOST_PAGES) if re.fullmatch("[0-9]{1,9}", asked) else 1
    tenant = gate.tenant_arrival().tenant
    found = shares.listed(tenant.id, search=query["q"].strip(), sort=query["sort"] or "title", page=number)
    return page("admin/resources.html", found=found, query=query, number=number, kinds=KINDS)


@blueprint.get("/resources/export")
def export_resources() -> Any:
    """Hand out the list as CSV."""
    found = shares.everything(gate.tenant_arrival().tenant.id)
    return as_csv("resources", [COLUMNS, *(_cells(each, guests) for each, guests in found)])


class AddForm(Form):
    """What to share; of the last three, the one that the kind says."""

    title = StringField(N_("Title"))
    slug = StringField(N_("Name in its address"))
    kind = StringField(N_("Kind"), default="text")
    text = TextAreaField(N_("Text"))
    url = StringField(N_("Address on the web"))
    file = FileField(N_("File"))


@blueprint.route("/resources/add", methods=["GET", "POST"])
def add_resource() -> Any:
    """Add something to share."""
    form = AddForm()
    if not form.validate_on_submit():
        return _adding(form)
    form.slug.data = first(form.slug).strip() or store.suggested_slug(first(form.title))
    kind, tenant_id = first(form.kind), gate.tenant_arrival().tenant.id
    content = _content(form, kind) if kind in KINDS else {}
    if not any(content.values()):
        missing = Problem(gettext(MISSING[kind]), kind) if kind in KINDS else Problem(gettext("Choose what it is"))
        return _adding(form, [missing])
    try:
        made = store.add(tenant_id, form.slug.data, title=first(form.title), by=gate.caller(), **content)
    except (store.ResourceTaken, store.ResourceRefused) as refusal:
        return _adding(form, [problem(refusal)])
    return done(gettext("%(title)s is added. Nobody has it yet.", title=made.title), "resource", slug=made.slug)


@blueprint.get("/resources/<slug>")
def resource(slug: str) -> Any:
    """Show one resource: what it is, whom it is shared with, who opened it."""
    return _shown(slug)


class EditForm(Form):
    """The title, and what it is; without a new file the old one stays."""

    title = StringField(N_("Title"))
    text = TextAreaField(N_("Text"))
    url = StringField(N_("Address on the web"))
    file = FileField(N_("New file"))


@blueprint.route("/resources/<slug>/edit", methods=["GET", "POST"])
def edit_resource(slug: str) -> Any:
    """Change a resource's title and content."""
    found = _named(slug)
    form = EditForm(obj=found)
    if not form.validate_on_submit():
        return page("admin/resource_edit.html", form=form, resource=found)
    content = _content(form, found.kind)
    try:
        changed = store.edit(found.tenant_id, found.slug, title=first(form.title), by=gate.caller(), **content)
    except store.ResourceRefused as refusal:
        problems = [problem(refusal)]
        return page("admin/resource_edit.html", form=form, resource=found, problems=problems)
    return done(gettext("%(title)s is saved.", title=changed.title), "resource", slug=found.slug)


class RemoveForm(Form):
    """The Remove button."""


@blueprint.route("/resources/<slug>/remove", methods=["GET", "POST"])
def remove_resource(slug: str) -> Any:
    """Ask once, saying how many guests lose it; then remove it."""
    found, form = _named(slug), RemoveForm()
    if not form.validate_on_submit():
        return page("admin/resource_remove.html", form=form, resource=found, losing=shares.losing(found))
    store.remove(found.tenant_id, found.slug, by=gate.caller())
    return done(gettext("%(what)s is removed.", what=found.title), "resources")


class ShareForm(Form):
    """The addresses of guests, one a line."""

    guests = TextAreaField(N_("Email addresses of guests"))


@blueprint.route("/resources/<slug>/share", methods=["GET", "POST"])
def share_resource(slug: str) -> Any:
    """Share it with those guests, with all of them or with none."""
    found, form = _named(slug), ShareForm()
    if not form.validate_on_submit():
        return _shown(slug, form)
    typed = re.split(r"[\s,;]+", first(form.guests).strip())
    if typed == [""]:
        return _shown(slug, form, [Problem(gettext("Enter an email address"), "guests")])
    try:
        new = shares.with_guests(found.tenant_id, found.slug, typed, by=gate.caller())
    except shares.NotGuests as refusal:
        return _shown(slug, form, [problem(refusal, "guests")])
    return done(_added([each.mail for each in new]), "resource", slug=found.slug)


class ShareWithAllForm(Form):
    """Whether all guests have it, also those who are invited later."""

    all_guests = HiddenField()


@blueprint.route("/resources/<slug>/share-with-all", methods=["GET", "POST"])
def share_with_all(slug: str) -> Any:
    """Share it with all guests, or no longer."""
    found, form = _named(slug), ShareWithAllForm()
    if not form.validate_on_submit():
        return _shown(slug, form)
    on = first(form.all_guests) == "yes"
    action = store.share if on else store.unshare
    action(found.tenant_id, found.slug, user_id=None, by=gate.caller())
    words = gettext("It is shared with all guests.") if on else gettext("It is shared with those below only.")
    return done(words, "resource", slug=found.slug)


class UnshareForm(Form):
    """Which guest shall not have it any more."""

    guest = HiddenField()


@blueprint.route("/resources/<slug>/unshare", methods=["GET", "POST"])
def unshare_resource(slug: str) -> Any:
    """Take it away from one guest."""
    found, form = _named(slug), UnshareForm()
    if not form.validate_on_submit():
        return _shown(slug, form)
    having = {str(user.id): user for user in shares.guests_of(found)}
    user = having.get(first(form.guest))
    if user is None:
        return done(gettext("They don't have it any more."), "resource", slug=found.slug)
    store.unshare(found.tenant_id, found.slug, user_id=user.id, by=gate.caller())
    return done(gettext("It is no longer shared with %(mail)s.", mail=user.mail), "resource", slug=found.slug)


def _named(slug: str) -> Resource:
    try:
        return store.named(gate.tenant_arrival().tenant.id, slug)
    except store.ResourceUnknown as refusal:
        raise NotFound(str(refusal)) from refusal


def _adding(form: AddForm, problems: list[Problem] | None = None) -> Any:
    return page(
        "admin/resource_add.html",
        form=form,
        problems=problems,
        kinds=[(kind, gettext(words)) for kind, words in KINDS.items()],
    )


def _shown(slug: str, form: Form | None = None, problems: list[Problem] | None = None) -> Any:
    found = _named(slug)
    return page(
        "admin/resource.html",
        form=form,
        problems=problems,
        resource=found,
        kinds=KINDS,
        having=shares.guests_of(found),
        openings=shares.openings(found),
        typed=first(form.guests) if isinstance(form, ShareForm) else "",
    )


def _content(form: Any, kind: str) -> dict[str, Any]:
    """Return what a form has for a kind, by its name; nothing if no file was chosen."""
    if kind == "file":
        sent = form.file.data
        return {"file": (sent.filename, sent.read())} if sent else {}
    if kind == "url":
        return {"url": first(form.url).strip()}
    return {"text": first(form.text).replace("\r\n", "\n")}


def _added(mails: Sequence[str]) -> str:
    if not mails:
        return str(gettext("They had it already."))
    if len(mails) == 1:
        return str(gettext("It is shared with %(mail)s.", mail=mails[0]))
    return str(gettext("It is shared with %(count)s more guests.", count=len(mails)))


def _cells(each: Resource, guests: int) -> Sequence[Any]:
    shared = "yes" if each.shared_with_all else "no"
    what = (each.size, each.file_name, each.url, each.created_at)
    return each.title, each.slug, each.kind, shared, guests, *what
