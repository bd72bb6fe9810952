"""Administrators: who may use the console (B34).

The one thing to understand: adding somebody sends them nothing; the page says where they sign in.
"""

import uuid
from typing import Any

from flask import abort, redirect, url_for
from flask_babel import gettext
from wtforms import StringField

from guestauth import administrators
from guestauth.addresses import NotAnAddress
from guestauth.languages import N_
from guestauth.models import User
from guestauth.web import cookies, gate
from guestauth.web.admin import blueprint, done
from guestauth.web.fields import Form, first, page, problem


class AddAdministratorForm(Form):
    """Whom to add; the operation reads the address."""

    email = StringField(N_("Email address"))
    display_name = StringField(N_("Name"))


@blueprint.route("/administrators", methods=["GET", "POST"], endpoint="administrators")
def all_administrators() -> Any:
    """Show the administrators, and add one."""
    tenant, form, problems = gate.tenant_arrival().tenant, AddAdministratorForm(), []
    if form.validate_on_submit():
        email, name = first(form.email), first(form.display_name)
        try:
            made = administrators.add(tenant.id, email, display_name=name, by=gate.caller())
        except (NotAnAddress, administrators.AddressTaken, administrators.AdministratorRefused) as refusal:
            problems = [problem(refusal, "email")]
        else:
            return done(
                gettext("%(mail)s is an administrator and can sign in at the console now.", mail=made.mail),
                "administrators",
            )
    everyone = administrators.listed(tenant.id)
    return page("admin/administrators.html", form=form, problems=problems, administrators=everyone)


class RemoveAdministratorForm(Form):
    """The Remove button."""


@blueprint.route("/administrators/<uuid:administrator_id>/remove", methods=["GET", "POST"])
def remove_administrator(administrator_id: uuid.UUID) -> Any:
    """Say what removing an administrator does, and do it; who removes themselves is signed out."""
    found, form, problems = _found(administrator_id), RemoveAdministratorForm(), []
    if form.validate_on_submit():
        try:
            administrators.remove(found.tenant_id, found.id, by=gate.caller())
        except administrators.LastAdministrator as refusal:
            problems = [problem(refusal)]
        else:
            if found.id == gate.administrator().id:
                cookies.forget(arrival=gate.tenant_arrival())
                return redirect(url_for("guest.sign_in"), 303)
            return done(gettext("%(mail)s is no longer an administrator.", mail=found.mail), "administrators")
    return page("admin/administrator_remove.html", form=form, problems=problems, administrator=found)


def _found(administrator_id: uuid.UUID) -> User:
    try:
        return administrators.find(gate.tenant_arrival().tenant.id, administrator_id)
    except administrators.AdministratorUnknown:
        abort(404)
