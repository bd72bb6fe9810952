"""The catalogue is whole: every case is proven by a test, and no test names a case that there is not."""

import pytest

from tests.attacks.catalogue import CASES, CATALOGUE, proofs


def test_no_test_names_a_case_that_there_is_not() -> None:
    assert proofs().keys() - CASES.keys() == set()


def test_every_case_is_proven_by_a_test() -> None:
    ours = {name for name, case in CASES.items() if not case.not_applicable}
    assert ours - proofs().keys() == set(), "mark a test with @pytest.mark.case"


def test_case_that_does_not_apply_says_why_and_has_no_test() -> None:
    set_aside = {name for name, case in CASES.items() if case.not_applicable}
    assert set_aside == {"RL-07"} and not set_aside & proofs().keys()


def test_no_case_stands_twice_and_each_has_a_severity() -> None:
    assert len(CASES) == sum(map(len, CATALOGUE.values()))
    assert {case.severity for case in CASES.values()} == set("CHML")


@pytest.mark.parametrize("chapter", CATALOGUE)
def test_cases_of_a_chapter_share_their_letters_and_go_up(chapter: str) -> None:
    letters, numbers = zip(*[name.split("-") for name in CATALOGUE[chapter]], strict=True)
    assert len(set(letters)) == 1 and list(numbers) == sorted(set(numbers))
