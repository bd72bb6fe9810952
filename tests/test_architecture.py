"""The rules of the house, kept by a test: imports, transactions, sizes, words. Each says how to mend it."""

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CODE = ROOT / "guestauth"
ORDER = [
    "values",
    "config",
    "colours",
    "pictures",
    "keys",
    "engines",
    "connections",
    "statements",
    "database",
    "models",
    "languages",
    "templating",
    "audit",
    "journal",
    "addresses",
    "spreadsheets",
    "letters",
    "smtp",
    "fetching",
    "openid",
    "mailbox",
    "turns",
    "mail_health",
    "outbox",
    "limits",
    "housekeeping",
    "courier",
    "guessing",
    "resources",
    "shares",
    "sessions",
    "policies",
    "tenants",
    "branding",
    "domains",
    "administrators",
    "guests",
    "passcodes",
    "providers",
    "descriptions",
    "identity_providers",
    "identities",
    "invitations",
    "import_files",
    "redemptions",
    "imports",
    "signin",
    "sending",
    "federation",
    "checkup",
    "copying",
    "stand_in",
    "samples",
    "demo",
    "faults",
    "metrics",
    "web",
    "cli",
    "logs",
    "__init__",
]
MODULES = sorted(path for path in CODE.rglob("*.py") if "migrations" not in path.parts)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
FRAMEWORK = {"request", "session", "g", "abort"}
STORIES = 300  # lines of a module at the most


def noun(path: Path) -> str:
    """Return the module's place in the order."""
    return path.relative_to(CODE).parts[0].removesuffix(".py")


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef))


def length(function: ast.FunctionDef) -> int:
    """Return how many lines a function has, without its docstring and decorators."""
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    spent = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - spent


def imports(path: Path) -> Iterator[tuple[str, set[str], ast.stmt]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom):
            yield node.module or "", {name.name for name in node.names}, node
        elif isinstance(node, ast.Import):
            yield from ((name.name, set(), node) for name in node.names)


def decorated(function: ast.FunctionDef, word: str) -> bool:
    return any(word in ast.unparse(decorator) for decorator in function.decorator_list)


def operations() -> dict[str, set[str]]:
    return {
        path.stem: {function.name for function in functions(path) if decorated(function, "operation")}
        for path in CODE.glob("*.py")
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_left(path: Path) -> None:
    """Mend: move what is needed to the left, or hand it over as a parameter."""
    place = ORDER.index(noun(path))
    for module, names, _ in imports(path):
        if module.startswith("guestauth"):
            parts = module.split(".")
            used = {parts[1]} if len(parts) > 1 else names
            assert all(ORDER.index(name) <= place for name in used if name in ORDER), (module, names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_function_imports_code_of_ours(path: Path) -> None:
    """Mend: import at the top. The demo kit is the exception: production must not even have its code."""
    inside = [node for function in functions(path) for node in ast.walk(function)]
    late = [ast.unparse(node) for node in inside if isinstance(node, ast.ImportFrom)]
    assert [line for line in late if line.startswith("from guestauth")] in ([], ["from guestauth.web import dev"])


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_web_knows_the_request(path: Path) -> None:
    """Mend: pass a Caller, or what is needed of the request, as a parameter."""
    if noun(path) not in ("web", "cli", "__init__"):
        assert not [names for module, names, _ in imports(path) if module == "flask" and names & FRAMEWORK]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_web_and_cli_have_no_sql(path: Path) -> None:
    """Mend: ask a noun. Types of faults may be named."""
    if noun(path) in ("web", "cli"):
        names = {module for module, _, _ in imports(path) if module.startswith("sqlalchemy")}
        assert names <= {"sqlalchemy.exc"}
        assert "db" not in {name for _, found, _ in imports(path) for name in found}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_database_commits_and_reads_the_clock(path: Path) -> None:
    """Mend: make the function an operation; ask database.now."""
    if noun(path) not in ("database", "connections", "logs"):
        text = path.read_text("utf-8")
        assert not re.search(r"\.commit\(|\.rollback\(|datetime\.now|time\.time\(|utcnow", text)


def test_operations_never_call_operations() -> None:
    """Mend: give both the plain function they share, in the transaction under way."""
    known = operations()
    for path in CODE.glob("*.py"):
        for function in (each for each in functions(path) if decorated(each, "operation")):
            called = {ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
            forbidden = known[path.stem] | {f"{name}.{each}" for name, every in known.items() for each in every}
            assert not called & forbidden, (path.name, function.name, called & forbidden)


def test_state_changes_by_post_only() -> None:
    """Mend: give the page a form; a GET view may not call an operation.

    The one exception: that a guest opened a resource is written down, as an access log does; nothing else changes.
    """
    changing = {f"{name}.{each}" for name, every in operations().items() for each in every}
    for path in (CODE / "web").rglob("*.py"):
        for view in (each for each in functions(path) if decorated(each, "blueprint.get")):
            called = {ast.unparse(node.func) for node in ast.walk(view) if isinstance(node, ast.Call)}
            assert not (called & changing) - {"shares.opened", "shares.downloaded"}, (path.name, view.name)


def test_every_view_that_takes_a_post_validates_its_form() -> None:
    """Mend: define a Form above the view and act only if it validates: that checks its token."""
    for path in (CODE / "web").rglob("*.py"):
        for view in (each for each in functions(path) if decorated(each, "methods=")):
            assert "validate_on_submit()" in ast.unparse(view), (path.name, view.name)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_are_short_and_say_what_they_are(path: Path) -> None:
    """Mend: split by noun; write the docstring."""
    assert len(path.read_text("utf-8").splitlines()) <= STORIES
    assert ast.get_docstring(tree(path))


def test_functions_are_short() -> None:
    """Mend: callers above callees, one level of detail each."""
    lengths = {(path.name, each.name): length(each) for path in MODULES for each in functions(path)}
    assert not {name: lines for name, lines in lengths.items() if lines > 40}
    ordered = sorted(lengths.values())
    assert statistics.median(ordered) <= 8
    assert ordered[int(len(ordered) * 0.9)] <= 25


def test_views_are_short() -> None:
    """Mend: views ask, choose and answer; the rest is an operation's or a helper's."""
    views = [
        each for path in (CODE / "web").rglob("*.py") for each in functions(path) if decorated(each, "blueprint.")
    ]
    assert not {view.name: length(view) for view in views if length(view) > 25}


def test_templates_are_short() -> None:
    """Mend: move a part to macros.html or a file of its own."""
    long = {path.name: len(path.read_text("utf-8").splitlines()) for path in (ROOT / "templates").rglob("*.*")}
    assert not {name: lines for name, lines in long.items() if lines > 80}


def test_tests_are_short() -> None:
    """Mend: one behaviour a test; move the preparation to the world."""
    long = {
        f"{path.name}:{each.name}": length(each)
        for path in TESTS
        for each in functions(path)
        if each.name.startswith("test_")
        and length(each)
        > (25 if {"e2e", "attacks", "faults", "federation"} & set(path.parts) else 15)  # a journey has steps
    }
    assert not long


def test_every_event_recorded_is_known_and_every_known_event_is_recorded() -> None:
    """Mend: add the event to audit.EVENTS, or take it out."""
    from guestauth.audit import EVENTS

    text = "".join(path.read_text("utf-8") for path in MODULES)
    recorded = set(re.findall(r'(?:record|refused)\(\s*"([a-z.-]+)"', text))
    letters = {
        f"{kind}.{end}"
        for kind in re.findall(r'outbox\.kind\("([a-z]+)"\)', text)
        for end in ("mailed", "dropped")
    }
    assert recorded | letters == set(EVENTS)


def test_words_are_those_of_the_field() -> None:
    """Mend: sign in, passcode, guest, tenant; see ARCHITECTURE."""
    for path in [*MODULES, *(ROOT / "templates").rglob("*.html")]:
        text = (
            path.read_text("utf-8")
            .lower()
            .replace("host.login(", "")
            .replace("login.microsoftonline.com", "")
            .replace('"login"', "")
        )
        assert not re.search(r"\blog ?in\b|\blogout\b|\bcustomer\b|\botp_|_otp\b", text), path.name
