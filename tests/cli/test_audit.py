"""`yhdessa audit verify`, `audit list` and `redact`."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.engine import make_url
from typer.testing import Result

from app.cli.audit import ALTERED
from app.clock import written
from app.database import Database
from tests.cli.test_commands import KEY_CREATE, Yhdessa, caller, server as server, told, yhdessa as yhdessa
from tests.conftest import NOW, Caller, StandingClock, count
from tests.publishing.published import publish
from tests.reports.stored import stored

COUNT = "/v1/session-counts/yhdessa-aika/297/2022-03"
NOTHING = "0" * 64


@pytest.fixture
def kuopio(yhdessa: Yhdessa, database_url: str, server: FastAPI) -> Caller:
    """A key for Kuopio that the command line made."""
    created = yhdessa(*KEY_CREATE, "--action", "read", on=database_url)
    assert created.exit_code == 0, created.output
    return caller(server, created.stdout.strip())


def cells(result: Result) -> list[list[str]]:
    """The rows of the table that was printed, its headings first."""
    assert result.exit_code == 0, result.output
    return [re.split(r" *[│┃] *", line)[1:-1] for line in result.stdout.splitlines() if re.match("[│┃]", line)]


def behind_its_back(server: FastAPI, statement: str) -> None:
    """Run `statement` with the triggers of `count_entries` gone."""
    database: Database = server.state.database
    with database.engine.begin() as connection:
        if database.engine.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER count_entries_refuses_update"))
        else:
            connection.execute(text("ALTER TABLE count_entries DISABLE TRIGGER ALL"))
        connection.execute(text(statement))


def test_an_untouched_archive_is_proved_and_its_heads_are_printed(
    yhdessa: Yhdessa, database_url: str, server: FastAPI, kuopio: Caller
) -> None:
    kuopio.post([count("297", "2022-03", 7), count("297", "2022-04", 8, note="n")])
    kuopio.post([count("140", "2022-03", 7)])

    proved = yhdessa("audit", "verify", on=database_url)

    assert cells(proved) == [
        ["chain", "length", "head"],
        ["receipts", "1", stored(server, "submissions")[-1]["hash"]],
        ["audit lines", "2", stored(server, "audit_lines")[-1]["hash"]],
    ]
    assert proved.stderr == "nothing was altered; the receipts have 2 entries\n"


def test_an_empty_archive_is_proved(yhdessa: Yhdessa, database_url: str) -> None:
    proved = yhdessa("audit", "verify", "--head", NOTHING, on=database_url)

    assert cells(proved)[1:] == [["receipts", "0", NOTHING], ["audit lines", "0", NOTHING]]


def test_what_was_altered_is_told_in_one_line_with_exit_code_3(
    yhdessa: Yhdessa, database_url: str, server: FastAPI, kuopio: Caller
) -> None:
    kuopio.post([count("297", "2022-03", 7)])
    behind_its_back(server, "UPDATE count_entries SET sessions = 70")

    found = yhdessa("audit", "verify", on=database_url)

    assert (found.exit_code, found.stdout) == (ALTERED, "") == (3, "")
    assert found.stderr == "altered: receipt 1, or an entry of it, was altered, deleted or added\n"


def test_a_release_that_does_not_say_what_passed_its_audit_is_told(
    yhdessa: Yhdessa, database_url: str, server: FastAPI, kuopio: Caller
) -> None:
    kuopio.post([count("297", "2024-Q1", 7)])
    number = publish(server.state.database, StandingClock(NOW))
    facts = "facts FROM release_years WHERE release_id = 1 AND year = 2021"
    behind_its_back(server, f"INSERT INTO release_years SELECT {number}, 2030, {facts}")

    found = yhdessa("audit", "verify", on=database_url)

    assert (found.exit_code, found.stdout) == (ALTERED, "")
    assert found.stderr == f"altered: release {number} does not say what passed its audit\n"


def test_heads_that_were_kept_elsewhere_must_still_be_there(
    yhdessa: Yhdessa, database_url: str, kuopio: Caller
) -> None:
    kuopio.post([count("297", "2022-03", 7)])
    kept = [row[2] for row in cells(yhdessa("audit", "verify", on=database_url))[1:]]
    kuopio.post([count("297", "2022-04", 7)])

    still = yhdessa("audit", "verify", "--head", kept[0], "--head", kept[1], on=database_url)
    gone = yhdessa("audit", "verify", "--head", kept[0], "--head", "f" * 64, on=database_url)

    assert still.exit_code == 0
    assert (gone.exit_code, gone.stdout) == (3, "")
    assert gone.stderr == f"altered: no receipt and no line has the hash {'f' * 64}: the end was cut off\n"


def test_a_database_that_is_away_is_no_alteration(yhdessa: Yhdessa, tmp_path: Path) -> None:
    refused = yhdessa("audit", "verify", on=f"sqlite:///{tmp_path}/no/folder/y.db")

    assert told(refused).startswith("the database does not answer as it should: ")


def test_what_happened_to_keys_and_what_they_were_refused_is_listed_newest_first(
    yhdessa: Yhdessa, database_url: str, server: FastAPI, kuopio: Caller
) -> None:
    began = written(datetime.now(UTC))[:10]
    other = yhdessa(*KEY_CREATE, on=database_url).stdout.split("_")[1]
    kuopio.post([count("140", "2022-03", 7)])
    yhdessa("key", "revoke", other, on=database_url)
    key = str(kuopio.key).split("_")[1]

    listed = cells(yhdessa("audit", "list", on=database_url))
    about_one = cells(yhdessa("audit", "list", "--key", key, on=database_url))
    newest = cells(yhdessa("audit", "list", "--limit", "1", on=database_url))

    assert listed[0] == ["line", "at", "what", "key", "detail"]
    assert [[line, what, about, detail] for line, _, what, about, detail in listed[1:]] == [
        ["4", "key_revoked", other, "{}"],
        [
            *("3", "refused", key),
            '{"method": "POST", "reason": "not-covered", "route": "/v1/submissions", "status": 403}',
        ],
        ["2", "key_created", other, '{"actions": "report", "areas": "municipality:297"}'],
        ["1", "key_created", key, '{"actions": "read report", "areas": "municipality:297"}'],
    ]
    assert [row[1] for row in listed[1:]] == [
        written(line["recorded_at"]) for line in reversed(stored(server, "audit_lines"))
    ]
    assert listed[1][1][:10] >= began
    assert [row[0] for row in about_one[1:]] == ["3", "1"]
    assert newest == listed[:2]


def test_a_list_has_at_least_one_line(yhdessa: Yhdessa, database_url: str) -> None:
    assert yhdessa("audit", "list", "--limit", "0", on=database_url).exit_code == 2
    assert cells(yhdessa("audit", "list", on=database_url)) == [["line", "at", "what", "key", "detail"]]


def test_a_note_is_erased_for_good_and_the_proof_stays_whole(
    yhdessa: Yhdessa, database_url: str, server: FastAPI, kuopio: Caller
) -> None:
    kuopio.put(COUNT, {"sessions": 7, "note": "Anna Virtanen was ill"})
    head = cells(yhdessa("audit", "verify", on=database_url))[1][2]

    erased = [yhdessa("redact", "counts", "1", on=database_url) for _ in range(2)]

    proved = yhdessa("audit", "verify", "--head", head, on=database_url)
    lines = cells(yhdessa("audit", "list", "--limit", "1", on=database_url))
    assert [(one.exit_code, one.stdout, one.stderr) for one in erased] == [
        (0, "", "the note beside entry 1 of counts is erased\n")
    ] * 2
    assert proved.exit_code == 0
    assert lines[1][2:] == ["note_redacted", "", '{"entry": 1, "list": "counts"}']
    assert [(row["sessions"], row["note"]) for row in kuopio.get(f"{COUNT}/history").json()["rows"]] == [(7, None)]
    if database_url.startswith("sqlite"):
        files = list(Path(make_url(database_url).database or "").parent.glob("test.db*"))
        assert [file for file in files if b"Virtanen" in file.read_bytes()] == []


def test_a_note_that_there_never_was_is_not_erased(yhdessa: Yhdessa, database_url: str, kuopio: Caller) -> None:
    kuopio.put(COUNT, {"sessions": 7})

    refused = [yhdessa("redact", *place, on=database_url) for place in (("counts", "1"), ("statuses", "1"))]
    misspelt = yhdessa("redact", "count", "1", on=database_url)

    assert [told(one) for one in refused] == [
        "there is no note beside entry 1 of counts",
        "there is no note beside entry 1 of statuses",
    ]
    assert misspelt.exit_code == 2


def test_while_a_reader_keeps_the_note_the_command_says_so_and_can_be_repeated(
    yhdessa: Yhdessa, database_url: str, server: FastAPI, kuopio: Caller
) -> None:
    kuopio.put(COUNT, {"sessions": 7, "note": "Anna Virtanen was ill"})
    sqlite = database_url.startswith("sqlite")

    with server.state.database.reading() as db:
        db.execute(text("SELECT * FROM notes")).all()
        first = yhdessa("redact", "counts", "1", on=database_url, YHDESSA_LOCK_TIMEOUT_SECONDS="0.1")
    second = yhdessa("redact", "counts", "1", on=database_url)

    assert first.exit_code == (1 if sqlite else 0)
    assert ("somebody still reads what was there before" in first.stderr) == sqlite
    assert second.stderr == "the note beside entry 1 of counts is erased\n"
