"""Metrics for Prometheus: right under several processes, at an address of their own, nothing personal (K-09)."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from guestauth import metrics
from tests import servers
from tests.e2e.site import Prepare, Site, behind, delivering, site, wait_until
from tests.steps import another, ask
from tests.world import FABRIKAM, STRANGER, World

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(scope="module")
def measured(prepare: Prepare) -> Iterator[Site]:
    """The demo on SQLite, served by three processes that tell Prometheus."""
    with (
        servers.held_port() as port,
        site(
            prepare("sqlite", METRICS_ADDRESS=f"127.0.0.1:{port}", LIMIT_SENDS_PER_HOUR="2"), workers=3
        ) as served,
    ):
        yield served


def page(at: Site) -> str:
    return httpx.get(f"http://{at.settings['METRICS_ADDRESS']}/metrics", trust_env=False).raise_for_status().text


def samples(at: Site) -> Samples:
    found = text_string_to_metric_families(page(at))
    return {(each.name, frozenset(each.labels.items())): each.value for family in found for each in family.samples}


def value(at: Site, name: str, **labels: str) -> float:
    return samples(at).get((f"guestauth_{name}", frozenset(labels.items())), 0.0)


def event(at: Site, name: str, result: str = "success", reason: str = "") -> float:
    return value(at, "events_total", event=name, result=result, reason=reason)


def test_requests_are_added_up_over_all_processes(measured: Site) -> None:
    labels = {"endpoint": "health.healthz", "status": "2xx"}
    before = value(measured, "requests_total", **labels)
    for _ in range(12):
        measured.browser().open("/healthz")
    assert [value(measured, "requests_total", **labels) for _ in range(8)] == [before + 12] * 8
    assert value(measured, "request_seconds_count", endpoint="health.healthz") == before + 12


def test_requests_that_fail_are_told_apart_by_their_class(measured: Site) -> None:
    measured.browser().open("/nothing/here")
    assert value(measured, "requests_total", endpoint="none", status="4xx") >= 1


def test_sign_in_is_counted_step_by_step_with_reasons(measured: Site) -> None:
    mail, before = measured.guest(), event(measured, "sign-in")
    browser = measured.awaiting_code(mail)
    browser.submit("enter-code", code=f"{(int(measured.code(mail)) + 1) % 10**8:08d}")
    browser.submit("enter-code", code=measured.code(mail))
    assert event(measured, "sign-in") == before + 1
    assert event(measured, "sign-in", "refused", "wrong code") >= 1
    assert event(measured, "passcode.requested") >= 1
    wait_until(lambda: event(measured, "passcode.mailed") >= 1)


def test_code_of_a_stranger_is_counted_as_dropped(measured: Site) -> None:
    measured.awaiting_code(STRANGER)
    wait_until(lambda: event(measured, "passcode.dropped", "refused", "not a guest") >= 1)


def test_state_of_mail_database_and_build_is_told(measured: Site) -> None:
    assert value(measured, "database_up") == 1
    assert value(measured, "mail_failing") == value(measured, "letters_oldest_seconds") == 0
    assert re.search(r'guestauth_build_info\{version="[0-9.]+"\} 1', page(measured))


def test_waiting_letters_and_the_age_of_the_oldest_are_told(world: World) -> None:
    world.deliver()
    before = world.do(metrics._state)
    assert (before["letters_waiting"][1], before["letters_oldest_seconds"][1]) == (0, 0)
    ask(world)
    world.advance(100)
    state = world.do(metrics._state)
    assert state["letters_waiting"][1] == 1
    assert 100 <= state["letters_oldest_seconds"][1] < 200


@pytest.mark.long
def test_delivery_as_a_process_of_its_own_tells_at_its_own_address(prepare: Prepare) -> None:
    with servers.held_port() as port:
        told = prepare("sqlite", METRICS_ADDRESS=f"127.0.0.1:{port}", MAIL_DELIVERY="worker")
        with behind(told) as away:
            away.world.run("guest", "resend", "fabrikam.example", "alexdoe@gmail.com")
            with delivering(away):
                wait_until(lambda: answers(away) and event(away, "invitation.mailed") >= 1, seconds=20)


def answers(at: Site) -> bool:
    try:
        return bool(page(at))
    except httpx.TransportError:
        return False


@pytest.mark.case("K-09")
def test_no_address_tenant_or_code_is_in_them(measured: Site) -> None:
    mail = measured.guest()
    browser = measured.awaiting_code(mail)
    code = measured.code(mail)
    browser.submit("enter-code", code=code)
    text = page(measured)
    assert "guestauth_requests_total" in text
    for personal in (mail, "firstup", "fabrikam", "@", str(FABRIKAM), code, browser.url.rpartition("/")[2]):
        assert personal.lower() not in text.lower(), personal


@pytest.mark.case("K-09")
def test_words_of_a_mail_server_are_no_label(measured: Site) -> None:
    mail = measured.guest()
    measured.sink.refuse()
    measured.awaiting_code(mail)
    wait_until(lambda: event(measured, "passcode.dropped", "refused", "other") >= 1)
    measured.sink.accept()
    assert mail not in page(measured)


def test_limit_that_is_reached_is_counted_by_its_name(measured: Site) -> None:
    mail = measured.guest()
    assert [measured.awaiting_code(mail).status for _ in range(4)] == [200, 200, 429, 429]
    assert event(measured, "limit.reached", reason="sends") == 1
    assert value(measured, "limits_reached_total", endpoint="guest.send_code") >= 2


def test_site_itself_does_not_show_them(measured: Site) -> None:
    assert measured.browser().open("/metrics").status == 404


def test_address_in_use_counts_nothing_and_stops_nothing(sqlite_world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = another(sqlite_world, METRICS_ADDRESS=f"127.0.0.1:{other.getsockname()[1]}")
        metrics.set_up(taken.app)
    assert not metrics.is_on(taken.app)
    assert taken.browser().open("/healthz").status == 200


def test_off_means_that_nothing_is_loaded_or_counted() -> None:
    names = "(*sys.modules, *os.environ)"
    code = f"import os, sys, app; print([each for each in {names} if 'prometheus' in each.lower()])"
    command, env = [sys.executable, "-c", code], {"GUESTAUTH_DEMO": "on", "PATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, cwd=servers.ROOT, check=True, env=env)
    assert done.stdout.strip() == "[]"
