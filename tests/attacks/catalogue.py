"""The catalogue of attacks and faults: every case by chapter and id, with what is tried and what must come of it.

What it does: `CATALOGUE` is the list; `proofs` says which tests prove each case, by their `case` marks.

The one thing to understand: the marks are read from the tests' source, so that asking costs nothing and no test
has to run. A case stands in the chapter of its id; what an attacker thought of later goes on with the numbers.

What must stay true: every case has a test, and no test names a case that is not here (`test_catalogue.py`).

Called by `test_catalogue.py`, by `python -m tests.attacks`, which prints the table, and by the acceptance list.
"""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

TESTS = Path(__file__).parents[1]


class Case(NamedTuple):
    """Severity (C critical, H high, M medium, L low), what is tried and must come of it, or why it is not ours."""

    severity: str
    words: str
    not_applicable: str = ""


CATALOGUE: dict[str, dict[str, Case]] = {
    "Code guessing": {
        "G-01": Case("C", "five wrong codes, then the right one: all refused, only a new sign-in helps"),
        "G-04": Case("C", "200 guesses at once over all processes, the right one among them: one session at most"),
        "G-06": Case("M", "four wrong, sign in, sign out, again: success clears this address's count only"),
        "G-09": Case("H", "the right code and a digit more: refused, never cut to fit"),
        "G-10": Case("H", "guessing at a stranger's address: answers, lock and words are a guest's"),
        "G-11": Case("L", "0 to 7 right digits first: the time taken says nothing of them"),
        "G-12": Case("M", "one guess each at 300 addresses from one client address: 429, and an event"),
        "G-13": Case("C", "the right code in a query, as JSON, in a header: nothing, and no try"),
        "G-14": Case("H", "the page of another browser's sign-in: nobody else can use it, nor use it up"),
        "G-15": Case("H", "wrong codes with another browser's form token: refused, no try of the victim's"),
    },
    "Code lifetime and replay": {
        "L-01": Case("H", "29:59 after it was issued a code works, at 30:01 not, with no clean-up running"),
        "L-02": Case("C", "a code used once, entered again in this browser and in another: refused"),
        "L-04": Case("M", "a double click, the first connection lost: signed in, no dead end"),
        "L-05": Case("H", "two codes sent: either works, one success ends both, wrong tries are shared"),
        "L-07": Case("H", "others ask for codes for the same address: the guest's live code goes on working"),
        "L-08": Case("C", "one address's code entered for another's in the same browser: refused"),
        "L-09": Case("C", "the code with another's sign-in or address put into the form: refused"),
        "L-10": Case(
            "H", "deleted or revoked after the code was mailed: refused, with the words for a wrong code"
        ),
        "L-11": Case("M", "every process started anew between Send code and Enter code: still works"),
        "L-12": Case("H", "a dump of the database: no code in it, nor a hash that can be searched"),
        "L-13": Case("C", "pages, headers, cookies after Send code: the code is in none, decoded or not"),
        "L-14": Case("H", "a guest taken away and brought back: a code from before stays dead"),
    },
    "Tenant isolation": {
        "T-01": Case("C", "signed in at one tenant, knocking at another in every way: sign-in, nothing shown"),
        "T-04": Case("M", "signed in to two, signed out of one: the other stays; twenty fit a cookie"),
        "T-05": Case("H", "a domain moves while codes, sessions, invitations live: they stay with their tenant"),
        "T-07": Case("M", "unknown, disabled and malformed tenants: one and the same 404"),
        "T-08": Case("H", "unverified domains and look-alikes: resolved by exact verified name only"),
        "T-09": Case("M", "a tenant named like a path of the site: refused when it is made"),
        "T-10": Case("C", "another tenant's resource by its name or id: 404, as if there were none"),
        "T-11": Case("H", "another tenant's page as the place to go after sign-in: not gone to"),
        "T-12": Case("M", "one tenant floods the outbox: another's guests get their codes promptly"),
        "T-13": Case("C", "one address in two tenants: code and sign-in of one are nothing at the other"),
        "T-14": Case("H", "one address in two tenants: taken away at one, still a guest at the other"),
        "T-15": Case("H", "a stolen session cookie: opens its own tenant only"),
    },
    "Sessions": {
        "S-01": Case("C", "a cookie planted before sign-in: replaced, and worth nothing to who planted it"),
        "S-04": Case("M", "signing in twice in one browser: the first session is dead"),
        "S-06": Case("H", "100 requests in flight while the guest is deleted: nothing shown after the commit"),
        "S-07": Case("C", "a cookie bent, cut, unsigned or signed with a guessed key: nobody, and no error"),
        "S-08": Case("M", "the cookie decoded: random ids, nothing about anybody"),
        "S-09": Case("M", "sign-out by GET, image or a form without token changes nothing; Back shows nothing"),
        "S-10": Case("H", "two sessions and `end all sessions`: both dead, a new sign-in works"),
        "S-11": Case("H", "an administrator's session as a guest, a guest's in the console: no crossing"),
        "S-12": Case("M", "a dump of the database: only hashes of session ids, of no use in a cookie"),
        "S-13": Case("H", "signed out within a minute, the code entered again: the session stays dead"),
        "S-14": Case("H", "a copy of the visit cookie without the code: no session, and no more tries than five"),
        "S-15": Case("H", "what ended a session undone: the session stays dead"),
        "S-16": Case("H", "another's session named in one's own account form: nothing ends"),
    },
    "Enumeration": {
        "E-01": Case("H", "a code asked for by member, stranger, disabled, revoked, another's: equal answers"),
        "E-02": Case("H", "400 of each by turns: no difference in time, also with a slow mail server"),
        "E-04": Case("M", "Enter code shows the address as typed, never what is stored of it"),
        "E-07": Case("M", "inviting a guest of another tenant: nothing says so"),
        "E-08": Case("M", "wrong, expired and used codes: told apart in that browser, alike for strangers"),
        "E-09": Case("L", "HEAD, OPTIONS, JSON, a bad form token for each kind of address: equal"),
        "E-10": Case("M", "nobody asks for things that are and are not there: sent to sign-in alike"),
        "E-11": Case("M", "a sign-in of another browser and one that there is not: equal answers"),
        "E-12": Case("M", "back after the session's end, deleted or blocked meanwhile: equal answers"),
        "E-13": Case("M", "a tenant's mails of an hour used up: their end does not tell who is a guest"),
    },
    "CSRF, headers, cookies": {
        "C-01": Case("H", "every form without a token, with a foreign one: 400, nothing done, no try counted"),
        "C-02": Case("M", "the attacker's own sign-in and code sent by the victim's browser: refused"),
        "C-03": Case("L", "tokens in a query, a header, a field with a longer name: as documented"),
        "C-05": Case("M", "Enter code left open for 29 and for 61 minutes: works; later a fresh page with words"),
        "C-07": Case("M", "every kind of answer: all security headers, a policy without `unsafe`"),
        "C-08": Case("M", "every dynamic answer: not stored, varies by cookie"),
        "C-09": Case("M", "every cookie set: `__Host-`, Secure, HttpOnly, Lax, for the whole site"),
        "C-10": Case("L", "headers and error pages: no product's version"),
        "C-11": Case("M", "an Origin that is null or another's: no CORS answer, a form is refused"),
        "C-12": Case("L", "two tabs: signed in in one, the old form sent in the other: friendly, no 400"),
        "C-13": Case("M", "on to a resource elsewhere in Chromium under `form-action 'self'`: arrives"),
        "C-14": Case("M", "the page in another site's frame: not shown"),
        "C-15": Case("M", "another site's page reads or embeds what is ours: gets nothing"),
        "C-16": Case("L", "another site that opened the page: has no hold on its window"),
    },
    "Invitations and redirects": {
        "I-01": Case("H", "an invitation link: unguessable, only a hash of it at rest, in no log or Referer"),
        "I-03": Case("M", "accepting twice and 20 times at once: one membership, one page"),
        "I-05": Case("C", "another address put into the accept form: ignored, mail to the invited only"),
        "I-06": Case("H", "links expired, revoked, replaced or of a tenant that is off: refused"),
        "I-07": Case("C", "one tenant's invitation opened at another: refused"),
        "I-09": Case("C", "forged Host and forwarding headers: refused or ignored, never in a mail's link"),
        "I-10": Case("M", "leaving the invitation page: no link in the Referer, nothing from elsewhere loaded"),
        "I-11": Case("H", "a tenant's name or message with HTML, templates, line breaks: text, and limited"),
        "I-12": Case("H", "an attacker's tenant invites the victim first: what the attacker holds gives nothing"),
        "I-13": Case("M", "a direct link before sign-in: lands exactly there, and asks again whether one may"),
        "I-14": Case("H", "a way back that is not ours, in every spelling: forgotten"),
        "I-15": Case("H", "an invitation stored with a way elsewhere: leads to the apps"),
    },
    "Mail": {
        "M-01": Case("H", "line breaks in address, name and subject: no header, no recipient more"),
        "M-04": Case("C", "two addresses in one: refused; one recipient always"),
        "M-05": Case("H", "other spellings of an address: one canonical form; mail to the stored one"),
        "M-06": Case("L", "what a code's letter says and has for headers: as designed"),
        "M-07": Case("L", "emoji, long lines, lone dots, `From `: valid, and read back the same"),
        "M-08": Case("M", "one recipient refused for good: marked, not tried for ever, others flow"),
        "M-09": Case("H", "a mail server with a bad certificate or TLS stripped: not sent, waits, logged"),
        "M-10": Case("M", "50 client addresses bomb one mailbox: no more mail than documented"),
        "M-11": Case("M", "who asks for a code puts words into its letter: none of theirs in it"),
        "M-12": Case("L", "senders and answers: one address, and nowhere else to answer to"),
    },
    "Input robustness": {
        "R-01": Case("M", "huge, chunked, many-fielded, slow requests: 4xx soon, process alive"),
        "R-02": Case("M", "a field twice, in query and body, with brackets: 400, the query never used"),
        "R-04": Case("M", "NUL, surrogates, bad UTF-8, emoji in every field: 4xx, never 5xx"),
        "R-05": Case("M", "fifty cookies, broken, huge, nameless ones: nobody, no 5xx"),
        "R-06": Case("L", "other methods and method overrides: 405, no override"),
        "R-07": Case("M", "odd slashes, dots and line breaks in a path: no redirect away, no header split"),
        "R-08": Case("M", "addresses at every limit and of bad shapes: 4xx, and soon"),
        "R-09": Case("L", "junk in Accept and Accept-Language: the default"),
        "R-10": Case("M", "two lengths, length and chunks: 400 at the server"),
        "R-11": Case("L", "Range and If-Modified-Since on dynamic pages: ignored"),
        "R-12": Case("H", "an error is forced: a plain page with an id; no trace, no debugger"),
        "R-13": Case("M", "headers that would move the site below another path: nothing moves"),
        "R-14": Case("L", "another protocol on the connection: refused"),
        "R-15": Case("M", "a compressed body, small and huge when unpacked: not unpacked"),
        "R-16": Case("L", "the server's own refusals: repeat nothing as markup"),
        "R-17": Case("L", "a form with a field missing or odd: told so"),
        "R-18": Case("L", "a proxy that names no client address: nobody is stopped by it"),
    },
    "Rate limiting and denial of service": {
        "RL-01": Case("H", "30 codes for one address from 1 and from 30 client addresses: one cap for all"),
        "RL-02": Case("H", "forged forwarding headers: no new budget, the log has the true peer"),
        "RL-04": Case("M", "other addresses of one IPv6 /64: counted as one"),
        "RL-05": Case("H", "the victim's budgets used up by others: the victim still gets in"),
        "RL-06": Case("M", "processes started anew in the middle of a window: the count stays"),
        "RL-07": Case(
            "H", "Redis killed: guesses still bounded", "there is no Redis: the ledger is in the database"
        ),
        "RL-08": Case("M", "10,000 made-up addresses: the database does not grow for good, no mail"),
        "RL-09": Case("L", "both sides of a window's edge: at most the cap and the documented slack"),
        "RL-10": Case("M", "50 guests behind one client address at nine o'clock: all get in"),
    },
    "Faults": {
        "F-03": Case("H", "a mail server that says nothing: pages as quick, other mail goes on"),
        "F-04": Case("M", "greylisting, refusals, full mailboxes: for now and for good told apart"),
        "F-06": Case("M", "the database locked for 3 s: waits; for 30 s: 503, nothing by halves"),
        "F-08": Case("M", "the clock jumps: nothing lives longer for it, nothing crashes"),
        "F-09": Case("M", "disk full, database read-only: 503, nobody let in"),
        "F-10": Case("M", "PostgreSQL started anew: the next requests work"),
        "F-11": Case("M", "SIGTERM in mid-flight: finished in order, nothing lost"),
        "F-12": Case("M", "migrations twice, or by two at once: safe"),
        "F-13": Case("M", "three delivery processes, one killed: each letter once, leases retaken"),
    },
    "Concurrency": {
        "X-01": Case("H", "50 guests at once for minutes: no 5xx, no lock error, pages soon"),
        "X-02": Case("M", "a new code raced with entering the old: one or other by rule, never neither"),
        "X-03": Case("H", "opt-out raced with right codes: no session after it"),
        "X-04": Case("M", "one address invited in two tabs at once: one guest"),
        "X-05": Case("H", "two tenants claim a domain at once: one gets it"),
        "X-06": Case("M", "no mail server or name server is waited for inside a transaction"),
    },
    "Administration and command line": {
        "A-01": Case("C", "every page of the console as nobody, guest, another's administrator: none opens"),
        "A-02": Case("C", "ids of another tenant in the console's forms: 404, nothing changed, recorded"),
        "A-03": Case("H", "a fresh installation: no administrator, no secret in a log"),
        "A-04": Case("H", "an administrator's code guessed: limited like a guest's, same words"),
        "A-05": Case("H", "fields that a form does not have, such as `is_admin`: ignored"),
        "A-06": Case("H", "ways around a domain's proof: only the exact name's record proves it"),
        "A-07": Case("M", "command output and arguments: no code, no token; same rules and log"),
        "A-08": Case("H", "sessions ended, guests removed by an administrator: at once, and recorded"),
        "A-09": Case("H", "markup and formulas in names, browsers, addresses: escaped in lists and CSV"),
        "A-10": Case("M", "the last administrator removed, one demoted in mid-session: guarded, at once"),
        "A-11": Case("H", "a file with scripts that an administrator shares: a download, never run here"),
        "A-12": Case("M", "an address that an administrator shares: on the web, nothing that runs"),
    },
    "Other ways in": {
        "FD-01": Case("C", "a work account with somebody else's address (nOAuth): only a verified one counts"),
        "FD-02": Case("C", "an account of a directory not on the list, or of another's issuer: refused"),
        "FD-03": Case("C", "an address that the provider has not verified, or another one: refused"),
        "FD-04": Case("C", "a token that was made for another client: refused"),
        "FD-05": Case("C", "a token that was made for another sign-in: refused"),
        "FD-06": Case("C", "no signature, a stranger's, or one with the public key or the secret: refused"),
        "FD-07": Case("H", "clocks: half a minute off works; a token not yet or no longer good: refused"),
        "FD-08": Case("M", "the provider's keys change: found; unknown keys do not make us ask and ask"),
        "FD-09": Case("C", "another issuer in a token or in what a provider says of itself: refused"),
        "FD-10": Case("H", "an answer that names another issuer, or none where it must (mix-up): refused"),
        "FD-11": Case("C", "the state of another sign-in, provider or tenant, made up, cut, old: refused"),
        "FD-12": Case("C", "the attacker's answer in the victim's browser (login CSRF): refused"),
        "FD-13": Case("H", "an answer that was used, again here and elsewhere: no second session"),
        "FD-14": Case("C", "somebody else's code put into one's own answer: refused, with and without PKCE"),
        "FD-15": Case("H", "providers inside our network, by number, name or redirect (SSRF): not asked"),
        "FD-16": Case("M", "answers that are huge, endless, slow or no JSON: given up, nothing broken"),
        "FD-17": Case("M", "an answer's parameters twice, by HEAD, without a state: nothing used up"),
        "FD-18": Case("M", "another site as the place to go after coming back: not gone to"),
        "FD-19": Case("H", "a provider that an administrator has set up vouches for an administrator: refused"),
        "FD-20": Case("H", "the client's secret in a dump, log, page, command: nowhere; old keys open it"),
        "FD-21": Case("H", "strangers on the way to a provider and back: pages, work, cookies of a guest"),
        "FD-22": Case("M", "a provider that is down or hangs: no try, no code, no other guest waits"),
        "FD-23": Case("M", "coming back again and again: limited like codes; made-up errors fill no log"),
    },
    "Secrets and logs": {
        "K-01": Case("C", "a missing, weak or published SECRET_KEY: production does not start"),
        "K-02": Case("C", "debug mode in production: no debugger to reach"),
        "K-04": Case("H", "keys changed while codes and sessions live: the old go on to their end"),
        "K-06": Case("M", "every event is recorded once, with who, what, when, whence"),
        "K-07": Case("M", "line breaks, escapes and quotes in what is logged: one line each"),
        "K-08": Case("H", "what is packed, the history, the instance folder: no secret within reach"),
        "K-09": Case("L", "health, metrics and error ids: no address, no secret"),
        "K-10": Case("M", "the arguments of every process: no secret among them"),
        "K-11": Case("H", "a database that is away: its password is shown nowhere"),
        "K-12": Case("C", "every signed value put wherever another is read: means nothing there"),
    },
}

CASES: dict[str, Case] = {name: case for chapter in CATALOGUE.values() for name, case in chapter.items()}


@functools.cache
def proofs(kind: str = "case") -> dict[Any, list[str]]:
    """Return the tests that prove each thing that a mark of that kind names, as file::name."""
    found: dict[Any, list[str]] = {}
    for file in sorted(TESTS.rglob("test_*.py")):
        for name, ids in _marks(ast.parse(file.read_text()), kind):
            for each in ids:
                found.setdefault(each, []).append(f"{file.relative_to(TESTS.parent)}::{name}")
    return found


def _marks(tree: ast.Module, kind: str) -> Iterator[tuple[str, list[Any]]]:
    """Find the tests with their marks; a module's `pytestmark` holds for all tests in it."""
    everywhere = [
        each
        for node in tree.body
        if isinstance(node, ast.Assign) and any(getattr(name, "id", "") == "pytestmark" for name in node.targets)
        for each in _ids(node.value, kind)
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name, everywhere + [each for mark in node.decorator_list for each in _ids(mark, kind)]


def _ids(marks: ast.expr, kind: str) -> Iterator[Any]:
    """Give the arguments of every `pytest.mark.<kind>(…)` in an expression; they must be plain values."""
    for node in ast.walk(marks):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == f"pytest.mark.{kind}":
            yield from (ast.literal_eval(argument) for argument in node.args)
