"""Verified domains: the names that lead to the tenant; an administrator adds one by its DNS record (B1, B4).

The one thing to understand: adding names the domain, and the page that follows says what to put into the DNS and
asks for it.
"""

from typing import Any

from flask import abort
from flask_babel import gettext
from wtforms import StringField

from guestauth import addresses, domains
from guestauth.languages import N_
from guestauth.models import Domain
from guestauth.web import gate
from guestauth.web.admin import blueprint, done
from guestauth.web.fields import Form, first, page, problem


class AddDomainForm(Form):
    """Which domain."""

    domain = StringField(N_("Domain"))


@blueprint.route("/domains", methods=["GET", "POST"], endpoint="domains")
def all_domains() -> Any:
    """Show the tenant's domains, and name another one."""
    tenant, form, problems = gate.tenant_arrival().tenant, AddDomainForm(), []
    if form.validate_on_submit():
        try:
            made = domains.claim(tenant.id, first(form.domain), by=gate.caller())
        except domains.DomainRefused as refusal:
            problems = [problem(refusal)]
        else:
            return done(
                gettext("%(domain)s is waiting for its record.", domain=made.name),
                "verify_domain",
                domain=made.name,
            )
    mine = [(each, addresses.in_unicode(each.name)) for each in domains.of_tenant(tenant.id)]
    return page("admin/domains.html", form=form, problems=problems, domains=mine)


class VerifyDomainForm(Form):
    """The Check button."""


@blueprint.route("/domains/<domain>", methods=["GET", "POST"])
def verify_domain(domain: str) -> Any:
    """Show the record that proves a domain, and ask the DNS for it."""
    found, form, problems = _found(domain), VerifyDomainForm(), []
    if form.validate_on_submit():
        try:
            domains.check(found.tenant_id, found.name, by=gate.caller())
        except (domains.NotProved, domains.DomainTaken) as refusal:
            problems = [problem(refusal)]
        else:
            return done(gettext("%(domain)s is verified.", domain=found.name), "domains")
    return page(
        "admin/domain.html",
        form=form,
        problems=problems,
        domain=found,
        record=domains.record(found),
        **_names(found),
    )


class RemoveDomainForm(Form):
    """The Remove button."""


@blueprint.route("/domains/<domain>/remove", methods=["GET", "POST"])
def remove_domain(domain: str) -> Any:
    """Say what removing a domain does, and do it."""
    found, form, problems = _found(domain), RemoveDomainForm(), []
    if form.validate_on_submit():
        try:
            domains.remove(found.tenant_id, found.name, by=gate.caller())
        except domains.LastDomain as refusal:
            problems = [problem(refusal)]
        else:
            return done(gettext("%(what)s is removed.", what=found.name), "domains", tenant=found.tenant_id)
    return page("admin/domain_remove.html", form=form, problems=problems, domain=found, **_names(found))


def _found(typed: str) -> Domain:
    try:
        return domains.find(gate.tenant_arrival().tenant.id, typed)
    except domains.DomainUnknown:
        abort(404)


def _names(domain: Domain) -> dict[str, str]:
    return {"in_unicode": addresses.in_unicode(domain.name)}
