"""Fills in a form as a person could, and says what a browser would send.

Refuses what a person could not do: type into a hidden field, choose what is not offered, write more than
`maxlength`, press a button that is not there. Called by `tests/browser.py`.
"""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urljoin, urlsplit

from lxml.html import HtmlElement

from tests.pages import words

Upload = tuple[str, bytes]


@dataclass(frozen=True)
class Submission:
    """What a browser sends for a form: `data` by name, `files` by name as (file name, content)."""

    method: str
    url: str
    data: dict[str, list[str]]
    files: dict[str, Upload]


def submission(
    form: HtmlElement, page_url: str, button: tuple[str, str] | None, fields: Mapping[str, object]
) -> Submission:
    """Fill in a copy of the form and press the button; `fields` has text, a choice, True/False, or a file.

    A file is (name, content); several choices or checkboxes of one name are a list.
    """
    form = copy.deepcopy(form)
    files = {name: value for name, value in fields.items() if _is_file(form, name)}
    for name in fields.keys() - files.keys():
        _fill(form, name, fields[name])
    pressed = _press(form, button)
    pairs = [(name, str(value)) for name, value in form.form_values()]
    if pressed.get("name"):
        pairs.append((pressed.get("name"), pressed.get("value", "")))
    data: dict[str, list[str]] = {}
    for name, value in pairs:
        data.setdefault(name, []).append(re.sub(r"\r\n|\r|\n", "\r\n", value))
    url = urljoin(page_url, pressed.get("formaction") or form.get("action", ""))
    method = form.get("method", "get").upper()
    if method == "GET":
        return Submission(method, urlsplit(url)._replace(query=urlencode(data, doseq=True)).geturl(), {}, {})
    return Submission(method, url, data, files)


def _typable(form: HtmlElement, name: str | None = None) -> list[HtmlElement]:
    """Find the form's fields, or those called `name`, that a person can fill in."""
    return [
        field
        for field in form.iter("input", "select", "textarea")
        if field.get("name") == (name or field.get("name"))
        and field.get("type") not in ("hidden", "submit", "button", "reset", "image")
        and not {"disabled", "readonly"} & set(field.attrib)
        and not any("disabled" in fieldset.attrib for fieldset in field.iterancestors("fieldset"))
    ]


def _fill(form: HtmlElement, name: str, value: object) -> None:
    fields = _typable(form, name)
    offered = sorted({field.get("name", "") for field in _typable(form)})
    assert fields, f"a person cannot fill in {name!r}: the form offers {offered}; to send it anyway use post()"
    if fields[0].get("type") in ("checkbox", "radio"):
        _check(fields, name, value)
    elif fields[0].tag == "select":
        _choose(fields[0], name, value)
    else:
        _type(fields[0], name, str(value))


def _type(field: HtmlElement, name: str, text: str) -> None:
    most = int(field.get("maxlength") or len(text))
    assert len(text) <= most, f"a person cannot type {len(text)} characters into {name!r}, maxlength={most}"
    field.value = text


def _wanted(value: object) -> set[str]:
    if isinstance(value, list | tuple | set):
        return set(map(str, value))
    return set() if value is None else {str(value)}


def _check(boxes: list[HtmlElement], name: str, value: object) -> None:
    if isinstance(value, bool):
        assert len(boxes) == 1, f"say which of the {len(boxes)} choices of {name!r} are meant"
        boxes[0].checked = value
        return
    offered = {box.get("value", "on") for box in boxes}
    assert _wanted(value) <= offered, f"{name!r} offers {sorted(offered)}, not {value!r}"
    for box in boxes:
        box.checked = box.get("value", "on") in _wanted(value)


def _choose(select: HtmlElement, name: str, value: object) -> None:
    offered = set(select.value_options)
    assert _wanted(value) <= offered, f"{name!r} offers {sorted(offered)}, not {value!r}"
    select.value = _wanted(value) if select.multiple else str(value)


def _is_file(form: HtmlElement, name: str) -> bool:
    files = [field for field in _typable(form, name) if field.get("type") == "file"]
    wrong = 'a form with a file must say enctype="multipart/form-data", or only the file\'s name is sent'
    assert not files or form.get("enctype") == "multipart/form-data", wrong
    return bool(files)


def _press(form: HtmlElement, button: tuple[str, str] | None) -> HtmlElement:
    """Find the button that is meant: the one named, or the only one there is."""
    buttons = form.xpath(
        ".//button[not(@disabled)][not(@type) or @type='submit'] | .//input[@type='submit'][not(@disabled)]"
    )
    offered = {(each.get("name"), each.get("value")): words(each) for each in buttons}
    if button is not None:
        buttons = [each for each in buttons if (each.get("name"), each.get("value")) == button]
    assert buttons, f"a person cannot press {button or 'anything'}: the form offers {offered}"
    assert len(buttons) == 1, f"say which button is meant, button=(name, value): the form offers {offered}"
    return buttons[0]
