"""What tests of other ways in share: nothing is known of a provider, and none is let rest, when a test begins."""

import pytest

from guestauth import fetching, openid


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """Forget what earlier tests have read of the providers that they share."""
    openid.forget()
    fetching.forget()
