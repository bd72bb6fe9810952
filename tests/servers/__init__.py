"""Real servers for the tests: PostgreSQL, a mail server, gunicorn, Chromium.

Starts each on a free loopback port, waits until it answers, and stops it on leaving the `with` block.
The one thing to understand: every process is started with a guard (see `process.py`), so that it ends even
when the test run is killed, and nothing is ever ended by name, only by the process that was started.
Called by fixtures, which wrap what a machine may lack in `or_skip`.
"""

from tests.servers.certificates import Certificate, Certificates, certificates
from tests.servers.chromium import chromium
from tests.servers.dns import NameServer, dns_server
from tests.servers.policy import Absent, or_skip, require
from tests.servers.postgresql import create_database, drop_database, postgresql
from tests.servers.process import DidNotStart, closed_port, held_port
from tests.servers.smtp import Letter, Sink, smtp_sink
from tests.servers.web import ROOT, Served, flask, gunicorn

__all__ = [
    "ROOT",
    "Absent",
    "Certificate",
    "Certificates",
    "DidNotStart",
    "Letter",
    "NameServer",
    "Served",
    "Sink",
    "certificates",
    "chromium",
    "closed_port",
    "create_database",
    "dns_server",
    "drop_database",
    "flask",
    "gunicorn",
    "held_port",
    "or_skip",
    "postgresql",
    "require",
    "smtp_sink",
]
