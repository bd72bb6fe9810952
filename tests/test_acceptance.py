"""The acceptance list is whole: every promise is proven by a test, and no test names one that there is not."""

from tests.acceptance import ACCEPTANCE
from tests.attacks.catalogue import proofs


def test_every_promise_is_proven_by_a_test() -> None:
    assert ACCEPTANCE.keys() - proofs("acceptance").keys() == set(), "mark a test with @pytest.mark.acceptance"


def test_no_test_names_a_promise_that_there_is_not() -> None:
    assert proofs("acceptance").keys() - ACCEPTANCE.keys() == set()
