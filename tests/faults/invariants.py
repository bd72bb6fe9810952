"""What must be true whatever was killed, broken or full, at every moment: `check` asks the rows.

The one thing to understand: each statement of `NEVER` finds what must not be there, and is one snapshot, so it may
be asked amid work. What somebody was told by a page must stand in the database for good (`TOLD`).
Called by every test of faults that leaves a site in doubt.
"""

import re
import uuid

from guestauth.database import Model
from tests.e2e.site import Site

NEVER = {
    "a session without a sign-in that was used for it": """
        SELECT s.id FROM sessions s LEFT JOIN sign_ins i ON i.id = s.sign_in_id WHERE i.consumed_at IS NULL""",
    "a used sign-in without its session: a code spent without a way on": """
        SELECT i.id FROM sign_ins i LEFT JOIN sessions s ON s.sign_in_id = i.id
        WHERE i.consumed_at IS NOT NULL AND s.id IS NULL""",
    "a sign-in that counted other codes than it was sent": """
        SELECT i.id FROM sign_ins i
        WHERE i.sends != (SELECT count(*) FROM passcodes p WHERE p.sign_in_id = i.id)""",
    "a try that nobody made, or that was not counted": """
        SELECT t.address FROM (SELECT address, sum(tries) AS n FROM sign_ins GROUP BY address) t
        LEFT JOIN (SELECT address, count(*) AS n FROM events WHERE name = 'sign-in' AND reason = 'wrong code'
                   GROUP BY address) e ON e.address = t.address WHERE t.n != coalesce(e.n, 0)""",
    "a code without its letter": """
        SELECT p.sign_in_id FROM passcodes p LEFT JOIN letters l ON l.subject_id = p.sign_in_id AND l.n = p.n
        WHERE l.id IS NULL""",
    "a letter that was not sent for no reason": """
        SELECT id FROM letters WHERE done_at IS NOT NULL AND outcome != 'sent' AND reason IS NULL""",
    "a letter whose end is in the log other than once": """
        SELECT count(done_at) FROM letters HAVING count(done_at) != (SELECT count(*) FROM events
        WHERE name LIKE '%.mailed' OR name LIKE '%.dropped')""",
    "a guest who accepted other than once": """
        SELECT u.id FROM users u WHERE u.user_type = 'Guest' AND (u.state = 'Accepted') !=
        (1 = (SELECT count(*) FROM events e WHERE e.name = 'invitation.redeemed' AND e.user_id = u.id))""",
}
TOLD = {  # what a page said → what then is in the database for good
    "Check your email": "SELECT 1 FROM sign_ins WHERE address = :mail AND sends = 1",
    "Review permissions": "SELECT 1 FROM sessions JOIN users ON users.id = user_id WHERE mail = :mail",
    "Fabrikam apps": "SELECT 1 FROM users WHERE mail = :mail AND state = 'Accepted'",
}
NAMED = re.compile(rb"^Message-ID: <([0-9a-f-]{36})@", re.MULTILINE)
SENT = "SELECT id FROM letters WHERE outcome = 'sent'"


def check(site: Site, told: list[tuple[str, str]]) -> None:
    """Check that nothing is there that must never be, and all that people were told: (heading, address)."""
    for what, statement in NEVER.items():
        assert not site.world.rows(statement), what
    for heading, mail in told:
        assert heading in TOLD, f"{mail} got no further than {heading!r}"
        assert site.world.rows(TOLD[heading], mail=mail), f"{mail} saw {heading!r}, and it is not so"
    sent = {str(uuid.UUID(str(row[0]))) for row in site.world.rows(SENT)}
    assert sent <= arrived(site), "a letter that counts as sent and never arrived"
    check_whole(site)


def is_sqlite(site: Site) -> bool:
    """Whether its database is a file."""
    return site.settings.get("DATABASE_URL", "sqlite").startswith("sqlite")


def check_whole(site: Site) -> None:
    """Check that the database itself is sound: every page of a file, every row of every table and its indexes."""
    if is_sqlite(site):
        assert site.world.rows("PRAGMA integrity_check") == [("ok",)]
        assert site.world.rows("PRAGMA foreign_key_check") == []
        return
    for table in Model.metadata.sorted_tables:
        assert site.world.rows(f"SELECT count(*), sum(length(t::text)) FROM {table.name} t")


def arrived(site: Site) -> set[str]:
    """Give the ids of the letters that the mail server has, also of those whose receipt it lost."""
    return {NAMED.findall(letter.content)[0].decode() for letter in [*site.sink.letters, *site.sink.dropped]}
