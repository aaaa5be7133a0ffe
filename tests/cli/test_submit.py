"""`yhdessa submit`, against a real server over a network that fails when it is told to."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlmodel import col, select
from typer.testing import CliRunner, Result

from app.access.keys import issue_key
from app.access.models import Action
from app.cli.__main__ import app as command_line
from app.client import Client
from app.clock import system_clock
from app.database import Database
from app.reports.tables import CountEntry, Submission
from app.settings import Settings
from tests.conftest import ROOT, count, running_server, sqlite_copy, status
from tests.flaky_network import FlakyNetwork, Hold, answer_lost, flaky_network, passed, request_lost, turned_away

Submit = Callable[..., Result]

PROBLEM = "Content-Type: application/problem+json"


class Service(NamedTuple):
    """Where a server is, a key that reports for the whole country, and its database."""

    url: str
    key: str
    database: Database

    def recorded(self, municipality: str) -> list[tuple[str, int | None]]:
        """Every entry about the municipality, oldest first: its period and its sessions."""
        query = select(CountEntry).where(CountEntry.municipality == municipality).order_by(col(CountEntry.id))
        with self.database.reading() as db:
            return [(entry.period, entry.sessions) for entry in db.exec(query)]

    def submissions(self) -> int:
        """How many there are."""
        with self.database.reading() as db:
            return len(db.exec(select(Submission.id)).all())


@pytest.fixture(scope="module")
def service(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    url = sqlite_copy(migrated_sqlite, tmp_path_factory.mktemp("submit"))
    database = Database(Settings(database_url=url))
    with database.writing() as db:
        key = issue_key(
            db,
            name="THL's system",
            organisation="THL",
            actions=[Action.REPORT, Action.READ],
            areas=["country"],
            at=system_clock(),
        )
    with running_server(url) as address:
        yield Service(address, key, database)
    database.dispose()


@pytest.fixture
def network(service: Service) -> Iterator[FlakyNetwork]:
    with flaky_network(service.url) as network:
        yield network


@pytest.fixture(scope="module")
def municipalities(service: Service) -> Iterator[str]:
    """Municipalities that no other test has posted about."""
    with Client(service.url) as client:
        rows = client.read("/v1/municipalities")["rows"]
    return iter(sorted(row["code"] for row in rows if row["county"]))


@pytest.fixture
def municipality(municipalities: Iterator[str]) -> str:
    return next(municipalities)


@pytest.fixture
def file(tmp_path: Path, municipality: str) -> Path:
    """Six months of 2022, with 1 to 6 sessions, and a status that makes them plausible."""
    rows = [count(municipality, f"2022-{month:02}", month) for month in range(1, 7)]
    return written(tmp_path / "figures.json", rows, [status(municipality, "2022-01", "pilot")])


@pytest.fixture
def key_file(tmp_path: Path, service: Service) -> Path:
    path = tmp_path / "key"
    path.write_text(service.key + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def submit(monkeypatch: pytest.MonkeyPatch, network: FlakyNetwork, key_file: Path) -> Submit:
    """Runs `yhdessa submit` over the network, giving up at once unless told otherwise."""
    for name in ("YHDESSA_URL", "YHDESSA_KEY", "YHDESSA_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object, wait: float = 0, url: str = network.url, key: Path | None = key_file) -> Result:
        named = ("--key-file", str(key)) if key else ()
        return CliRunner().invoke(
            command_line, ["submit", *map(str, arguments), "--url", url, "--wait", str(wait), *named]
        )

    return run


def written(path: Path, counts: list[Any], statuses: list[Any] | None = None) -> Path:
    path.write_text(json.dumps({"counts": counts, "statuses": statuses or []}))
    return path


def progress_of(file: Path) -> Path:
    return file.with_name(file.name + ".yhdessa-progress")


def table(result: Result) -> list[list[str]]:
    """The cells of the tables on standard output."""
    return [re.split(r" *[│┃] *", line)[1:-1] for line in result.stdout.splitlines() if line[:1] in ("│", "┃")]


SUMMARY = ["created", "corrected", "unchanged", "rejected", "warnings"]


def summary(result: Result) -> list[int]:
    """created, corrected, unchanged, rejected, warnings."""
    headings, values = table(result)[:2]
    assert headings == SUMMARY
    return [int(value) for value in values]


def months(*numbers: int) -> list[tuple[str, int]]:
    return [(f"2022-{number:02}", number) for number in numbers]


# All goes well.


def test_a_file_is_recorded_and_the_receipt_is_summed_up(
    submit: Submit, service: Service, file: Path, municipality: str
) -> None:
    first = submit(file)
    again = submit(file)

    receipts = [result.stderr for result in (first, again)]
    assert [(result.exit_code, summary(result)) for result in (first, again)] == [
        (0, [7, 0, 0, 0, 0]),
        (0, [0, 0, 7, 0, 0]),
    ]
    assert [bool(re.fullmatch(r"receipts: [0-9]+\n", said)) for said in receipts] == [True, True]
    assert receipts[0] != receipts[1]
    assert service.recorded(municipality) == months(1, 2, 3, 4, 5, 6)
    assert [path.name for path in file.parent.iterdir() if path.name.startswith("figures")] == ["figures.json"]


def test_a_large_file_is_sent_in_parts_in_their_order(
    submit: Submit, service: Service, network: FlakyNetwork, file: Path, municipality: str
) -> None:
    before = service.submissions()

    done = submit(file, "--chunk-rows", 3)

    run, _, _ = network.keys_sent()[0].rpartition("-")
    assert (done.exit_code, summary(done)) == (0, [7, 0, 0, 0, 0])
    assert network.keys_sent() == [f"{run}-1", f"{run}-2", f"{run}-3"]
    assert (service.submissions() - before, service.recorded(municipality)) == (3, months(1, 2, 3, 4, 5, 6))
    assert done.stderr == f"receipts: {before + 1}, {before + 2}, {before + 3}\n"


def test_without_told_how_many_rows_a_part_has_as_many_as_the_server_takes(
    submit: Submit, network: FlakyNetwork, file: Path
) -> None:
    limits = {"max_rows": 2, "max_body_bytes": 1_000_000, "requests_per_minute": 600}
    network.faults.append(turned_away("200 OK", body=json.dumps({"limits": limits})))

    assert submit(file).exit_code == 0
    assert len(network.keys_sent()) == 4


def test_a_part_is_no_larger_than_the_server_takes(submit: Submit, network: FlakyNetwork, file: Path) -> None:
    network.faults.append(turned_away("200 OK", body=json.dumps({"limits": {"max_body_bytes": 300}})))

    assert submit(file).exit_code == 0
    assert len(network.keys_sent()) == 2


@pytest.mark.parametrize(
    "config",
    [
        turned_away("200 OK", body='{"limits": {"max_rows": 0, "max_body_bytes": "1"}}'),
        turned_away("200 OK", body='{"limits": [1]}'),
        turned_away("200 OK", body="{}"),
        turned_away("404 Not Found"),
    ],
)
def test_a_server_that_names_no_limits_gets_the_usual_parts(
    submit: Submit, network: FlakyNetwork, file: Path, config: Any
) -> None:
    network.faults.append(config)

    assert submit(file).exit_code == 0
    assert len(network.keys_sent()) == 1


def test_a_dry_run_says_what_would_happen_and_keeps_nothing(
    submit: Submit, service: Service, file: Path, municipality: str
) -> None:
    whole = submit(file, "--dry-run")
    parts = submit(file, "--dry-run", "--chunk-rows", 4)

    told = "dry run: nothing is recorded; this is what would happen\n"
    assert [(result.exit_code, summary(result)[:4]) for result in (whole, parts)] == [(0, [7, 0, 0, 0])] * 2
    assert [result.stderr for result in (whole, parts)] == [
        told,
        told + "each of the 2 parts was tried without those before it\n",
    ]
    assert (service.recorded(municipality), progress_of(file).exists()) == ([], False)


def test_rows_to_look_at_are_listed_where_they_are_in_the_file(
    submit: Submit, service: Service, tmp_path: Path, municipality: str
) -> None:
    rows = [count(municipality, "2022-01", 1), count(municipality, "2022-02", 2), count(municipality, "2099-01", 3)]
    file = written(tmp_path / "[bold].json", [*rows, count(municipality, "2022-04", 4)])

    tried = submit(file, "--skip-invalid", "--dry-run")
    done = submit(file, "--skip-invalid", "--chunk-rows", 2)

    listed = [
        ["/counts/2/period", "rejected"],
        ["/counts/0", "no_active_status"],
        ["/counts/1", "no_active_status"],
        ["/counts/3", "no_active_status"],
    ]
    for result in (tried, done):
        assert (result.exit_code, summary(result)) == (4, [3, 0, 0, 1, 3])
        assert [row[:2] for row in table(result)[3:]] == listed
        assert table(result)[3][2].startswith("2099-01 ")
    assert service.recorded(municipality) == months(1, 2, 4)


def test_of_many_rows_to_look_at_the_first_are_listed(submit: Submit, tmp_path: Path, municipality: str) -> None:
    rows = [count(municipality, f"{year}-{month:02}", 1) for year in (2021, 2022) for month in range(1, 13)]

    done = submit(written(tmp_path / "figures.json", rows), "--chunk-rows", 10)

    assert (done.exit_code, summary(done)) == (0, [24, 0, 0, 0, 24])
    assert [row[0] for row in table(done)[3:]] == [f"/counts/{index}" for index in range(20)]
    assert re.fullmatch(r"and 4 more\nreceipts: [0-9, ]+\n", done.stderr)


# The server refuses.


def test_a_refused_part_ends_it_and_the_corrected_file_is_sent_from_the_start(
    submit: Submit, service: Service, tmp_path: Path, municipality: str
) -> None:
    rows = [count(municipality, f"2022-{month:02}", month) for month in range(1, 7)]
    wrong = [*rows[:3], rows[3] | {"sessions": -1}, rows[4] | {"municipality": "999"}, rows[5]]
    file = written(tmp_path / "figures.json", wrong)

    refused = submit(file, "--chunk-rows", 3)
    left = progress_of(file).exists()
    recorded = service.recorded(municipality)
    corrected = submit(written(file, rows), "--chunk-rows", 3)

    assert (refused.exit_code, summary(refused), left, recorded) == (3, [3, 0, 0, 0, 3], False, months(1, 2, 3))
    assert refused.stderr.splitlines() == [
        "error: 422 The content of the request is not valid",
        "  /counts/3/sessions: Input should be greater than or equal to 0",
        f"receipts: {service.submissions() - 2}",
        "recorded are the parts up to 1 of 2; part 2 and what follows is not",
        "when it is corrected submit it again from the start: what stands already will be unchanged",
    ]
    assert (corrected.exit_code, summary(corrected)[:4]) == (0, [3, 0, 3, 0])
    assert service.recorded(municipality) == months(1, 2, 3, 4, 5, 6)


def test_of_many_errors_the_first_are_listed(submit: Submit, tmp_path: Path, municipality: str) -> None:
    rows = [count(municipality, f"{2030 + index}", 1) for index in range(25)]

    refused = submit(written(tmp_path / "figures.json", rows))

    lines = refused.stderr.splitlines()
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert [line.partition(": ")[0] for line in lines[1:21]] == [f"  /counts/{index}/period" for index in range(20)]
    assert lines[21:23] == ["and 5 more", "nothing is recorded"]


def test_a_refused_dry_run_says_that_nothing_is_recorded(
    submit: Submit, service: Service, tmp_path: Path, municipality: str
) -> None:
    rows = [count(municipality, "2022-01", 1), count(municipality, "2099-01", 1)]

    refused = submit(written(tmp_path / "figures.json", rows), "--chunk-rows", 1, "--dry-run")

    assert (refused.exit_code, refused.stdout, service.recorded(municipality)) == (3, "", [])
    assert refused.stderr.splitlines()[1].startswith("  /counts/1/period: ")
    assert refused.stderr.splitlines()[2:] == [
        "nothing is recorded",
        "when it is corrected submit it again from the start: what stands already will be unchanged",
    ]


def test_errors_of_a_later_part_of_a_csv_are_told_in_the_lines_of_the_file(
    submit: Submit, network: FlakyNetwork, tmp_path: Path
) -> None:
    file = tmp_path / "figures.csv"
    file.write_text('kunta;istunnot;lisätieto\n297;1;"a\nb"\n297;-2;\n297;3;\n')
    receipt = {"id": 7, "rows": [{"list": "counts", "index": 0, "errors": [], "warnings": []}]}
    receipt |= dict.fromkeys(SUMMARY[:4], 0)
    errors = [{"line": 2, "column": "istunnot", "pointer": "/counts/1/sessions", "detail": "negative"}]
    problem = {"status": 422, "title": "Not valid", "detail": "negative", "errors": errors}
    network.faults += [
        turned_away("201 Created", body=json.dumps(receipt)),
        turned_away("422 Unprocessable Content", PROBLEM, body=json.dumps(problem)),
    ]

    refused = submit(file, "--chunk-rows", 1)

    assert refused.exit_code == 3
    assert refused.stderr.splitlines()[:2] == ["error: 422 Not valid", "  line 4, column istunnot: negative"]
    sent = [request.partition(b"\r\n\r\n")[2].decode() for request in network.requests]
    assert sent == ['kunta;istunnot;lisätieto\n297;1;"a\nb"\n', "kunta;istunnot;lisätieto\n297;-2;\n"]
    assert b"\r\nContent-Type: text/csv\r\n" in network.requests[0]


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("figures.xlsx", "an Excel file is sent whole; save it as CSV, which is sent in parts"),
        ("figures.csv", "send fewer rows at once with --chunk-rows"),
    ],
)
def test_a_file_that_is_too_large_is_told_what_would_help(
    submit: Submit, network: FlakyNetwork, tmp_path: Path, name: str, advice: str
) -> None:
    network.faults += [passed, turned_away("413 Content Too Large", body="nginx")]
    (tmp_path / name).write_bytes(b"PK")

    refused = submit(tmp_path / name)

    assert refused.exit_code == 3
    assert refused.stderr.splitlines()[:3] == [
        "error: 413 Content Too Large: nginx",
        advice,
        "nothing is recorded",
    ]


def test_a_key_that_is_refused_midway_stops_it_until_there_is_a_good_one(
    submit: Submit, service: Service, network: FlakyNetwork, file: Path, tmp_path: Path, municipality: str
) -> None:
    network.faults += [passed, turned_away("401 Unauthorized", body="revoked")]

    refused = submit(file, "--chunk-rows", 4)
    done = submit(file, "--chunk-rows", 4)

    assert (refused.exit_code, summary(refused)) == (3, [4, 0, 0, 0, 0])
    assert refused.stderr.splitlines()[0] == "error: 401 Unauthorized: revoked"
    assert refused.stderr.splitlines()[-1] == "the same command goes on where it stopped"
    assert (done.exit_code, summary(done)) == (0, [7, 0, 0, 0, 0])
    assert service.recorded(municipality) == months(1, 2, 3, 4, 5, 6)


# The server does not answer.


@pytest.mark.parametrize("fault", [request_lost, answer_lost, turned_away("503 Service Unavailable")])
def test_what_was_not_answered_is_gone_on_with_and_recorded_once(
    submit: Submit, service: Service, network: FlakyNetwork, file: Path, municipality: str, fault: Any
) -> None:
    before = service.submissions()
    network.faults += [passed, fault]

    first = submit(file, "--chunk-rows", 3)
    kept = progress_of(file).read_text()
    second = submit(file)

    assert (first.exit_code, first.stdout) == (5, "")
    assert re.fullmatch(r"error: .* \(tried once\)\nthe same command goes on where it stopped\n", first.stderr)
    assert (service.key in kept, service.key.split("_")[1] in kept) == (False, False)
    assert progress_of(file).exists() is False
    assert (second.exit_code, summary(second)) == (0, [7, 0, 0, 0, 0])
    assert second.stderr.splitlines() == [
        "going on after part 1 of 3",
        *(["of 1 of 3 parts the answer had been lost; each is recorded once"] if fault is answer_lost else []),
        f"receipts: {before + 1}, {before + 2}, {before + 3}",
    ]
    assert (service.submissions() - before, service.recorded(municipality)) == (3, months(1, 2, 3, 4, 5, 6))


def test_while_there_is_time_it_keeps_trying(
    submit: Submit, service: Service, network: FlakyNetwork, file: Path, municipality: str
) -> None:
    before = service.submissions()
    busy = turned_away("503 Service Unavailable", "Retry-After: 1")
    network.faults += [request_lost, busy, passed, answer_lost, answer_lost]

    done = submit(file, "--chunk-rows", 3, wait=60)

    assert (done.exit_code, summary(done)) == (0, [7, 0, 0, 0, 0])
    assert [network.keys_sent().count(key) for key in dict.fromkeys(network.keys_sent())] == [3, 3, 1]
    assert (service.submissions() - before, service.recorded(municipality)) == (3, months(1, 2, 3, 4, 5, 6))


def test_a_server_that_is_not_there_leaves_nothing_behind(submit: Submit, file: Path) -> None:
    unanswered = submit(file, url="http://127.0.0.1:1")

    assert (unanswered.exit_code, unanswered.stdout) == (5, "")
    assert re.fullmatch(r"error: no answer from 127\.0\.0\.1: .* \(tried once\)\n", unanswered.stderr)
    assert progress_of(file).exists() is False


def test_a_dry_run_that_is_not_answered_can_be_tried_again(submit: Submit, network: FlakyNetwork, file: Path) -> None:
    network.faults += [passed, request_lost]

    unanswered = submit(file, "--dry-run")

    assert (unanswered.exit_code, unanswered.stderr.splitlines()[1:]) == (5, ["a dry run records nothing"])
    assert progress_of(file).exists() is False


# A run that was not finished.


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ("content", "the content of the file"),
        ("url", "--url"),
        ("skip", "--skip-invalid"),
        ("rows", "--chunk-rows"),
    ],
)
def test_an_unfinished_run_is_not_mixed_with_another(
    submit: Submit, service: Service, network: FlakyNetwork, file: Path, municipality: str, changed: str, named: str
) -> None:
    network.faults += [passed, request_lost]
    submit(file, "--chunk-rows", 3)
    kept, content = progress_of(file).read_text(), file.read_text()
    if changed == "content":
        file.write_text(content + " ")
    options: dict[str, list[object]] = {"skip": ["--skip-invalid"], "rows": ["--chunk-rows", 2]}
    more = options.get(changed, [])
    url = service.url if changed == "url" else network.url

    refused = submit(file, *more, url=url)
    still_kept = progress_of(file).read_text()
    progress_of(file).unlink()
    done = submit(file, *more, url=url)

    assert (refused.exit_code, refused.stdout, still_kept) == (1, "", kept)
    assert refused.stderr == (
        f"error: figures.json was begun and not finished (1 of 3 parts are recorded at {network.url}), and now there "
        f"is another: {named}. Finish it first, with everything as it was; or delete {progress_of(file)} and submit "
        "from the start: what is recorded already will be answered as unchanged\n"
    )
    assert (done.exit_code, summary(done)[:4]) == (0, [4, 0, 3, 0])
    assert service.recorded(municipality) == months(1, 2, 3, 4, 5, 6)


def test_a_run_of_which_nothing_is_recorded_holds_no_other_up(
    submit: Submit, service: Service, network: FlakyNetwork, file: Path, municipality: str
) -> None:
    network.faults += [answer_lost]
    unanswered = submit(file, "--chunk-rows", 9)

    done = submit(written(file, [count(municipality, "2022-01", 1), count(municipality, "2022-07", 7)]))

    assert (unanswered.exit_code, done.exit_code, summary(done)) == (5, 0, [1, 0, 1, 0, 0])
    assert service.recorded(municipality) == months(1, 2, 3, 4, 5, 6, 7)


def test_progress_that_is_none_is_told(submit: Submit, file: Path) -> None:
    progress_of(file).write_text('{"run": 7}')

    refused = submit(file)

    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"error: {progress_of(file)} holds no progress that this version can go on from; delete it and start again: "
        "what is recorded already will be answered as unchanged\n"
    )


def test_progress_can_be_kept_elsewhere_and_nothing_is_sent_if_it_cannot_be_kept(
    submit: Submit, service: Service, network: FlakyNetwork, file: Path, tmp_path: Path, municipality: str
) -> None:
    nowhere = submit(file, "--progress-file", tmp_path / "no" / "folder")
    recorded = service.recorded(municipality)
    network.faults += [passed, passed, request_lost]
    elsewhere = submit(file, "--progress-file", tmp_path / "progress", "--chunk-rows", 3)

    assert (nowhere.exit_code, nowhere.stdout, recorded) == (1, "", [])
    assert nowhere.stderr.startswith("error: [Errno 2] No such file or directory: ")
    assert (elsewhere.exit_code, (tmp_path / "progress").stat().st_mode & 0o777) == (5, 0o600)
    assert submit(file, "--progress-file", tmp_path / "progress").exit_code == 0
    assert service.recorded(municipality) == months(1, 2, 3, 4, 5, 6)


# Ended from outside.


@pytest.fixture
def started(network: FlakyNetwork, key_file: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts `yhdessa submit` in a process of its own."""
    processes = []

    def start(file: Path, *options: str, stderr: int = subprocess.PIPE) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "app.cli", "submit", str(file), "--url", network.url, *options]
        process = subprocess.Popen(
            [*command, "--key-file", str(key_file)], cwd=ROOT, stdout=subprocess.PIPE, stderr=stderr, text=True
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("parts_before", "before_server"), [(0, False), (1, True), (1, False), (2, False)])
def test_a_run_that_was_killed_goes_on_and_all_is_recorded_once(
    started: Callable[..., "subprocess.Popen[str]"],
    submit: Submit,
    service: Service,
    network: FlakyNetwork,
    file: Path,
    municipality: str,
    parts_before: int,
    before_server: bool,
) -> None:
    before, held_up = service.submissions(), Hold(before_server=before_server)
    network.faults += [*[passed] * parts_before, held_up]

    process = started(file, "--chunk-rows", "3")
    assert held_up.held.wait(30)
    listed = subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True).stdout
    process.kill()
    process.wait()
    held_up.go_on.set()
    kept = progress_of(file).read_text()
    done = submit(file)

    assert (str(file) in listed, service.key in listed, service.key in kept) == (True, False, False)
    assert (done.exit_code, summary(done)) == (0, [7, 0, 0, 0, 0])
    assert service.submissions() - before == 3
    assert service.recorded(municipality) == months(1, 2, 3, 4, 5, 6)
    assert len(set(network.keys_sent())) == 3
    assert [path.name for path in file.parent.iterdir() if path.name.startswith("figures")] == ["figures.json"]


def test_two_runs_of_the_same_file_at_once_record_it_once(
    started: Callable[..., "subprocess.Popen[str]"],
    submit: Submit,
    service: Service,
    network: FlakyNetwork,
    file: Path,
    municipality: str,
) -> None:
    before, second_part = service.submissions(), Hold()
    network.faults += [passed, second_part]

    first = started(file, "--chunk-rows", "3")
    assert second_part.held.wait(30)
    second = submit(file)
    second_part.go_on.set()
    shown, _ = first.communicate(timeout=30)

    assert (first.returncode, second.exit_code) == (0, 0)
    assert shown == second.stdout
    assert service.submissions() - before == 3
    assert (service.recorded(municipality), progress_of(file).exists()) == (months(1, 2, 3, 4, 5, 6), False)


def test_who_interrupts_it_is_told_how_to_go_on(
    started: Callable[..., "subprocess.Popen[str]"], submit: Submit, network: FlakyNetwork, file: Path
) -> None:
    second_part = Hold()
    network.faults += [passed, second_part]

    process = started(file, "--chunk-rows", "3")
    assert second_part.held.wait(30)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)
    second_part.go_on.set()

    assert (process.returncode, said) == (
        130,
        ("", "error: interrupted\nthe same command goes on where it stopped\n"),
    )
    assert summary(submit(file)) == [7, 0, 0, 0, 0]


def test_who_watches_sees_a_bar(started: Callable[..., "subprocess.Popen[str]"], file: Path) -> None:
    ours, theirs = pty.openpty()

    process = started(file, "--chunk-rows", "3", stderr=theirs)
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # What a terminal says once nobody is left who writes to it.
        while part := os.read(ours, 4_096):
            shown += part
    os.close(ours)

    assert process.wait(30) == 0
    assert "Submitting" in shown.decode()
    assert "3/3" in shown.decode()


# What it is told.


def test_the_key_can_be_in_the_environment(
    submit: Submit, monkeypatch: pytest.MonkeyPatch, service: Service, file: Path, network: FlakyNetwork
) -> None:
    monkeypatch.setenv("YHDESSA_KEY", service.key)

    by_option = submit(file, key=None)
    monkeypatch.setenv("YHDESSA_URL", network.url)
    by_variables = CliRunner().invoke(command_line, ["submit", str(file)])

    assert [(result.exit_code, service.key in result.output) for result in (by_option, by_variables)] == [
        (0, False)
    ] * 2


def test_a_key_file_may_hold_a_byte_order_mark_and_line_ends(submit: Submit, service: Service, file: Path) -> None:
    bom = file.with_name("key.txt")
    bom.write_text(f"{service.key}\r\n", encoding="utf-8-sig", newline="")
    bom.chmod(0o600)

    assert submit(file, key=bom).exit_code == 0


def test_who_lets_others_read_the_key_is_warned(submit: Submit, key_file: Path, file: Path) -> None:
    key_file.chmod(0o640)

    done = submit(file)

    assert done.exit_code == 0
    assert done.stderr.splitlines()[0] == (
        f"warning: others than you can read {key_file}; `chmod 600` keeps the key yours"
    )


def test_without_a_key_it_is_told_where_to_put_one_and_never_what_was_found(
    submit: Submit, monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    wrong = file.with_name("wrong")
    wrong.write_text("two secret words")
    wrong.chmod(0o600)
    empty = file.with_name("empty")
    empty.touch(0o600)

    results = [submit(file, key=key) for key in (None, wrong, empty, file.with_name("none"))]
    monkeypatch.setenv("YHDESSA_KEY", "a\nsecret")
    results.append(submit(file, key=None))

    assert [(result.exit_code, result.stdout) for result in results] == [(1, "")] * 5
    assert [result.stderr for result in results] == [
        "error: no key: name a file that holds it with --key-file, or set YHDESSA_KEY\n",
        f"error: {wrong} must hold a key and nothing else\n",
        f"error: {empty} must hold a key and nothing else\n",
        f"error: [Errno 2] No such file or directory: '{file.with_name('none')}'\n",
        "error: YHDESSA_KEY must hold a key and nothing else\n",
    ]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("yhdessa.example", "--url: 'yhdessa.example' must start with https:// or http:// and name a host"),
        ("ftp://yhdessa.example", "--url: 'ftp://yhdessa.example' must start with https:// or http:// and name a host"),
        ("https://", "--url: 'https://' must start with https:// or http:// and name a host"),
        ("https://user:secret@yhdessa.example", "--url: give the bare address, without a user, a password or a query"),
        ("https://yhdessa.example/?a=b", "--url: give the bare address, without a user, a password or a query"),
        ("https://yhdessa.example#a", "--url: give the bare address, without a user, a password or a query"),
        ("https://yhdessa.example:http", "--url: Invalid port: 'http'"),
    ],
)
def test_an_address_that_is_none_is_told(submit: Submit, file: Path, url: str, reason: str) -> None:
    refused = submit(file, url=url)

    assert (refused.exit_code, refused.stdout, refused.stderr) == (1, "", f"error: {reason}\n")


def test_who_sends_a_key_unencrypted_is_warned(submit: Submit, file: Path) -> None:
    unanswered = submit(file, url="http://yhdessa.invalid")

    assert unanswered.exit_code == 5
    assert unanswered.stderr.splitlines()[0] == (
        "warning: over http:// others can read the key on its way; use https://"
    )


def test_a_file_that_cannot_be_submitted_is_told(submit: Submit, network: FlakyNetwork, tmp_path: Path) -> None:
    (tmp_path / "figures.xls").touch()

    unknown, missing = submit(tmp_path / "figures.xls"), submit(tmp_path / "figures.csv")

    assert (unknown.exit_code, unknown.stderr) == (
        1,
        "error: figures.xls: the name must end in .json, .ndjson, .jsonl, .csv, .xlsx\n",
    )
    assert (missing.exit_code, missing.stderr) == (
        1,
        f"error: [Errno 2] No such file or directory: '{tmp_path}/figures.csv'\n",
    )
    assert network.requests == []


@pytest.mark.parametrize("wrong", [("--chunk-rows", "0"), ("--key", "yhdessa_a_b"), ("more",)])
def test_wrong_usage_is_refused_with_the_usage(submit: Submit, file: Path, wrong: tuple[str, ...]) -> None:
    refused = submit(file, *wrong)

    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "Usage: " in refused.stderr


def test_the_help_tells_every_exit_code() -> None:
    shown = CliRunner().invoke(command_line, ["submit", "--help"]).output

    assert [re.search(rf"(?m)^ {code} \w", shown) is not None for code in (0, 1, 2, 3, 4, 5, 130)] == [True] * 7
