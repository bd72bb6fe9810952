"""The registry of the gallery: every state of every page, and how somebody gets there.

The one thing to understand: a state is a journey on a stage; the page at its end is the picture. A state whose
journey breaks shows nothing, so this list cannot go stale unnoticed.

Called by the gallery and by the tests of what pages look like.
"""

from guestauth.web.dev.states import branding, common, console, guest, organisation, providers
from guestauth.web.dev.states.state import State

GROUPS: dict[str, list[State]] = {
    "Ways in": guest.WAYS_IN,
    "Codes": guest.CODES,
    "Identity providers": providers.GUESTS,
    "Guests inside": guest.INSIDE,
    "Logo and colour": branding.BRANDED,
    "Errors": common.ERRORS,
    "Console: guests": console.GUESTS,
    "Console: invitations": console.INVITATIONS,
    "Console: resources": console.RESOURCES,
    "Console: identity providers": providers.CONSOLE,
    "Console: settings and logs": organisation.SETTINGS,
}
STATES: dict[str, State] = {state.name: state for group in GROUPS.values() for state in group}
