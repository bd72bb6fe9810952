"""The policy: its definition as text, and the list of domains in it (B14, B21).

The one thing to understand: the first post shows what would change, only the confirmed one changes it; and not
if somebody else has changed the definition since.
"""

import difflib
from collections.abc import Iterator
from typing import Any

from flask_babel import gettext
from wtforms import HiddenField, StringField
from wtforms.validators import AnyOf

from guestauth import addresses, policies, tenants
from guestauth.keys import fingerprint
from guestauth.languages import N_
from guestauth.models import Tenant
from guestauth.policies import DomainList
from guestauth.web import gate
from guestauth.web.admin import blueprint, done
from guestauth.web.fields import Form, Problem, first, page, problem

MOST_COMPARED = 1000  # lines


class PolicyForm(Form):
    """The definition; `before` is the fingerprint of the one it was compared with."""

    definition = StringField(N_("Definition"))
    before = HiddenField()
    confirmed = HiddenField()


@blueprint.route("/policy", methods=["GET", "POST"])
def policy() -> Any:
    """Show the definition; show what another one would change; set it."""
    tenant, form = gate.tenant_arrival().tenant, PolicyForm()
    if not form.validate_on_submit():
        return _editor(form, first(form.definition) if form.is_submitted() else tenant.policy)
    problems = []
    try:
        definition = policies.checked(first(form.definition))
        if definition == tenant.policy:
            return done(gettext("That is the definition there was; nothing was changed."), "policy")
        if first(form.confirmed):
            policies.define(tenant.id, definition, expecting=first(form.before), by=gate.caller())
            return done(gettext("The policy is saved."), "policy")
    except policies.NotAPolicy as refusal:
        return _editor(form, first(form.definition), [problem(refusal, "definition")])
    except policies.PolicyChanged as refusal:
        tenant, problems = tenants.find(str(tenant.id)), [problem(refusal)]
    return page("admin/policy_confirm.html", problems=problems, **_change(tenant, definition))


class DomainListForm(Form):
    """Which list, and its domains, one a line."""

    kind = HiddenField(
        validators=[AnyOf(["everyone", *policies.LISTS], message=N_("Choose one"))]
    )  # shown as radios
    domains = StringField(N_("Domains"))
    confirmed = HiddenField()


@blueprint.route("/domain-list", methods=["GET", "POST"])
def domain_list() -> Any:
    """Show the list of domains; ask once if another one takes something away; keep it."""
    tenant, form = gate.tenant_arrival().tenant, DomainListForm()
    old = policies.domain_list(tenant.policy)
    kind, typed = first(form.kind), first(form.domains)
    if not form.is_submitted():
        kind, typed = (old.kind, "\n".join(_in_unicode(old))) if old else ("everyone", "")
    context: dict[str, Any] = {"kind": kind, "typed": typed}
    if not form.validate_on_submit():
        return page("admin/domain_list.html", form=form, **context)
    try:
        new = _typed_list(tenant, kind, typed)
    except policies.NotAPolicy as refusal:
        return page("admin/domain_list.html", form=form, problems=[problem(refusal, "domains")], **context)
    if new == old:
        return done(gettext("That is the list there was; nothing was changed."), "domain_list")
    gone = old if old and old.kind != kind else None
    out = policies.shut_out(tenant.id, new)
    if (out or gone) and not first(form.confirmed):
        context |= {"new": new, "names": _in_unicode(new), "gone": gone, "gone_names": _in_unicode(gone)}
        return page("admin/domain_list_confirm.html", shut_out=out, **context)
    policies.limit_domains(tenant.id, new, by=gate.caller())
    return done(gettext("The list of domains is saved."), "domain_list")


def _editor(form: Form, definition: str, problems: list[Problem] | None = None) -> Any:
    """Show the editor; a browser sends other line breaks than it got."""
    size = len(definition.replace("\r\n", "\n"))
    most = policies.MOST_CHARACTERS
    return page("admin/policy.html", form=form, problems=problems, definition=definition, size=size, most=most)


def _change(tenant: Tenant, definition: str) -> dict[str, Any]:
    """Say what a new definition changes: line by line, and what it means to guests."""
    old, new = policies.domain_list(tenant.policy), policies.domain_list(definition)
    return {
        "definition": definition,
        "before": fingerprint(tenant.policy),
        "lines": list(_difference(policies.pretty(tenant.policy), policies.pretty(definition))),
        "on": policies.allows_passcodes(definition),
        "effect": policies.effect_of_opting_out(tenant.id),
        "old": old,
        "new": new,
        "names": _in_unicode(new),
        "shut_out": policies.shut_out(tenant.id, new),
    }


def _difference(before: str, after: str) -> Iterator[tuple[str, str]]:
    """Yield each line with what happens to it: same, del, ins."""
    old, new = before.splitlines(), after.splitlines()
    if len(old) + len(new) > MOST_COMPARED:  # comparing takes the cube of it at worst: then all of both
        yield from [("del", line) for line in old] + [("ins", line) for line in new]
        return
    for tag, i, j, k, m in difflib.SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            yield from (("same", line) for line in old[i:j])
            continue
        yield from (("del", line) for line in old[i:j])
        yield from (("ins", line) for line in new[k:m])


def _typed_list(tenant: Tenant, kind: str, typed: str) -> DomainList | None:
    """Read what was typed; None: everyone."""
    if kind == "everyone":
        return None
    names = [name.strip() for name in typed.splitlines() if name.strip()]
    if not names:
        raise policies.NotAPolicy(N_("Enter at least one domain, or choose everyone"))
    new = policies.listed(DomainList(kind, names))
    policies.checked(policies.limited(tenant.policy, new))
    return new


def _in_unicode(domains: DomainList | None) -> list[str]:
    return [addresses.in_unicode(name) for name in domains.domains] if domains else []
