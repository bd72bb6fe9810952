"""Breaking the mail server and mending it, and what is in the outbox meanwhile.

`break_down` breaks every connection first, so that nothing goes over one that was open before. `mend` lets time
pass until every letter has left. Called by tests of outages and of delivery; it knows no page.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from guestauth import invitations, outbox
from tests.e2e.site import Site, wait_until
from tests.servers import Sink
from tests.world import BY, FABRIKAM

OUTAGES: dict[str, Callable[[Sink], object]] = {
    "down": Sink.stop,
    "refusing connections": lambda sink: sink.unavailable("connect"),
    "refusing senders": lambda sink: sink.unavailable("mail"),
    "hanging": Sink.hang,
    "greylisting": lambda sink: sink.greylist(1),
    "losing its answer": Sink.drop,
}
OUTCOMES = "SELECT outcome, reason FROM letters JOIN users ON users.id = letters.user_id WHERE mail = :mail"
RETRIED = "SELECT 1 FROM letters WHERE done_at IS NULL AND lease IS NULL AND tries > 0"


def break_down(sink: Sink, how: str) -> None:
    """Break every connection, then behave like that to new ones."""
    sink.stop()
    OUTAGES[how](sink)
    if how != "down":
        sink.start()


def mend(site: Site) -> None:
    """Make the mail server well, and let time pass until every letter has left."""
    site.sink.accept()
    if site.sink._loop is None:
        site.sink.start()
    for _ in range(10):
        wait_until(lambda: is_settled(site))
        if not site.waiting():
            return
        site.advance(400)  # no letter waits longer for its next try
    raise AssertionError("letters do not leave although the mail server is well")


def recover(site: Site) -> None:
    """Let leases run out and letters leave, whoever held them."""
    for _ in range(20):
        if not site.waiting():
            return
        site.advance(400)
        wait_until(lambda: site.waiting() == 0 or bool(site.world.rows(RETRIED)), seconds=20)
    raise AssertionError("letters do not leave although all is well")


def is_settled(site: Site) -> bool:
    """Whether no letter is due, and none in anybody's hands: each has left, or waits for a later time."""
    due = site.world.do(outbox.next_due)
    return due != timedelta() and in_hand(site) == 0


def in_hand(site: Site) -> int:
    """Count the letters that somebody has leased."""
    return int(site.world.rows("SELECT count(*) FROM letters WHERE done_at IS NULL AND lease IS NOT NULL")[0][0])


def invite(site: Site, count: int) -> list[str]:
    """Post so many invitations and give their addresses."""
    mails = [f"letter-{n}.{site.guest()}" for n in range(count)]
    for mail in mails:
        site.world.do(invitations.invite, FABRIKAM, mail, by=BY)
    return mails


def arrivals(site: Site) -> Counter[str]:
    """Count how often each letter arrived, by its Message-ID."""
    return Counter(str(letter.message["Message-ID"]) for letter in list(site.sink.letters))
