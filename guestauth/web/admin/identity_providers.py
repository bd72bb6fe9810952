"""Identity providers: where guests sign in instead of by a code; the tenant's own, and the installation's (B6).

The one thing to understand: adding takes two steps in one form. First whose addresses they are; then, with the
redirect address to enter at the provider, what the provider gives for it. The first thing that is wrong decides
which of the two is shown, and what only the provider can give comes last.
"""

import re
import uuid
from typing import Any

from flask import abort
from flask_babel import gettext
from wtforms import HiddenField, PasswordField, StringField, TextAreaField

from guestauth import descriptions, federation, identity_providers, openid
from guestauth.descriptions import Described, ProviderRefused
from guestauth.identity_providers import Listed
from guestauth.languages import N_, said
from guestauth.models import GOOGLE, OPENID_CONNECT, SOURCES
from guestauth.web import gate
from guestauth.web.admin import blueprint, done
from guestauth.web.fields import Form, first, page, problem

KINDS = {GOOGLE: "Google", OPENID_CONNECT: N_("Another OpenID Connect provider")}  # that a tenant can add
OF_THE_PROVIDER = ("client_id", "client_secret")


@blueprint.get("/identity-providers", endpoint="identity_providers")
def all_identity_providers() -> Any:
    """Show the tenant's identity providers, and the installation's."""
    mine = identity_providers.listed(gate.tenant_arrival().tenant.id)
    others = identity_providers.listed(None)
    return page("admin/identity_providers.html", mine=mine, installations=others, kinds=SOURCES)


class AddIdentityProviderForm(Form):
    """What it is, and what it gives us; the id is made beforehand, since the redirect address has it."""

    provider_id = HiddenField()
    kind = StringField(N_("Kind"), default=GOOGLE)
    name = StringField(N_("Name"))
    issuer = StringField(N_("Issuer"))
    covers = TextAreaField(N_("Whose addresses are its"))
    client_id = StringField(N_("Client ID"))
    client_secret = PasswordField(N_("Client secret"))


@blueprint.route("/identity-providers/add", methods=["GET", "POST"])
def add_identity_provider() -> Any:
    """Ask what it is, then what it gives us, and add it."""
    tenant, form = gate.tenant_arrival().tenant, AddIdentityProviderForm()
    described, provider_id = _described(form), _id(form)
    if not form.validate_on_submit():
        return _adding(form, described, _first_wrong(described, tenant.id))
    try:
        made = identity_providers.add(described, tenant_id=tenant.id, provider_id=provider_id, by=gate.caller())
    except ProviderRefused as refusal:
        return _adding(form, described, refusal)
    words = gettext("%(provider)s is added. Test it now, before guests meet it.", provider=made.name)
    return done(words, "identity_provider", provider_id=made.id)


@blueprint.get("/identity-providers/<uuid:provider_id>")
def identity_provider(provider_id: uuid.UUID) -> Any:
    """Show one of the tenant's own."""
    return _shown(provider_id, TestForm())


class TestForm(Form):
    """The Test button."""


@blueprint.route("/identity-providers/<uuid:provider_id>/test", methods=["GET", "POST"])
def test_identity_provider(provider_id: uuid.UUID) -> Any:
    """Ask the provider whether it works as it is set up, and say what it answers."""
    found, form = _found(provider_id), TestForm()
    if not form.validate_on_submit():
        return _shown(provider_id, form)
    try:
        words = said(federation.tried(found.provider))
    except (openid.AnswerRefused, openid.Unreachable) as refusal:
        name, reason = found.provider.name, said(refusal.text)
        words = gettext("%(provider)s doesn't work as it is set up: %(reason)s", provider=name, reason=reason)
    return done(words, "identity_provider", provider_id=provider_id)


class RenewSecretForm(Form):
    """The new secret, instead of one that ends."""

    client_secret = PasswordField(N_("Client secret"))


@blueprint.route("/identity-providers/<uuid:provider_id>/secret", methods=["GET", "POST"])
def renew_client_secret(provider_id: uuid.UUID) -> Any:
    """Keep another client secret; nobody is signed out."""
    found, form = _found(provider_id), RenewSecretForm()
    if not form.validate_on_submit():
        return _shown(provider_id, form)
    secret, tenant_id = first(form.client_secret), found.provider.tenant_id
    try:
        identity_providers.renew_secret(provider_id, secret, tenant_id=tenant_id, by=gate.caller())
    except ProviderRefused as refusal:
        return _shown(provider_id, form, problems=[problem(refusal)])
    return done(gettext("The new secret is kept. Test it now."), "identity_provider", provider_id=provider_id)


class RemoveIdentityProviderForm(Form):
    """The Remove button."""


@blueprint.route("/identity-providers/<uuid:provider_id>/remove", methods=["GET", "POST"])
def remove_identity_provider(provider_id: uuid.UUID) -> Any:
    """Say whom removing a provider locks out, and do it."""
    found, form = _found(provider_id), RemoveIdentityProviderForm()
    if not form.validate_on_submit():
        effect = identity_providers.effect_of_removing(found.provider)
        return page("admin/identity_provider_remove.html", form=form, provider=found.provider, effect=effect)
    identity_providers.remove(provider_id, tenant_id=found.provider.tenant_id, by=gate.caller())
    return done(gettext("%(what)s is removed.", what=found.provider.name), "identity_providers")


def _described(form: AddIdentityProviderForm) -> Described:
    return Described(
        kind=first(form.kind),
        name=first(form.name),
        issuer=first(form.issuer),
        client_id=first(form.client_id),
        client_secret=first(form.client_secret),
        covers=[each for each in re.split(r"[\s,;]+", first(form.covers)) if each],
    )


def _id(form: AddIdentityProviderForm) -> uuid.UUID:
    """Return the id that the redirect address was shown with, or a new one."""
    try:
        return uuid.UUID(first(form.provider_id))
    except ValueError:
        made = uuid.uuid4()
        form.provider_id.data = str(made)
        return made


def _first_wrong(described: Described, tenant_id: uuid.UUID) -> ProviderRefused | None:
    try:
        descriptions.checked(described, tenant_id)
    except ProviderRefused as refusal:
        return refusal
    return None


def _adding(form: AddIdentityProviderForm, described: Described, wrong: ProviderRefused | None) -> Any:
    """Show the step that what is wrong belongs to; on the way to the second nothing has been asked for there."""
    second = form.is_submitted() and (wrong is None or wrong.field in OF_THE_PROVIDER)
    asked = form.is_submitted() and not form.token_failed and (form.client_id.raw_data or not second)
    problems = [problem(wrong)] if wrong and asked else []
    if not second:
        kinds = [(kind, said(words)) for kind, words in KINDS.items()]
        return page("admin/identity_provider_add.html", form=form, problems=problems, kinds=kinds)
    return page(
        "admin/identity_provider_register.html",
        form=form,
        problems=problems,
        name=described.name.strip() or descriptions.NAMES[described.kind],
        redirect_uri=federation.redirect_uri(_id(form)),
        will_use=identity_providers.will_use(described, gate.tenant_arrival().tenant.id),
    )


def _shown(provider_id: uuid.UUID, form: Form, **context: Any) -> Any:
    return page(
        "admin/identity_provider.html",
        form=form,
        found=_found(provider_id),
        kinds=SOURCES,
        redirect_uri=federation.redirect_uri(provider_id),
        **context,
    )


def _found(provider_id: uuid.UUID) -> Listed:
    try:
        return identity_providers.find(provider_id, gate.tenant_arrival().tenant.id)
    except identity_providers.ProviderUnknown:
        abort(404)
