"""States of the console: guests, invitations, resources."""

from typing import Any

from guestauth import audit, demo, guests, invitations
from guestauth.web.dev.stage import ALEX, CONSOLE, HOME, NICOLE, Stage
from guestauth.web.dev.states.state import State
from guestauth.web.dev.visitor import Visitor

HEAD = "version:v1.0\n[inviteeEmail],[inviteRedirectURL],[sendEmail]\n"
PEOPLE = (
    "kim@proseware.example,/apps/welcome-pack,true\nlee@proseware.example,,\nnobody,,\nlee@proseware.example,,\n"
)
BY = audit.COMMAND_LINE


def _after(stage: Stage, mail: str, action: str, rest: str = "") -> Visitor:
    """Do something with a guest, and look at them, or at a page behind."""
    return stage.guest(mail, f"/{action}").submit(action).open(_of(stage, mail, rest))


def _of(stage: Stage, mail: str, rest: str) -> str:
    return f"{CONSOLE}/guests/{stage.do(guests.find, demo.FABRIKAM, mail).id}{rest}"


def _deleted(stage: Stage, rest: str = "") -> Visitor:
    guest = stage.do(guests.find, demo.FABRIKAM, NICOLE)
    stage.do(guests.delete, demo.FABRIKAM, guest.id, by=BY)
    return stage.console(f"/guests/{guest.id}{rest}")


def _many(stage: Stage, rest: str = "") -> Visitor:
    for n in range(1, 61):
        mail = f"guest{n:02d}@proseware.example"
        stage.do(invitations.invite, demo.FABRIKAM, mail, display_name=f"Guest {n}", by=BY, send_mail=False)
    return stage.console(f"/guests{rest}")


def _none(stage: Stage) -> Visitor:
    return stage.signed_in("/woodgrove.example/admin", "admin@woodgrove.example").open(
        "/woodgrove.example/admin/guests"
    )


def _with_session(stage: Stage, rest: str) -> Visitor:
    stage.signed_in(f"{HOME}/apps/expense-portal")
    return stage.guest(NICOLE, rest)


def _invite(stage: Stage, **typed: Any) -> Visitor:
    return stage.console("/guests/invite").submit("invite", **typed)


def _quietly(stage: Stage) -> Visitor:
    stage.do(
        invitations.invite, demo.FABRIKAM, "kim@proseware.example", display_name="Kim Abe", by=BY, send_mail=False
    )
    return stage.guest("kim@proseware.example", "/invited")


def _file(stage: Stage, lines: str = PEOPLE) -> Visitor:
    return stage.console("/guests/import").submit("import", file=((HEAD + lines).encode(), "people.csv"))


def _resource(stage: Stage, rest: str) -> Visitor:
    return stage.console(f"/resources/{rest}")


def _no_resources(stage: Stage) -> Visitor:
    return stage.signed_in("/woodgrove.example/admin", "admin@woodgrove.example").open(
        "/woodgrove.example/admin/resources"
    )


def _opened(stage: Stage) -> Visitor:
    stage.signed_in(f"{HOME}/apps/expense-portal")
    return _resource(stage, "expense-portal")


GUESTS = [
    State("guests", "Guests", lambda s: s.console("/guests")),
    State("guests-many", "Guests, many", _many),
    State("guests-sorted", "Guests, sorted, second page", lambda s: _many(s, "?sort=-name&page=2")),
    State("guests-not-found", "Guests, nobody found", lambda s: s.console("/guests?q=nobody")),
    State("guests-none", "Guests, none yet", _none),
    State("guest-unknown", "A guest there is not", lambda s: s.console(f"/guests/{demo.CONTOSO}"), 404),
    State("guest-pending", "A guest who is invited", lambda s: s.guest(ALEX)),
    State("guest-accepted", "A guest who uses codes", lambda s: _with_session(s, "")),
    State("guest-blocked", "A guest who is blocked", lambda s: _after(s, NICOLE, "block")),
    State("guest-deleted", "A guest who was deleted", _deleted),
    State("guest-done", "A guest, something was done", lambda s: s.guest(ALEX, "/resend").submit("resend")),
    State("guest-resend", "Resend?", lambda s: s.guest(ALEX, "/resend")),
    State("guest-revoke", "Revoke?", lambda s: s.guest(ALEX, "/revoke")),
    State("guest-reset", "Reset redemption status?", lambda s: _with_session(s, "/reset")),
    State("guest-end-sessions", "End sessions?", lambda s: _with_session(s, "/end-sessions")),
    State("guest-block", "Block?", lambda s: s.guest(NICOLE, "/block")),
    State("guest-unblock", "Unblock?", lambda s: _after(s, NICOLE, "block", "/unblock")),
    State("guest-clear-limits", "Clear limits?", lambda s: s.guest(NICOLE, "/clear-limits")),
    State("guest-delete", "Delete?", lambda s: s.guest(NICOLE, "/delete")),
    State("guest-restore", "Restore?", lambda s: _deleted(s, "/restore")),
    State("guest-impossible", "Something that is not possible now", lambda s: s.guest(NICOLE, "/resend"), 422),
]
INVITATIONS = [
    State("invite", "Invite a guest", lambda s: s.console("/guests/invite")),
    State("invite-format", "Invite, no address", lambda s: _invite(s, email="kim"), 422),
    State("invite-known", "Invite, a guest already", lambda s: _invite(s, email=ALEX), 422),
    State("invited", "Invited", lambda s: _invite(s, email="kim@proseware.example", display_name="Kim Abe")),
    State("invited-without-mail", "Invited without mail", _quietly),
    State("import", "Invite from a file", lambda s: s.console("/guests/import")),
    State("import-refused", "A file that is none", lambda s: _file(s, '"'), 422),
    State("import-too-large", "A file that is too large", lambda s: _file(s, "x" * 6_000_000), 413),
    State("import-checked", "A file, checked", _file),
    State("import-done", "A file, done", lambda s: _file(s).submit("run")),
    State(
        "import-earlier", "Invite from a file, earlier ones", lambda s: _file(s).open(f"{CONSOLE}/guests/import")
    ),
    State("import-discard", "Discard a file?", lambda s: _discard(s)),
]
RESOURCES = [
    State("resources", "Resources", lambda s: s.console("/resources")),
    State("resources-not-found", "Resources, none found", lambda s: s.console("/resources?q=nothing")),
    State("resources-none", "Resources, none yet", _no_resources),
    State("resource-page", "A text for all guests", lambda s: _resource(s, "welcome-pack")),
    State("resource-shared", "A file for some guests", lambda s: _resource(s, "project-plan")),
    State("resource-opened", "A link that was opened", _opened),
    State("resource-share-unknown", "Share, not a guest",
          lambda s: _resource(s, "project-plan").submit("share", guests="nobody@firstup.example"), 422),
    State("resource-add", "Add a resource", lambda s: _resource(s, "add")),
    State("resource-add-empty", "Add, nothing filled in",
          lambda s: _resource(s, "add").submit("add-resource"), 422),
    State("resource-edit", "Edit a text", lambda s: _resource(s, "welcome-pack/edit")),
    State("resource-edit-file", "Edit a file", lambda s: _resource(s, "project-plan/edit")),
    State("resource-remove", "Remove a resource?", lambda s: _resource(s, "project-plan/remove")),
]  # fmt: skip


def _discard(stage: Stage) -> Visitor:
    person = _file(stage)
    return person.open(f"{person.path}/discard")
