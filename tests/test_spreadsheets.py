"""CSV files as spreadsheets take them: formulas neutralised, whatever separates the cells (A-09)."""

import pytest

from guestauth.spreadsheets import written


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        (" =1", " '=1"),
        ("\t=1", "\t'=1"),
        ("Mozilla;=HYPERLINK(1)", "Mozilla;'=HYPERLINK(1)"),
        ("a; -1", "a; '-1"),
        ("＝1", "'＝1"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 (X11; Linux x86_64)"),
        ("a@b.example", "a@b.example"),
        ("1-2=3", "1-2=3"),
        (None, ""),
    ],
)
def test_formula_is_no_formula_any_more(value: object, cell: str) -> None:
    (_, line) = written([[value, "x"]])
    assert line == f"{cell},x\r\n"
