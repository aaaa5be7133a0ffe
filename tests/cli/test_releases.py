"""`release publish`: a release from the command line."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from rich.console import Console
from rich.progress import Progress
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

from app.access.keys import issue_key
from app.access.models import Action
from app.cli import releases as releases_module
from app.cli.__main__ import app as command_line
from app.clock import system_clock
from app.main import create_app
from app.publishing import drafts as drafts_module, workshop as workshop_module
from app.publishing.parent import FAULT
from app.settings import Settings
from tests.conftest import Caller, count, status
from tests.publishing.test_preparing import script
from tests.reports.stored import stored

PUBLISH = (
    *("release", "publish", "--county", "13", "--title", "Yhdessä aika in North Savo"),
    *("--source", "Reports of the municipalities"),
)
# Each start of a child takes most of a second.
ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

Yhdessa = Callable[..., Result]


@pytest.fixture
def server(database_url: str) -> Iterator[FastAPI]:
    """A server on the same database, where three municipalities have 40, 3 and 2 sessions in 2024."""
    server = create_app(Settings(database_url=database_url))
    with server.state.database.writing() as db:
        may, at = [Action.REPORT, Action.READ], system_clock()
        key = issue_key(db, name="x", organisation="x", actions=may, areas=["county:13"], at=at)
    posted = Caller(TestClient(server), key).post(
        [count("297", "2024", 40), count("140", "2024", 3), count("749", "2024", 2)],
        [status(code, "2024", "in_use") for code in ("297", "140", "749")],
    )
    assert posted.status_code == 201
    yield server
    server.state.database.dispose()


@pytest.fixture
def yhdessa(database_url: str, server: FastAPI) -> Yhdessa:
    """Runs `yhdessa` on the database."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(command_line, arguments, env={"YHDESSA_DATABASE_URL": database_url})

    return run


@pytest.fixture
def instead(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets a process that does something else stand in the place of the one that prepares."""
    made = workshop_module.Workbench

    def put(does: str) -> None:
        monkeypatch.setattr(releases_module, "Workbench", lambda *arguments: made(*arguments, command=script(does)))

    return put


def told(result: Result) -> str:
    """The one line that was said about a mistake."""
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    assert re.fullmatch(r"error: [^\n]+\n", result.stderr), result.stderr
    return result.stderr.removeprefix("error: ").removesuffix("\n")


def cells(output: str) -> list[list[str]]:
    """The cells of the tables that were printed, row by row."""
    return [
        [cell.strip() for cell in line.strip("┃│").split(line[0])] for line in output.splitlines() if line[0] in "┃│"
    ]


def test_a_release_is_published_and_what_is_hidden_is_shown(yhdessa: Yhdessa, server: FastAPI) -> None:
    published = yhdessa(*PUBLISH, "--municipalities", "--quarters", "--state", "final", "--note", "The first")

    assert published.exit_code == 0, published.output
    assert published.stderr.splitlines() == [
        "publishing records that the county's reports speak from 2024 on (live_from)",
        "release 2 of county 13 is public; 3 figures hidden",
    ]
    assert [row for row in cells(published.stdout) if row[0] in ("2024", "140", "297")] == [
        ["2024", "3", "45", "3", "2024-12-31"],
        ["140", "2024", "small"],
        ["297", "2024", "protects others"],
    ]
    release = stored(server, "releases")[1]
    assert (release["state"], release["note"], release["url"], release["origin"]) == (
        "final",
        "The first",
        None,
        "published",
    )
    [draft] = stored(server, "release_drafts")
    assert (draft["state"], draft["key_id"], draft["organisation_id"]) == ("published", None, None)
    trend = Caller(TestClient(server), None).get("/v1/trends", county="13", from_year=2024, to_year=2024).json()
    assert [(row["year"], row["sessions"], row["release_id"]) for row in trend["years"]] == [(2024, 45, 2)]


@ONE_DATABASE
def test_a_dry_run_publishes_nothing(yhdessa: Yhdessa, server: FastAPI) -> None:
    dry = yhdessa(*PUBLISH, "--dry-run")

    assert dry.exit_code == 0
    assert dry.stderr.splitlines()[-1] == "dry run: 0 figures hidden; nothing is published"
    assert "hidden" not in dry.stdout
    assert len(stored(server, "releases")) == 1


@ONE_DATABASE
def test_a_year_that_changes_needs_its_kind_and_reason(yhdessa: Yhdessa, server: FastAPI) -> None:
    assert yhdessa("practice", "live-from", "yhdessa-aika", "13", "2022").exit_code == 0

    refused = told(yhdessa(*PUBLISH))
    published = yhdessa(*PUBLISH, "--change", "2022:error:Counted twice: once by each")

    assert refused.startswith("2022 will differ from the release before")
    assert published.exit_code == 0, published.output
    changes = stored(server, "release_changes")
    assert [(change["year"], change["kind"], change["reason"]) for change in changes] == [
        (2022, "error", "Counted twice: once by each"),
        (2023, "revision", "The earlier figures were of a part of the year."),
    ]


@ONE_DATABASE
@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (("--state", "draft"), 1, "state: Input should be 'preliminary' or 'final'"),
        (("--change", "2022"), 2, "write the year, revision or error, and the reason"),
        (("--change", "last:error:x"), 2, "write the year, revision or error, and the reason"),
        (("--change", "2022:guess:x"), 1, "changes.0.kind: Input should be 'revision' or 'error'"),
        (("--as-of", "tomorrow"), 1, "/as_of: 'tomorrow' is neither a day"),
        (("--practice", "nowhere"), 1, "there is no practice 'nowhere'"),
    ],
)
def test_what_cannot_be_asked_for_is_told(
    yhdessa: Yhdessa, arguments: tuple[str, ...], exit_code: int, words: str
) -> None:
    refused = yhdessa(*PUBLISH, *arguments)

    assert refused.exit_code == exit_code
    assert words in " ".join(refused.stderr.replace("│", "").split())


@ONE_DATABASE
def test_where_the_solver_is_missing_it_is_said_how_to_get_it(
    yhdessa: Yhdessa, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts_module, "find_spec", lambda _name: None)

    assert "pip install yhdessa-aika[publish]" in told(yhdessa(*PUBLISH))


@ONE_DATABASE
def test_what_may_not_be_published_is_told_with_the_reason(
    yhdessa: Yhdessa, server: FastAPI, instead: Callable[[str], None]
) -> None:
    instead("""print('{"refused": "the small figures cannot be protected: so it is"}')""")

    assert told(yhdessa(*PUBLISH)) == "nothing is published: the small figures cannot be protected: so it is"
    assert len(stored(server, "releases")) == 1


@ONE_DATABASE
def test_a_fault_is_shown_to_who_can_report_it(yhdessa: Yhdessa, instead: Callable[[str], None]) -> None:
    instead("""print('{"fault": "builtins.ValueError"}')""")

    failed = yhdessa(*PUBLISH)

    assert (failed.exit_code, failed.stdout) == (1, "")
    assert failed.stderr.splitlines() == ["builtins.ValueError", f"error: nothing is published: {FAULT}"]


@ONE_DATABASE
def test_an_interrupt_leaves_nothing_behind_that_others_wait_for(
    yhdessa: Yhdessa, server: FastAPI, instead: Callable[[str], None]
) -> None:
    # As the terminal does, to us alone: the child is in a group of its own.
    instead("import signal; os.kill(os.getppid(), signal.SIGINT); time.sleep(60)")

    interrupted = yhdessa(*PUBLISH)

    assert (interrupted.exit_code, interrupted.stderr) == (130, "error: interrupted; nothing is published\n")
    assert [draft["state"] for draft in stored(server, "release_drafts")] == ["refused"]


@ONE_DATABASE
def test_who_watches_sees_how_far_it_is(
    yhdessa: Yhdessa, instead: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Console(force_terminal=True, width=100, record=True)
    seen: list[Any] = []
    monkeypatch.setattr(releases_module, "said", watched)
    monkeypatch.setattr(Progress, "update", lambda _bar, _task, **shown: seen.append(tuple(shown.values())))
    instead("""print('{"progress": [1, 3, "protecting 2024"]}'); print('{"refused": "No"}')""")

    yhdessa(*PUBLISH)

    assert seen == [(1, 3, "protecting 2024")]
