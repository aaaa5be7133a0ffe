"""The command line `yhdessa`, command by command."""

import json
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result
from uvicorn.config import STARTUP_FAILURE

from app.access.keys import issue_key
from app.access.models import Action
from app.cli.__main__ import app as command_line
from app.clock import helsinki_day
from app.database import Database
from app.main import create_app, openapi
from app.practices.models import UNTRANSLATED
from app.settings import Settings
from tests.conftest import Caller
from tests.releases.test_importing import AS_CSV, in_json

Yhdessa = Callable[..., Result]

KEY_CREATE = ("key", "create", "--name", "Client system", "--action", "report", "--area", "municipality:297")
PRACTICE_ADD = (
    *("practice", "add", "kela-jalkautuminen"),
    *("--name-fi", "Kelan jalkautuminen", "--name-sv", "FPA på plats", "--name-en", "Kela at sessions"),
    *("--definition", "Kela's staff take part in sessions", "--contact", "kela@example.fi", "--no-counted"),
    *("--criteria-pilot", "Tried", "--criteria-in-use", "Agreed"),
)
EVERY_COMMAND: tuple[tuple[str, ...], ...] = (
    ("serve", "--port", "0"),
    ("migrate",),
    ("openapi",),
    KEY_CREATE,
    ("key", "list"),
    ("key", "rotate", "abcd1234"),
    ("key", "revoke", "abcd1234"),
    ("key", "report-leak", "abcd1234"),
    ("audit", "verify"),
    ("audit", "list"),
    ("redact", "counts", "1"),
    PRACTICE_ADD,
    ("practice", "live-from", "yhdessa-aika", "13", "2021"),
    ("release", "import", "release.json"),
    ("release", "publish", "--county", "13", "--title", "Title", "--source", "Source"),
)
NEEDS_A_SCHEMA = [command for command in EVERY_COMMAND if command[0] not in ("migrate", "openapi")]


@pytest.fixture
def yhdessa(monkeypatch: pytest.MonkeyPatch) -> Yhdessa:
    """Runs `yhdessa`, with what is `typed`, on the database at `on`; a server that should refuse to start fails."""

    def started(*_arguments: object, **_options: object) -> None:
        pytest.fail("the server started")

    monkeypatch.setattr(uvicorn.Server, "run", started)

    def run(*arguments: str, on: str = "", typed: str | None = None, **environment: str) -> Result:
        on_database = {"YHDESSA_DATABASE_URL": on} if on else {}
        return CliRunner().invoke(command_line, arguments, input=typed, env={**environment, **on_database})

    monkeypatch.delenv("YHDESSA_DATABASE_URL", raising=False)
    return run


@pytest.fixture
def server(database_url: str) -> Iterator[FastAPI]:
    """The application on the same database, by the real clock, which the command line has."""
    server = create_app(Settings(database_url=database_url))
    yield server
    server.state.database.dispose()


def told(result: Result) -> str:
    """The one line that was said about a mistake."""
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    assert re.fullmatch(r"error: [^\n]+\n", result.stderr), result.stderr
    return result.stderr.removeprefix("error: ").removesuffix("\n")


def caller(server: FastAPI, key: str | None) -> Caller:
    return Caller(TestClient(server), key)


# An unsafe database.


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("command", [command for command in NEEDS_A_SCHEMA if command[0] != "release"])
def test_a_database_that_would_lose_what_it_acknowledged_is_refused(
    yhdessa: Yhdessa, database_url: str, command: tuple[str, ...]
) -> None:
    plain = create_engine(database_url, isolation_level="AUTOCOMMIT")
    with plain.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {make_url(database_url).database} SET synchronous_commit = off"))
    plain.dispose()

    refused = told(yhdessa(*command, on=database_url))

    assert refused == (
        "PostgreSQL runs with synchronous_commit=off, so what was acknowledged could be lost when the power fails; "
        "set fsync, full_page_writes and synchronous_commit to on"
    )


# Keys.


def test_a_key_is_printed_once_alone_and_works(yhdessa: Yhdessa, database_url: str, server: FastAPI) -> None:
    created = yhdessa(*KEY_CREATE, on=database_url)

    assert created.exit_code == 0
    assert re.fullmatch(r"yhdessa_[a-z0-9]{8}_[A-Za-z0-9]{38}\n", created.stdout)
    assert created.stderr == ("Keep it now: it cannot be shown again. Send it as `Authorization: Bearer <key>`.\n")
    said = caller(server, created.stdout.strip()).get("/v1/key").json()
    left = datetime.fromisoformat(said["expires_at"]) - datetime.now(UTC)
    assert said == {
        "id": created.stdout.split("_")[1],
        "name": "Client system",
        "organisation": "Client system",
        "actions": ["report"],
        "areas": ["municipality:297"],
        "expires_at": said["expires_at"],
    }
    assert (left.days, created.stdout.strip() in created.stderr) == (399, False)


def test_a_key_can_have_several_actions_and_areas_an_organisation_and_a_lifetime(
    yhdessa: Yhdessa, database_url: str, server: FastAPI
) -> None:
    key = yhdessa(
        *KEY_CREATE,
        *("--action", "read", "--action", "publish", "--area", "county:13"),
        *("--organisation", "Kuopio", "--days", "3"),
        on=database_url,
    ).stdout.strip()

    said = caller(server, key).get("/v1/key").json()

    left = datetime.fromisoformat(said["expires_at"]) - datetime.now(UTC)
    assert (said["organisation"], said["actions"], left.days) == ("Kuopio", ["publish", "read", "report"], 2)
    assert said["areas"] == ["county:13", "municipality:297"]


def test_a_key_for_an_area_that_there_is_not_is_refused(yhdessa: Yhdessa, database_url: str) -> None:
    refused = yhdessa(*KEY_CREATE, "--area", "county:99", on=database_url)

    assert told(refused) == "there is no county 99; North Savo is 13"
    assert "Client system" not in yhdessa("key", "list", on=database_url).stdout


@pytest.mark.parametrize(
    "wrong", [("--action", "write"), ("--days", "0"), ("--days", "3651"), ("--colour", "blue"), ("unexpected",)]
)
def test_an_option_that_there_is_not_is_refused_with_the_usage(yhdessa: Yhdessa, wrong: tuple[str, ...]) -> None:
    refused = yhdessa(*KEY_CREATE, *wrong)

    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "Usage: " in refused.stderr


def test_keys_are_listed_each_in_one_whole_line_without_their_secrets(
    yhdessa: Yhdessa, database_url: str, server: FastAPI
) -> None:
    with server.state.database.writing() as db:
        expired = issue_key(
            db,
            name="Old system",
            organisation="Iisalmi",
            actions=[Action.READ],
            areas=["municipality:140"],
            at=datetime(2020, 1, 1, tzinfo=UTC),
        )
    valid = yhdessa(*KEY_CREATE, "--area", "county:13", "--organisation", "Kuopion kaupunki", on=database_url).stdout
    revoked = yhdessa(*KEY_CREATE, on=database_url).stdout
    yhdessa("key", "revoke", revoked.split("_")[1], on=database_url)

    listed = yhdessa("key", "list", on=database_url)

    lines = [re.split(r" *[│┃] *", line)[1:-1] for line in listed.stdout.splitlines() if re.match("[│┃]", line)]
    today = datetime.now(UTC).date()
    assert listed.exit_code == 0
    assert [[*line[:5], line[6]] for line in lines] == [
        ["id", "name", "organisation", "actions", "areas", "state"],
        [expired.split("_")[1], "Old system", "Iisalmi", "read", "municipality:140", "expired"],
        [
            valid.split("_")[1],
            "Client system",
            "Kuopion kaupunki",
            "report",
            "county:13, municipality:297",
            "valid",
        ],
        [
            revoked.split("_")[1],
            "Client system",
            "Client system",
            "report",
            "municipality:297",
            f"revoked {today}",
        ],
    ]
    assert lines[1][5] == "2021-02-04"
    assert [key for key in (expired, valid.strip(), revoked.strip()) if key[17:] in listed.stdout] == []


def test_a_revoked_key_is_refused_from_the_next_request_on(
    yhdessa: Yhdessa, database_url: str, server: FastAPI
) -> None:
    key = yhdessa(*KEY_CREATE, on=database_url).stdout.strip()
    before = caller(server, key).get("/v1/key").status_code

    revoked = yhdessa("key", "revoke", key.split("_")[1], on=database_url)

    assert (revoked.exit_code, revoked.stdout, revoked.stderr) == (0, "", f"{key.split('_')[1]} is revoked\n")
    assert (before, caller(server, key).get("/v1/key").status_code) == (200, 401)


def test_a_key_that_there_is_not_cannot_be_revoked(yhdessa: Yhdessa, database_url: str) -> None:
    refused = yhdessa("key", "revoke", "abcd1234", on=database_url)

    assert told(refused) == "there is no key abcd1234; `yhdessa key list` shows them"


def test_a_rotated_key_works_beside_the_new_one_which_is_printed_once_alone(
    yhdessa: Yhdessa, database_url: str, server: FastAPI
) -> None:
    old = yhdessa(*KEY_CREATE, "--days", "90", on=database_url).stdout.strip()
    old_id = old.split("_")[1]

    rotated = yhdessa("key", "rotate", old_id, on=database_url)

    new = rotated.stdout.strip()
    said = [caller(server, key).get("/v1/key").json() for key in (old, new)]
    left = [(datetime.fromisoformat(one["expires_at"]) - datetime.now(UTC)).days for one in said]
    listed = yhdessa("key", "list", on=database_url).stdout
    assert rotated.exit_code == 0
    assert re.fullmatch(r"yhdessa_[a-z0-9]{8}_[A-Za-z0-9]{38}\n", rotated.stdout)
    assert rotated.stderr == "Keep it now: it cannot be shown again. Send it as `Authorization: Bearer <key>`.\n"
    assert left == [13, 89]
    assert said[1] == said[0] | {"id": new.split("_")[1], "expires_at": said[1]["expires_at"]}
    assert re.findall(r"valid, replaced by \w{8}|valid", listed) == [f"valid, replaced by {new.split('_')[1]}", "valid"]
    assert [key for key in (old, new) if key[17:] in listed] == []


def test_a_key_can_be_rotated_without_overlap(yhdessa: Yhdessa, database_url: str, server: FastAPI) -> None:
    old = yhdessa(*KEY_CREATE, on=database_url).stdout.strip()

    new = yhdessa("key", "rotate", old.split("_")[1], "--overlap-days", "0", on=database_url).stdout.strip()

    listed = yhdessa("key", "list", on=database_url).stdout
    assert [caller(server, key).get("/v1/key").status_code for key in (old, new)] == [401, 200]
    assert f"expired, replaced by {new.split('_')[1]}" in listed


def test_a_key_is_rotated_once_and_within_bounds(yhdessa: Yhdessa, database_url: str) -> None:
    key_id = yhdessa(*KEY_CREATE, on=database_url).stdout.split("_")[1]
    wrong = [yhdessa("key", "rotate", key_id, "--overlap-days", days, on=database_url) for days in ("-1", "31", "x")]
    new_id = yhdessa("key", "rotate", key_id, on=database_url).stdout.split("_")[1]

    again = yhdessa("key", "rotate", key_id, on=database_url)
    unknown = yhdessa("key", "rotate", "abcd1234", on=database_url)

    assert [(result.exit_code, result.stdout) for result in wrong] == [(2, "")] * 3
    assert told(again) == (
        f"the key {key_id} was replaced by {new_id}; rotate that one, or ask the operator if it was lost"
    )
    assert told(unknown) == "there is no key abcd1234; `yhdessa key list` shows them"


@pytest.mark.parametrize("way", ["argument", "standard input"])
def test_a_leaked_key_is_revoked(yhdessa: Yhdessa, database_url: str, server: FastAPI, way: str) -> None:
    key, other = (yhdessa(*KEY_CREATE, on=database_url).stdout.strip() for _ in range(2))
    found = {"argument": (key, None), "standard input": ("-", f"{key}\n")}[way]

    done = [yhdessa("key", "report-leak", found[0], on=database_url, typed=found[1]) for _ in range(2)]

    said = f"{key.split('_')[1]} is revoked\n"
    assert [(result.exit_code, result.stdout, result.stderr) for result in done] == [(0, "", said)] * 2
    assert [caller(server, one).get("/v1/key").status_code for one in (key, other)] == [401, 200]


def test_of_a_leaked_key_that_was_replaced_the_other_is_named(
    yhdessa: Yhdessa, database_url: str, server: FastAPI
) -> None:
    old = yhdessa(*KEY_CREATE, on=database_url).stdout.strip()
    new = yhdessa("key", "rotate", old.split("_")[1], on=database_url).stdout.strip()
    new_id = new.split("_")[1]

    done = yhdessa("key", "report-leak", old, on=database_url)

    assert (done.exit_code, done.stderr) == (
        0,
        f"{old.split('_')[1]} is revoked\n"
        f"It was replaced by {new_id}. If it leaked before that, whoever found it may have done so: "
        f"yhdessa key revoke {new_id}\n",
    )
    assert [caller(server, key).get("/v1/key").status_code for key in (old, new)] == [401, 200]


def test_what_is_not_a_whole_key_of_ours_is_told_without_repeating_it(yhdessa: Yhdessa, database_url: str) -> None:
    key = yhdessa(*KEY_CREATE, on=database_url).stdout.strip()

    for found in (key[:-1], key.split("_")[1], key[:-1] + ("a" if key[-1] != "a" else "b")):
        refused = yhdessa("key", "report-leak", found, on=database_url)

        assert told(refused) == "this is none of our keys, or not the whole of one; nothing was revoked"


# Practices and releases.


def test_a_practice_can_be_added_and_defined_anew(yhdessa: Yhdessa, database_url: str, server: FastAPI) -> None:
    added = yhdessa(*PRACTICE_ADD, on=database_url)
    first = caller(server, None).get("/v1/practices").json()["rows"][0]
    in_finnish = ("--counting-rule-fi", "Jokainen tapaaminen", "--contact-fi", "Kela")
    in_swedish = ("--definition-sv", "FPA:s personal", "--criteria-pilot-sv", "På försök")
    counted = ("--counted", "--counting-rule", "Each meeting")
    yhdessa(*PRACTICE_ADD, *counted, *in_finnish, *in_swedish, on=database_url)
    second = caller(server, None).get("/v1/practices").json()["rows"][0]

    assert (added.exit_code, added.stdout, added.stderr) == (0, "", "kela-jalkautuminen is recorded\n")
    assert first == {
        "slug": "kela-jalkautuminen",
        "name_fi": "Kelan jalkautuminen",
        "name_sv": "FPA på plats",
        "name_en": "Kela at sessions",
        "definition": "Kela's staff take part in sessions",
        "counting_rule": "",
        "criteria_pilot": "Tried",
        "criteria_in_use": "Agreed",
        "contact": "kela@example.fi",
        "counted": False,
        **UNTRANSLATED,
    }
    assert second == first | {
        "counted": True,
        "counting_rule": "Each meeting",
        "counting_rule_fi": "Jokainen tapaaminen",
        "contact_fi": "Kela",
        "definition_sv": "FPA:s personal",
        "criteria_pilot_sv": "På försök",
    }


def test_a_practice_needs_a_proper_slug(yhdessa: Yhdessa, database_url: str) -> None:
    refused = yhdessa(*PRACTICE_ADD[:2], "Kela [bold]", *PRACTICE_ADD[3:], on=database_url)

    assert told(refused) == "'Kela [bold]': write lower-case letters, digits and single hyphens"


def test_a_county_can_let_its_reports_speak_from_a_year_on(
    yhdessa: Yhdessa, database_url: str, server: FastAPI
) -> None:
    county = yhdessa(*KEY_CREATE, "--action", "read", "--area", "county:13", on=database_url).stdout.strip()
    before = caller(server, county).get("/v1/trends", county="13").json()["years"]

    done = yhdessa("practice", "live-from", "yhdessa-aika", "13", "2022", on=database_url)

    after = caller(server, county).get("/v1/trends", county="13").json()["years"]
    assert (done.exit_code, done.stderr) == (0, "yhdessa-aika in county 13 is live from 2022\n")
    assert [row["basis"] for row in before] == ["release", "release", "release"]
    assert [row["basis"] for row in after] == ["release", "none", "none"]


def test_live_from_refuses_what_there_is_not(yhdessa: Yhdessa, database_url: str) -> None:
    for arguments, reason in (
        (("kela", "13", "2021"), "there is no practice 'kela'; there are yhdessa-aika"),
        (("yhdessa-aika", "99", "2021"), "there is no county '99'; North Savo is 13"),
        (("yhdessa-aika", "13", "1999"), "1999: figures are kept from 2015 on"),
    ):
        assert told(yhdessa("practice", "live-from", *arguments, on=database_url)) == reason


def test_a_release_is_imported_from_json_or_csv(
    yhdessa: Yhdessa, database_url: str, server: FastAPI, tmp_path: Path
) -> None:
    (tmp_path / "release.json").write_bytes(in_json())
    (tmp_path / "release.CSV").write_text(AS_CSV, encoding="utf-8-sig")

    by_json = yhdessa("release", "import", str(tmp_path / "release.json"), on=database_url)
    by_csv = yhdessa("release", "import", str(tmp_path / "release.CSV"), on=database_url)

    anyone = caller(server, None)
    assert (by_json.exit_code, by_json.stderr) == (0, "release 2 of county 12 is public from 2024-02-01\n")
    assert (by_csv.exit_code, by_csv.stderr) == (0, "release 3 of county 12 is public from 2024-02-01\n")
    assert anyone.get("/v1/releases/2").json() | {"id": 3} == anyone.get("/v1/releases/3").json()
    rows = [anyone.get("/v1/trends", release=number).json()["years"] for number in (2, 3)]
    assert [[{**row, "release_id": 0} for row in years if row["release_id"]] for years in rows] == [
        [{**row, "release_id": 0} for row in rows[0] if row["release_id"]]
    ] * 2
    assert [(row["year"], row["sessions"]) for row in anyone.get("/v1/trends", county="12").json()["years"]] == [
        (2021, 10),
        (2022, None),
        (2023, None),
    ]


def test_a_file_that_is_no_release_is_refused_in_one_line(
    yhdessa: Yhdessa, database_url: str, server: FastAPI, tmp_path: Path
) -> None:
    folder = tmp_path / "a folder with a name so long that a line of eighty columns could not hold it ["
    folder.mkdir()
    (folder / "broken.json").write_text("{")
    (folder / "latin.csv").write_bytes(AS_CSV.encode("cp1252"))
    (folder / "unknown.json").write_bytes(in_json(county="99"))
    (folder / "malformed.json").write_bytes(in_json(state="draft", years=[{"year": 2021, "sessions": -1}]))

    reasons = {
        name: told(yhdessa("release", "import", str(folder / name), on=database_url))
        for name in ("bold].json", "broken.json", "latin.csv", "unknown.json", "malformed.json")
    }

    assert reasons == {
        "bold].json": f"[Errno 2] No such file or directory: '{folder}/bold].json'",
        "broken.json": "not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        "latin.csv": f"not UTF-8 (byte {AS_CSV.index('ä')}); save it as UTF-8",
        "unknown.json": "there is no county '99'; North Savo is 13",
        "malformed.json": "state: Input should be 'preliminary' or 'final'; "
        "years.0.sessions: Input should be greater than or equal to 0",
    }
    assert len(caller(server, None).get("/v1/releases").json()["rows"]) == 1


# The database.


def test_migrate_makes_a_database_that_answers_and_can_be_repeated(yhdessa: Yhdessa, empty_database_url: str) -> None:
    done = [yhdessa("migrate", on=empty_database_url) for _ in range(2)]

    server = create_app(Settings(database_url=empty_database_url))
    answer = caller(server, None).get("/v1/trends", county="13").json()
    server.state.database.dispose()
    assert [(result.exit_code, result.stdout, result.stderr) for result in done] == [
        (0, "", "the database is at the newest schema and its reference data is loaded\n")
    ] * 2
    assert [row["municipalities"] for row in answer["years"]] == [8, 14, 15]
    assert answer["as_of"] == str(helsinki_day(datetime.now(UTC)))


def test_every_command_needs_a_migrated_database_and_names_the_one_that_migrates(
    yhdessa: Yhdessa, empty_database_url: str
) -> None:
    for command in NEEDS_A_SCHEMA:
        refused = told(yhdessa(*command, on=empty_database_url))

        assert re.fullmatch(
            r"the database is at revision none, this version needs \w+; run `yhdessa migrate`", refused
        ), command


def test_a_database_of_a_later_version_is_refused_in_one_line(yhdessa: Yhdessa, database_url: str) -> None:
    database = Database(Settings(database_url=database_url))
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.dispose()

    assert "9999" in told(yhdessa("migrate", on=database_url))
    assert "the database is at revision 9999" in told(yhdessa("serve", "--port", "0", on=database_url))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_server_that_fails_to_start_ends_with_a_code_that_says_so(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def failing(_app: FastAPI) -> AsyncIterator[None]:
        raise OSError
        yield

    monkeypatch.setattr("app.cli.serving.served", lambda: FastAPI(lifespan=failing))

    ended = CliRunner().invoke(command_line, ["serve", "--port", "0"], env={"YHDESSA_DATABASE_URL": database_url})

    assert ended.exit_code == STARTUP_FAILURE


def test_a_database_that_cannot_be_reached_or_trusted_is_told_in_one_line(yhdessa: Yhdessa) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"postgresql://yhdessa:a-secret-word@127.0.0.1:{free.getsockname()[1]}/yhdessa"

        unreachable = [told(yhdessa(*command, on=nobody)) for command in EVERY_COMMAND if command[0] != "openapi"]
    unsafe = told(yhdessa("migrate", on="sqlite:///file:nowhere?mode=memory&uri=true"))

    assert {said.partition(": ")[0] for said in unreachable} == {"the database does not answer as it should"}
    assert [said for said in unreachable if "a-secret-word" in said] == []
    assert unsafe == "SQLite keeps journal_mode='memory' where 'wal' is needed to survive a power cut"


# Settings, the contract, and help.


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=" ".join)
def test_a_misspelt_setting_is_told_by_every_command(yhdessa: Yhdessa, command: tuple[str, ...]) -> None:
    refused = told(yhdessa(*command, YHDESSA_DATABSE_URL="sqlite:///elsewhere.db"))

    assert refused.startswith("YHDESSA_DATABSE_URL: no such setting; there are YHDESSA_")


def test_a_setting_out_of_bounds_is_told_by_its_name(yhdessa: Yhdessa) -> None:
    refused = told(yhdessa("migrate", on="mysql://db.example/y", YHDESSA_POOL_SIZE="0"))

    assert refused == (
        "database_url: Value error, must start with sqlite:/// or postgresql://; "
        "pool_size: Input should be greater than or equal to 1"
    )


def test_the_contract_goes_to_standard_output_or_a_file(yhdessa: Yhdessa, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/never-made.db"
    contract: Any = openapi(create_app(Settings(database_url=url)))

    printed = yhdessa("openapi", on=url)
    written = yhdessa("openapi", "--output", str(tmp_path / "openapi.json"), on=url)
    nowhere = yhdessa("openapi", "--output", str(tmp_path / "no" / "folder"), on=url)

    assert (printed.exit_code, printed.stderr, json.loads(printed.stdout)) == (0, "", contract)
    assert (written.exit_code, written.output) == (0, "")
    assert (tmp_path / "openapi.json").read_text(encoding="utf-8") == printed.stdout
    assert told(nowhere) == f"[Errno 2] No such file or directory: '{tmp_path}/no/folder'"
    assert not (tmp_path / "never-made.db").exists()


@pytest.mark.parametrize("command", [(), ("audit",), ("key",), ("practice",), ("release",)])
def test_without_a_command_the_commands_are_shown(yhdessa: Yhdessa, command: tuple[str, ...]) -> None:
    shown = yhdessa(*command)

    assert "Usage: " in shown.output
    assert "Commands" in shown.output
