"""A small name server on loopback: it answers for the names it is given, and says that others do not exist.

`dns_server()` gives a `NameServer`; its `texts` are the TXT records by name, `aliases` the CNAME records. With
`silent` it answers nothing. Called by tests of domains.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


@dataclass
class NameServer:
    """What it answers, and where it is."""

    address: str
    texts: dict[str, list[str]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    asked: list[str] = field(default_factory=list)
    when_asked: Callable[[], object] = bool

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        """Answer one question."""
        name = query.question[0].name.to_text(omit_final_dot=True)
        self.asked.append(name)
        self.when_asked()
        found = dns.message.make_response(query)
        found.flags |= dns.flags.RA
        if name in self.aliases:
            found.answer.append(dns.rrset.from_text(f"{name}.", 1, "IN", "CNAME", f"{self.aliases[name]}."))
            name = self.aliases[name]
        texts = self.texts.get(name)
        if texts is None:
            found.set_rcode(dns.rcode.NXDOMAIN)
        elif texts:
            found.answer.append(dns.rrset.from_text_list(f"{name}.", 1, "IN", "TXT", [_quoted(t) for t in texts]))
        return found


@contextmanager
def dns_server() -> Iterator[NameServer]:
    """Answer on a free UDP port until the block ends."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        server = NameServer(f"127.0.0.1:{udp.getsockname()[1]}")
        thread = threading.Thread(target=_serve, args=(udp, server), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.silent = True
            udp.sendto(b"", udp.getsockname())
            thread.join(5)


def _serve(udp: socket.socket, server: NameServer) -> None:
    while True:
        packet, client = udp.recvfrom(4096)
        if not packet:
            return
        if not server.silent:
            udp.sendto(server.answer(dns.message.from_wire(packet)).to_wire(), client)


def _quoted(text: str) -> str:
    parts = [text[at : at + 200] for at in range(0, len(text), 200)]
    return " ".join('"{}"'.format(part.replace("\\", "\\\\").replace('"', '\\"')) for part in parts)
