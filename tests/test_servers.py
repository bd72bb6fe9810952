"""The tests' own servers do what the tests rely on."""

import os
import select
import signal
import socket
import ssl
import subprocess
import sys
from contextlib import contextmanager

import httpx
import psycopg
import pytest

from tests import servers
from tests.servers.process import running, wait_until_ready

APP = """
import os
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [" ".join(sorted(os.environ)).encode() + b" " + environ["wsgi.url_scheme"].encode()]
"""


@pytest.fixture(scope="module")
def admin_url():
    with servers.or_skip(servers.postgresql) as url:
        yield url


@pytest.fixture(scope="module")
def certificates():
    with servers.certificates() as made:
        yield made


# PostgreSQL


def test_postgresql_answers(admin_url):
    with psycopg.connect(admin_url) as connection:
        assert connection.execute("select 1, current_setting('max_connections')").fetchone() == (1, "200")


def test_postgresql_wants_its_password(admin_url):
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(admin_url.replace("postgres:", "postgres:not-", 1))


def test_database_is_a_copy_of_its_template_and_can_be_dropped_in_use(admin_url):
    with psycopg.connect(servers.create_database(admin_url, "original"), autocommit=True) as connection:
        connection.execute("create table guest (name text)")
    copy = psycopg.connect(servers.create_database(admin_url, "copy", template="original"))
    assert copy.execute("select count(*) from guest").fetchone() == (0,)
    servers.drop_database(admin_url, "copy")
    servers.drop_database(admin_url, "original")
    with pytest.raises(psycopg.OperationalError):
        copy.execute("select 1")


# Processes and ports


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="this system has no pidfd_open")
def test_server_ends_with_the_process_that_started_it(tmp_path):
    starter = (
        "import os, pathlib; from tests.servers.process import running\n"
        f"with running(['sleep', '600'], log=pathlib.Path('{tmp_path}/log')) as process:\n"
        "    print(process.pid, flush=True); input(); os.kill(os.getpid(), 9)"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", starter], cwd=servers.ROOT, **pipes) as killed:
        server = os.pidfd_open(int(killed.stdout.readline()))
        killed.communicate(b"\n")
    assert select.select([server], [], [], 10)[0], "the server lives on"
    os.close(server)


def test_server_that_ends_at_once_is_reported_with_its_words(tmp_path):
    log = tmp_path / "log"
    reported = pytest.raises(servers.DidNotStart, match=r"(?s)ended with 3.*no such setting")
    with running(["sh", "-c", "echo no such setting; exit 3"], log=log) as process, reported:
        wait_until_ready(process, lambda: False, log=log)


def test_server_that_ignores_the_request_to_end_is_killed(tmp_path):
    script = "trap '' TERM; echo ready; while :; do sleep 1; done"
    with running(["sh", "-c", script], log=tmp_path / "log") as process:
        wait_until_ready(process, lambda: "ready" in (tmp_path / "log").read_text(), log=tmp_path / "log")
        assert servers.process.end(process, signal.SIGTERM, seconds=0.1) == -signal.SIGKILL


def test_closed_port_refuses_connections():
    with servers.closed_port() as port, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


# What is absent


def test_absence_is_a_skip_with_a_reason_at_home_and_a_failure_in_continuous_integration(monkeypatch):
    @contextmanager
    def nothing():
        raise servers.Absent("no teapot")
        yield

    for ci, outcome in (("", pytest.skip.Exception), ("true", pytest.fail.Exception)):
        monkeypatch.setenv("CI", ci)
        with pytest.raises(outcome, match="no teapot"), servers.or_skip(nothing):
            pass
        with pytest.raises(outcome, match="no kettle"):
            servers.require(None, "no kettle")


# The application and the browser


@pytest.fixture
def project(tmp_path):
    """A project folder with an application that names its environment variables."""
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def test_gunicorn_serves_with_the_given_settings_only_until_it_is_terminated(project, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_MACHINE", "x")
    with servers.gunicorn({"DATABASE_URL": "sqlite://"}, workers=2, cwd=project) as served:
        answer = httpx.get(served.url, trust_env=False).text
        assert "DATABASE_URL" in answer and "SECRET_OF_THE_MACHINE" not in answer
        assert str(served.pid) in served.stderr()
        assert served.terminate() == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(served.url, trust_env=False)


def test_gunicorn_can_be_killed_and_started_again_on_the_same_port_with_https(project, certificates):
    trust = ssl.create_default_context(cafile=certificates.ca)
    files = {"certfile": certificates.server.chain, "keyfile": certificates.server.key}
    with servers.held_port() as port:
        with servers.gunicorn({}, cwd=project, port=port) as served:
            assert served.kill() == -signal.SIGKILL
        with servers.gunicorn({}, cwd=project, port=port, **files) as served:
            assert "https" in httpx.get(served.url, verify=trust, trust_env=False).text


def test_application_that_cannot_start_is_reported_with_its_words(project):
    (project / "app.py").write_text("raise ValueError('SECRET_KEY is missing')")
    with pytest.raises(servers.DidNotStart, match="SECRET_KEY is missing"), servers.gunicorn({}, cwd=project):
        pass


def test_flask_command_line_runs_with_the_given_settings_and_input(project):
    (project / "app.py").write_text(
        "import flask, os; app = flask.Flask(__name__)\n"
        "app.cli.command('greet')(lambda: print(os.environ['GREETING'], input()))"
    )
    done = servers.flask({"GREETING": "Hello"}, "greet", input="Alex\n", cwd=project)
    assert (done.returncode, done.stdout) == (0, "Hello Alex\n")


def test_chromium_opens_a_page_and_runs_its_script(project):
    (project / "app.py").write_text(
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Type', 'text/html')])\n"
        '    return [b\'<h1>Before</h1><script>document.querySelector("h1").append(" and after")</script>\']'
    )
    with servers.gunicorn({}, cwd=project) as served, servers.or_skip(servers.chromium) as browser:
        page = browser.new_page()
        page.goto(served.url)
        assert page.inner_text("h1") == "Before and after"
