"""Logo and colour: what the tenant's pages look like to its guests.

The one thing to understand: a colour is saved as it was picked; what guests see is derived from it, and said here.
"""

from typing import Any

from flask_babel import gettext
from flask_wtf.file import FileField
from wtforms import HiddenField, StringField

from guestauth import branding as store
from guestauth.languages import N_
from guestauth.models import Tenant
from guestauth.web import gate
from guestauth.web.admin import blueprint, done
from guestauth.web.branding import shades
from guestauth.web.fields import Form, Problem, first, page, problem


class BrandingForm(Form):
    """A new logo, or none any more; and the colour, empty for the usual one."""

    logo = FileField(N_("Logo"))
    remove_logo = HiddenField()  # shown as a checkbox
    accent = StringField(N_("Colour"))


@blueprint.route("/settings/branding", methods=["GET", "POST"])
def branding() -> Any:
    """Change the logo and the colour."""
    tenant = gate.tenant_arrival().tenant
    form = BrandingForm(data={"accent": tenant.accent})
    if not form.validate_on_submit():
        return _shown(form, tenant)
    try:
        logo, gone = form.logo.data, bool(first(form.remove_logo))
        content = logo.read() if logo else None
        store.change(tenant.id, logo=content, remove_logo=gone, accent=first(form.accent), by=gate.caller())
    except store.BrandingRefused as refusal:
        return _shown(form, tenant, [problem(refusal)])
    return done(gettext("The settings are saved."), "branding")


def _shown(form: BrandingForm, tenant: Tenant, problems: list[Problem] | None = None) -> Any:
    seen = shades(tenant.accent) if tenant.accent else None
    return page("admin/branding.html", form=form, problems=problems, seen=seen)
