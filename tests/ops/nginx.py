"""Debian's nginx with the site of `docs/nginx.conf`, a process of its own; paths, names and ports are replaced."""

import contextlib
import os
import shutil
import signal
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests import servers
from tests.servers.process import running, wait_until_ready

MAIN = """daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 128; }}
http {{
    include /etc/nginx/mime.types;
    gzip on;
    {places}
    include {folder}/site.conf;
}}
"""
PLACES = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True)
class Nginx:
    """It listens at `https`, and at `http` for who forgot the s; `folder` has its logs."""

    https: int
    http: int
    folder: Path

    def logs(self) -> str:
        """All it has written down."""
        return "".join(path.read_text() for path in self.folder.glob("*.log"))


@contextmanager
def nginx(upstream: int, certificate: servers.Certificate, https: int) -> Iterator[Nginx]:
    """Run it before `upstream` while the block lasts, or be `Absent`."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None or not Path("/etc/nginx/mime.types").exists():
        raise servers.Absent("nginx is not installed: apt-get install nginx-light")
    with tempfile.TemporaryDirectory(prefix="nginx-") as name, servers.held_port() as http:
        folder = Path(name)
        (folder / "site.conf").write_text(site(upstream, certificate, https, http, folder))
        places = " ".join(f"{each}_temp_path {folder}/{each};" for each in PLACES)
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder, places=places, user=user))
        command = [program, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "start.log"]
        with running(command, log=folder / "printed.log", stop=signal.SIGTERM, cwd=folder) as process:
            client = httpx.Client(verify=False, trust_env=False)
            url = f"https://127.0.0.1:{https}/static/style.css"
            wait_until_ready(process, lambda: answers(client, url), log=folder / "printed.log")
            yield Nginx(https, http, folder)


def site(upstream: int, certificate: servers.Certificate, https: int, http: int, folder: Path) -> str:
    """Give the committed file with this machine's places."""
    text = (servers.ROOT / "docs" / "nginx.conf").read_text("utf-8")
    for committed, here in {
        "listen 80;": f"listen 127.0.0.1:{http};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{https} ssl http2;",
        "https://guests.example.org$": f"https://127.0.0.1:{https}$",
        "server_name guests.example.org;": "server_name 127.0.0.1;",
        "/etc/letsencrypt/live/guests.example.org/fullchain.pem": str(certificate.chain),
        "/etc/letsencrypt/live/guests.example.org/privkey.pem": str(certificate.key),
        "/var/log/nginx": str(folder),
        "127.0.0.1:8000": f"127.0.0.1:{upstream}",
        "/opt/guestauth": str(servers.ROOT),
    }.items():
        assert committed in text, f"docs/nginx.conf has no {committed}"
        text = text.replace(committed, here)
    return text


def answers(client: httpx.Client, url: str) -> bool:
    """Whether it is up."""
    with contextlib.suppress(httpx.TransportError, ssl.SSLError):
        return client.get(url, timeout=5).status_code == 200
    return False
