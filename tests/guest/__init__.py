"""The pages a guest sees, one file for each. `at_…` brings somebody to a page the whole way."""

from tests.browser import Browser
from tests.world import ALEX, World

DAY = 24 * 3600  # seconds


def at_send_code(world: World, mail: str = ALEX, path: str = "/fabrikam.example") -> Browser:
    return world.browser().open(path).submit("email-form", email=mail)


def at_enter_code(world: World, mail: str = ALEX, path: str = "/fabrikam.example") -> Browser:
    return at_send_code(world, mail, path).submit("send-code")


def at_consent(world: World, mail: str = ALEX, path: str = "/fabrikam.example") -> Browser:
    return at_enter_code(world, mail, path).submit("enter-code", code=world.code(mail))


def wrong(code: str) -> str:
    """Another code than this one."""
    return f"{(int(code) + 1) % 10**8:08d}"
