"""Settings: one-time passcodes, what the tenant says of itself, and where its other settings are (B10 to B13).

The one thing to understand: turning codes off is asked once, with the numbers of that moment; turning them on
is done at once.
"""

from typing import Any

from flask_babel import gettext
from wtforms import HiddenField, StringField
from wtforms.validators import AnyOf, Regexp

from guestauth import administrators, domains, languages, policies, tenants
from guestauth.languages import N_
from guestauth.web import gate
from guestauth.web.admin import blueprint, done
from guestauth.web.fields import Form, first, page, problem


class OneTimePasscodeForm(Form):
    """Yes or No; `confirmed` comes from the page that says what No does."""

    enabled = HiddenField(validators=[AnyOf(["yes", "no"], message=N_("Choose Yes or No"))])  # shown as radios
    confirmed = HiddenField()


@blueprint.route("/settings", methods=["GET", "POST"])
def settings() -> Any:
    """Show the settings, and turn guests' codes on or off."""
    tenant, form = gate.tenant_arrival().tenant, OneTimePasscodeForm()
    if not form.validate_on_submit():
        count = len(administrators.listed(tenant.id))
        names = policies.domain_list(tenant.policy)
        mine = domains.of_tenant(tenant.id)
        return page("admin/settings.html", form=form, administrators=count, domains=mine, domain_list=names)
    on = first(form.enabled) == "yes"
    if tenant.passcodes_on and not on and not first(form.confirmed):
        return page("admin/settings_off.html", effect=policies.effect_of_opting_out(tenant.id))
    policies.turn_passcodes(tenant.id, on=on, by=gate.caller())
    turned_on = gettext("Email one-time passcode for guests is on.")
    return done(turned_on if on else gettext("Email one-time passcode for guests is off."), "settings")


class DetailsForm(Form):
    """What the tenant says of itself."""

    name = StringField(N_("Name"))
    privacy_statement_url = StringField(N_("Address of your privacy statement"))
    help_contact = StringField(N_("Whom guests ask for help"))
    language = StringField(N_("Language"))
    retention_days = StringField(
        N_("Keep the logs for"),
        filters=[lambda days: str(days or "")],  # the tenant's, a number, where the form has none
        validators=[Regexp(r"\s*\d{1,9}\s*$", message=N_("Enter a number of days from 30 to 3650"))],
    )


@blueprint.route("/settings/details", methods=["GET", "POST"])
def details() -> Any:
    """Change the tenant's name, privacy statement, help contact, language and retention."""
    tenant = gate.tenant_arrival().tenant
    form, problems = DetailsForm(obj=tenant), []
    if form.validate_on_submit():
        given = {name: first(form[name]) for name in ("name", "privacy_statement_url", "help_contact", "language")}
        try:
            days = int(first(form.retention_days))
            tenants.change(tenant.id, **given, retention_days=days, by=gate.caller())
        except tenants.TenantRefused as refusal:
            problems = [problem(refusal)]
        else:
            return done(gettext("The settings are saved."), "settings")
    return page("admin/settings_details.html", form=form, problems=problems, spoken=languages.NAMES.items())
