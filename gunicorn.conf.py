"""How gunicorn serves GuestAuth. Override on the command line or by GUNICORN_CMD_ARGS."""

import gc

from guestauth import courier, metrics
from guestauth.web import measured

GARBAGE = 50_000  # objects made until it is looked for: some 50 requests', a few MB; Python's 700 is once in each

preload_app = True  # a bad setting stops the start, once, with its message
worker_class = "gthread"
threads = 4
timeout = 30
graceful_timeout = 30
control_socket_disable = True
forwarded_allow_ips = "127.0.0.1"
forwarder_headers = ""  # none names a path that the site is mounted at


def on_starting(_server) -> None:
    """Begin to count for Prometheus, if METRICS_ADDRESS says where to tell."""
    from app import app

    metrics.set_up(app)
    measured.set_up(app)


def pre_fork(_server, _worker) -> None:
    """What is loaded is here to stay: nobody looks through it for garbage, nor copies it for that."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE, 20, 50)


def post_worker_init(worker) -> None:
    """Deliver letters that wait, without waiting for a request."""
    courier.ensure_running(worker.wsgi)
    metrics.answer(worker.wsgi)


def worker_exit(_server, worker) -> None:
    """Let the letters on their way arrive."""
    if getattr(worker, "wsgi", None) is not None:
        courier.stop(worker.wsgi)


def when_ready(server) -> None:
    """Say where to start."""
    from app import app

    if app.config["GUESTAUTH_DEMO"]:
        start = app.config["PUBLIC_URL"]
        server.log.info("The demo is ready. Start here:")
        server.log.info("  %s/dev                   every scenario, with links", start)
        server.log.info("  %s/dev/mailbox           every mail that left", start)
        server.log.info("  %s/fabrikam.example      sign in to Fabrikam as alexdoe@gmail.com", start)
