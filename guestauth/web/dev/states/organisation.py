"""States of the console: settings, domains, policy, administrators, logs."""

from guestauth import administrators, demo
from guestauth.web.dev.stage import ADMIN, HOME, Stage
from guestauth.web.dev.states.state import State
from guestauth.web.dev.visitor import Visitor

POLICY = '{"B2BManagementPolicy": {"PreviewPolicy": {"Features": []}}}'


def _policy(stage: Stage, definition: str) -> Visitor:
    return stage.console("/policy").submit("policy", definition=definition)


def _domain_list(stage: Stage, kind: str, domains: str) -> Visitor:
    return stage.console("/domain-list").submit("domain-list", kind=kind, domains=domains)


def _claimed(stage: Stage) -> Visitor:
    return stage.console("/domains").submit("add-domain", domain="fabrikam-partners.example")


def _removing(stage: Stage, mail: str, *, confirmed: bool) -> Visitor:
    found = next(each for each in stage.do(administrators.listed, demo.FABRIKAM) if each.mail == mail)
    person = stage.console(f"/administrators/{found.id}/remove")
    return person.submit("remove-administrator") if confirmed else person


def _logged(stage: Stage, rest: str) -> Visitor:
    stage.at_enter_code().submit("enter-code", code="00000000")
    stage.signed_in(f"{HOME}/apps/expense-portal")
    return stage.console(rest)


SETTINGS = [
    State("settings", "Settings", lambda s: s.console("/settings")),
    State("settings-off", "Turn codes off?",
          lambda s: s.console("/settings").submit("one-time-passcode", enabled="no")),
    State("settings-saved", "Settings, saved",
          lambda s: s.console("/settings").submit("one-time-passcode", enabled="no").submit("one-time-passcode")),
    State("details", "Organisation", lambda s: s.console("/settings/details")),
    State("details-refused", "Organisation, mistakes",
          lambda s: s.console("/settings/details").submit("details", name="", privacy_statement_url="here"), 422),
    State("domains", "Verified domains", lambda s: s.console("/domains")),
    State("domains-refused", "Add a domain, no domain",
          lambda s: s.console("/domains").submit("add-domain", domain="fabrikam"), 422),
    State("domain", "A domain that waits for its record", _claimed),
    State("domain-remove", "Remove a domain?",
          lambda s: s.console("/domains/fabrikam.example/remove")),
    State("domain-list", "Whom you may invite", lambda s: s.console("/domain-list")),
    State("domain-list-refused", "Whom you may invite, no domain",
          lambda s: _domain_list(s, "allow", "here there"), 422),
    State("domain-list-confirm", "Whom you may invite, guests shut out",
          lambda s: _domain_list(s, "allow", "proseware.example")),
    State("policy", "Policy", lambda s: s.console("/policy")),
    State("policy-refused", "Policy, not one", lambda s: _policy(s, "{"), 422),
    State("policy-confirm", "Save the policy?", lambda s: _policy(s, POLICY)),
    State("administrators", "Administrators", lambda s: s.console("/administrators")),
    State("administrators-refused", "Add an administrator, no address",
          lambda s: s.console("/administrators").submit("add-administrator", email="robin"), 422),
    State("administrator-remove", "Remove an administrator?", lambda s: _removing(s, ADMIN, confirmed=False)),
    State("administrator-last", "Remove the last one", lambda s: _removing(s, ADMIN, confirmed=True), 422),
    State("sign-ins", "Sign-in log", lambda s: _logged(s, "/sign-ins")),
    State("sign-ins-none", "Sign-in log, nothing found", lambda s: s.console("/sign-ins?address=nobody")),
    State("audit", "Audit log", lambda s: _logged(s, "/audit")),
    State("audit-refused", "Audit log, no such day", lambda s: s.console("/audit?from=yesterday"), 422),
]  # fmt: skip
