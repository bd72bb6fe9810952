"""The console, one file for each of its modules. `at_console` brings an administrator to a page of it."""

from tests.browser import Browser
from tests.world import ADMIN, World

CONSOLE = "/fabrikam.example/admin"


def at_console(world: World, path: str = "", *, mail: str = ADMIN, tenant: str = "fabrikam.example") -> Browser:
    """Sign an administrator in and open a page of the console, like `/guests`."""
    return world.signed_in(mail, f"/{tenant}/admin{path}")
