"""The rules of the house, read off the source with the standard library alone."""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

Node = TypeVar("Node", bound=ast.AST)

ROOT = Path(__file__).parent.parent

# A room imports only itself and rooms that stand before it.
ROOMS = (
    "settings",
    "clock",
    "errors",
    "periods",
    "series",
    "solver",
    "disclosure",
    "intruder",
    "formats",
    "waiting",
    "patient",
    "measures",
    "tracing",
    "database",
    "bulk",
    "turn",
    "web",
    "places",
    "access",
    "practices",
    "releases",
    "reports",
    "publishing",
    "monitoring",
    "trends",
    "pages",
    "rights",
    "schema",
    "archive",
    "operation",
    "main",
    "client",
    "sending",
    "demo",
    "cli",
)
PURE_ROOMS = {"periods", "series", "solver", "disclosure", "intruder", "formats"}

# Which modules beside every routes.py and *_routes.py import FastAPI or Starlette, and why.
ABOUT_HTTP = {
    "app.errors": "turns a problem into an answer",
    "app.access.at_hand": "answers holders of keys what it has at hand, ahead of routing",
    "app.tracing.switch": "says what FastAPI is to record of a request",
    "app.web.addresses": "reads who is behind a proxy out of the request",
    "app.web.answers": "gives an answer its format, its ETag and its HEAD",
    "app.web.at_hand": "answers what it has at hand, ahead of routing",
    "app.web.at_once": "gives the server a whole answer in one step",
    "app.web.dependencies": "hands a request its session and its clock",
    "app.web.paging": "declares what every list takes that is answered a page at a time",
    "app.web.pieces": "sends an answer that is too long to be held, piece by piece",
    "app.web.looks": "hands a look to a thread",
    "app.web.measuring": "counts each request as it was answered",
    "app.web.requests_log": "gives each request its id and its line in the log",
    "app.web.strict": "looks at the raw body and query before FastAPI does",
    "app.web.told": "adds to an answer what was said during its request",
    "app.access.caller": "reads the key out of the request",
    "app.access.refusals": "sees which answers are refusals",
    "app.access.limits": "counts requests and says on their answers what is left",
    "app.access.writing": "hands a writing route its turn, and looks up the key before a refusal is told",
    "app.access.replies": "reads the Idempotency-Key and keeps answers as they were sent",
    "app.pages.answering": "answers a page, and tells a person on one what was wrong",
    "app.reports.parameters": "declares what the calls about counts and statuses take and answer alike",
    "app.reports.receiving": "reads the raw body of a submission by its content type",
    "app.reports.short_ways": "finds what was sent in requests that come as most do",
    "app.main": "puts the application together",
    "app.cli.serving": "hands the application to uvicorn",
}

# Each part of the pages, and which of the others it imports: what a page shows is read, written, and set out.
PARTS_OF_PAGES = {
    "reading": (),
    "figures": ("reading",),
    "atlas": ("reading", "figures"),
    "compare": ("reading", "figures"),
    "front": ("reading", "figures"),
}

DATABASES = {"alembic", "app.bulk", "app.database", "app.turn", "psycopg", "sqlalchemy", "sqlite3", "sqlmodel"}
HTTP = {"fastapi", "http", "httpx", "httpx2", "requests", "socket", "starlette", "urllib", "uvicorn"}
CLOCKS = {"app.clock", "time"}

# The client stands alone, so it may not ask ours when a Retry-After names a moment.
CLOCK_READERS = {"app.clock", "app.client"}

CLOCK_READING = re.compile(r"\b(datetime\.(now|today|utcnow)|date\.today|time\.(time|time_ns))$")
VAGUE_NAMES = {"common", "helper", "helpers", "misc", "service", "services", "util", "utils"}
SHARED_FOLDER = re.compile(r"""(?<![\w-])shared[/\\]|["']shared["']""")
ADDRESS = re.compile(r"://|^\s*-(-index|-extra-index|-find-links|i |f )|\s@\s", re.MULTILINE)


def test_every_module_stands_in_a_room() -> None:
    assert [name for name in _modules() if _room(name) not in (*ROOMS, "")] == []


def test_a_room_imports_only_rooms_before_it() -> None:
    order = ("", *ROOMS)

    wrong = [
        f"{name} imports {imported}"
        for name in _modules()
        for imported in _imports(name)
        if _is_ours(imported) and order.index(_room(imported)) > order.index(_room(name))
    ]

    assert wrong == []


def test_a_part_of_the_pages_imports_only_parts_before_it() -> None:
    parts = {name: name.split(".")[2] for name in _modules() if re.fullmatch(r"app\.pages\.\w+\.\w+", name)}

    wrong = [
        f"{name} imports {imported}"
        for name, part in parts.items()
        for imported in _imports(name)
        if imported in parts and parts[imported] not in (part, *PARTS_OF_PAGES[part])
    ]

    assert set(parts.values()) == set(PARTS_OF_PAGES)
    assert wrong == []


def test_the_client_imports_nothing_of_the_server() -> None:
    ours = [imported for imported in _imports("app.client") if _is_ours(imported)]

    assert ours == []


def test_imports_are_absolute() -> None:
    relative = [name for name, node in _nodes(ast.ImportFrom) if node.level > 0]

    assert relative == []


def test_only_routes_and_what_is_about_http_know_the_framework() -> None:
    knowing = {name for name in _modules() if _imports_any(name, {"fastapi", "starlette"})}

    assert {name for name in knowing if not name.endswith("routes")} == set(ABOUT_HTTP)


def test_pure_rooms_know_no_database_no_http_and_no_clock() -> None:
    knowing = [
        name for name in _modules() if _room(name) in PURE_ROOMS and _imports_any(name, DATABASES | HTTP | CLOCKS)
    ]

    assert knowing == []


def test_only_the_clock_reads_the_wall_clock() -> None:
    reading = [
        f"{name}: {ast.unparse(node)}"
        for name, node in _nodes(ast.Attribute)
        if name not in CLOCK_READERS and CLOCK_READING.search(ast.unparse(node))
    ]

    assert reading == []


def test_only_the_database_module_and_the_turn_commit() -> None:
    committing = {name for name, node in _nodes(ast.Attribute) if node.attr == "commit"}

    assert committing == {"app.database", "app.turn"}


def test_init_files_are_empty() -> None:
    written = [path for path in _files("app", "migrations", "tests") if path.name == "__init__.py"]

    assert [_relative(path) for path in written if path.read_bytes()] == []


def test_a_module_is_named_for_its_work() -> None:
    parts = {
        (part, _relative(path))
        for path in _files("app", "migrations", "tests")
        for part in Path(_relative(path)).with_suffix("").parts
    }

    assert [where for part, where in sorted(parts) if part in VAGUE_NAMES] == []


def test_nothing_reads_a_folder_beside_the_project() -> None:
    whole = ("app", "benchmarks", "migrations", "openapi", "tests", ".ci")
    single = ("Makefile", "Dockerfile", "alembic.ini", "pyproject.toml")
    # What is vendored or minified is not ours to judge.
    ours = [path for path in _files(*whole, *single) if "swagger-ui" not in path.parts]

    reading = [
        f"{_relative(path)}: {line.strip()}"
        for path in ours
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
        if SHARED_FOLDER.search(line)
    ]

    assert reading == []


def test_lock_files_name_versions_and_hashes_and_no_address() -> None:
    locks = sorted(ROOT.glob("requirements*.lock"))

    assert [lock.name for lock in locks if ADDRESS.search(lock.read_text())] == []
    assert [
        requirement
        for lock in locks
        for requirement in lock.read_text().replace("\\\n", "").splitlines()
        if not re.match(r"[a-z0-9-]+==\S+ .*--hash=sha256:", requirement)
    ] == []


def test_lock_files_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    run_time = _pins(project["project"]["dependencies"])
    run_time |= _pins(project["project"]["optional-dependencies"]["postgres"])
    traces = _pins(project["project"]["optional-dependencies"]["otel"])
    build = _pins(project["dependency-groups"]["build"])
    groups = {name: _pins(group) for name, group in project["dependency-groups"].items()}
    # What we are measured against is installed apart from what we are made of.
    peers = groups.pop("bench")
    everything = run_time.union(traces, *groups.values())

    assert run_time - _locked("requirements.lock") == set()
    assert build - _locked("requirements-build.lock") == set()
    assert (run_time | traces) - _locked("requirements-otel.lock") == set()
    assert _locked("requirements.lock") <= _locked("requirements-otel.lock")
    assert _pins(project["build-system"]["requires"]) <= build
    assert everything - _locked("requirements-dev.lock") == set()
    assert peers - _locked("requirements-bench.lock") == set()
    for lock in ("requirements.lock", "requirements-otel.lock", "requirements-build.lock"):
        assert _locked(lock) <= _locked("requirements-dev.lock")


@cache
def _modules() -> dict[str, ast.Module]:
    """Every module of the app by its dotted name."""
    modules = {}
    for path in sorted((ROOT / "app").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        modules[name] = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    return modules


def _room(name: str) -> str:
    """The room of the app's module `name`; empty for the package itself."""
    return name.removeprefix("app").lstrip(".").partition(".")[0]


def _is_ours(imported: str) -> bool:
    return imported == "app" or imported.startswith("app.")


def _imports(name: str) -> Iterator[str]:
    """What the module imports, wherever in it; `from app import series` is an import of `app.series`."""
    for node in ast.walk(_modules()[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "app":
            yield from (f"app.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def _imports_any(name: str, packages: Iterable[str]) -> bool:
    imported = [f"{module}." for module in _imports(name)]
    return any(module.startswith(f"{package}.") for module in imported for package in packages)


def _nodes(kind: type[Node]) -> Iterator[tuple[str, Node]]:
    """Every node of that kind in the app, with the module it stands in."""
    for name, tree in _modules().items():
        for node in ast.walk(tree):
            if isinstance(node, kind):
                yield name, node


def _files(*places: str) -> Iterator[Path]:
    """The text files at `places` below the root, or below these if they are folders."""
    for place in places:
        for path in [ROOT / place, *sorted((ROOT / place).rglob("*"))]:
            if path.is_file() and path.suffix not in (".pyc", ".png"):
                yield path


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _pins(requirements: list[str]) -> set[str]:
    """Each requirement as name==version, without its extras and its marker."""
    return {re.sub(r"\[.*?\]|\s*;.*", "", requirement).lower() for requirement in requirements}


def _locked(lock: str) -> set[str]:
    """Each name==version of a lock file."""
    return set(re.findall(r"^\S+==[^\s;]+", (ROOT / lock).read_text(), re.MULTILINE))
