"""The QA walkthrough: it covers every rule, keeps what a tester writes, and reports it (UX "The demo kit")."""

import re

import pytest

from guestauth.web.dev.walkthrough import SCENARIOS
from tests.probe import ask
from tests.steps import another
from tests.world import World

RULES = {f"B{number}" for number in range(1, 38)}
NASTY = "<script>alert(1)</script>\n# Fail | *bold* `x` \\ [a](b)"


def test_every_rule_of_the_behaviour_is_covered() -> None:
    assert {rule for each in SCENARIOS for rule in each.rules.split()} == RULES


def test_scenarios_are_short_and_have_names_of_their_own() -> None:
    assert 18 <= len(SCENARIOS) == len({each.name for each in SCENARIOS})
    assert all(1 <= len(each.steps) <= 6 and all(do and see for do, see in each.steps) for each in SCENARIOS)


def test_every_link_of_the_walkthrough_works(sqlite_world: World) -> None:
    for link in {address for each in SCENARIOS for _, address in each.links}:
        expected = {"/myapps": 400, "/nowhere.example": 404, "/fabrikam.example?tenantid=contoso.example": 400}
        assert sqlite_world.browser().open(link).status == expected.get(link, 200), link


def test_result_and_notes_are_kept_for_every_process_and_survive_a_reset(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open("/dev/qa").submit("outcome-alex", result="fail", notes=NASTY)
    assert "1 failed" in browser.text and browser.url.endswith("/dev/qa#alex")
    browser.open("/dev/reset").submit("reset")
    kept = another(sqlite_world).browser().open("/dev/qa").form("outcome-alex")
    assert kept.xpath(".//input[@checked]/@value") == ["fail"]
    assert kept.find(".//textarea").text.splitlines() == NASTY.splitlines()


def test_report_is_markdown_with_every_step_and_result(sqlite_world: World) -> None:
    sqlite_world.browser().open("/dev/qa").submit("outcome-alex", result="pass", notes=NASTY)
    answer = ask(sqlite_world.app, "/dev/qa.md")
    assert answer.header("Content-Type") == "text/markdown; charset=utf-8"
    assert "| Alex accepts an invitation | B9 B16 B17 B18 B19 | Pass |" in answer.text
    assert len(re.findall(r"^## \d+\. ", answer.text, re.MULTILINE)) == len(SCENARIOS)
    assert answer.text.count("Expected:") == sum(len(each.steps) for each in SCENARIOS)
    assert r"> \<script\>alert(1)" in answer.text and "\n# Fail" not in answer.text


def test_all_results_are_forgotten_at_a_press(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open("/dev/qa").submit("outcome-links", result="pass", notes="")
    assert "1 passed" in browser.text
    assert "0 passed" in browser.submit("clear").text


@pytest.mark.parametrize("result", ["maybe", "<b>", "PASS"])
def test_result_that_is_none_is_refused(sqlite_world: World, result: str) -> None:
    browser = sqlite_world.browser().open("/dev/qa")
    token = browser.page.xpath("//input[@name='csrf_token']/@value")[0]
    assert browser.post("/dev/qa/alex", {"result": result, "csrf_token": token}).status == 422
    assert "0 passed" in browser.open("/dev/qa").text


def test_nothing_is_kept_without_the_page_s_token(sqlite_world: World) -> None:
    for path in ("/dev/qa/alex", "/dev/qa/clear"):
        assert ask(sqlite_world.app, path, "POST", form={"result": "pass"}).status == 400
    assert not (sqlite_world.instance / "qa").exists()


def test_what_was_typed_is_kept_when_the_page_was_open_too_long(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open("/dev/qa")
    browser.post("/dev/qa/alex", {"result": "fail", "notes": "It was slow."})
    assert browser.status == 400 and "It was slow." in browser.form("outcome-alex").text_content()
    assert "1 failed" in browser.submit("outcome-alex").text


def test_damaged_result_counts_as_none(sqlite_world: World) -> None:
    sqlite_world.browser().open("/dev/qa").submit("outcome-alex", result="pass", notes="")
    (sqlite_world.instance / "qa" / "alex.json").write_text('{"result": "best"')
    assert "0 passed" in sqlite_world.browser().open("/dev/qa").text


@pytest.mark.parametrize("name", ["nothing", "..", "alex.json", "%2e%2e%2fclock"])
def test_scenario_that_is_not_there_is_not_there(sqlite_world: World, name: str) -> None:
    assert ask(sqlite_world.app, f"/dev/qa/{name}").status in (404, 400)
