"""The peers as servers: each one process on one database, as its own documentation starts it."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.asking import asked
from benchmarks.peers.filling import fill_pocketbase
from benchmarks.servers import HOST, Server, free_port, running
from benchmarks.workload import ASKED_COUNTY, ASKED_PRACTICE, Workload

PEERS_FOLDER = Path(__file__).resolve().parent

TOTALS = """
    SELECT year, SUM(sessions) AS sessions, COUNT(DISTINCT municipality) AS municipalities
    FROM sessioncount JOIN municipality ON code = municipality WHERE practice = :practice AND {asked}
    GROUP BY year ORDER BY year
"""
"""The question as SQL, of the municipalities that are `asked` about."""
_DATASETTE = {
    "databases": {
        "peers": {
            "queries": {
                "county_trend": {"sql": TOTALS.format(asked="county = :county")},
                "country_trend": {"sql": TOTALS.format(asked="released")},
                "add": {
                    "sql": "INSERT INTO sessioncount (practice, municipality, year, month, sessions)"
                    " VALUES (:practice, :municipality, :year, :month, :sessions)",
                    "write": True,
                },
            }
        }
    }
}

# PocketBase wants a column `id` in a view, different in each row.
_VIEW = """
    SELECT ({key} || '/' || c.year) AS id, c.practice, {more} c.year,
        SUM(c.sessions) AS sessions, COUNT(DISTINCT c.municipality) AS municipalities
    FROM counts c JOIN municipalities m ON m.code = c.municipality {only} GROUP BY c.practice, {more} c.year
"""
_TEXT = ("code", "county", "practice", "municipality")
_SUPERUSER = ("bench@example.org", "nothing-secret")

COUNTY_PATHS = {
    "tutorial": f"/trends/?practice={ASKED_PRACTICE}&county={ASKED_COUNTY}",
    "datasette": f"/peers/county_trend.json?practice={ASKED_PRACTICE}&county={ASKED_COUNTY}&_shape=array",
    "pocketbase": "/api/collections/county_trends/records?sort=year&skipTotal=1"
    f"&filter=(practice='{ASKED_PRACTICE}'%26%26county='{ASKED_COUNTY}')",
}
"""How each peer is asked for the yearly totals of one county."""

COUNTRY_PATHS = {
    "tutorial": f"/trends/?practice={ASKED_PRACTICE}",
    "datasette": f"/peers/country_trend.json?practice={ASKED_PRACTICE}&_shape=array",
    "pocketbase": f"/api/collections/country_trends/records?sort=year&skipTotal=1&filter=(practice='{ASKED_PRACTICE}')",
}
"""The same of all counties that made their totals public."""


def bare(binaries: Path, answer: Path, *, log: Path) -> AbstractContextManager[Server]:
    """The bare application that sends the answer in the JSON file `answer`."""
    return _uvicorn(binaries, "bare:app", log=log, ready="/", environment={"BARE_ANSWER": str(answer)})


def tutorial(binaries: Path, database_url: str, *, log: Path) -> AbstractContextManager[Server]:
    """The tutorial version on a database."""
    return _uvicorn(
        binaries,
        "tutorial:app",
        log=log,
        ready=COUNTY_PATHS["tutorial"],
        environment={"TUTORIAL_DATABASE_URL": database_url},
    )


def datasette(binaries: Path, file: Path, *, log: Path) -> AbstractContextManager[Server]:
    """Datasette on the SQLite file peers.db, without the bounds that stand in the way of large answers."""
    assert file.name == "peers.db", "Datasette calls the database after the file"
    metadata = file.with_name("metadata.json")
    metadata.write_text(json.dumps(_DATASETTE), encoding="utf-8")
    port = free_port()
    command = [str(binaries / "datasette"), "serve", str(file), "--metadata", str(metadata), "--port", str(port)]
    for name, value in (("sql_time_limit_ms", 600_000), ("max_csv_mb", 0)):
        command += ["--setting", name, str(value)]
    return running(command, port=port, ready=COUNTY_PATHS["datasette"], log=log)


@contextmanager
def pocketbase(binaries: Path, folder: Path, *, log: Path, ready: str = COUNTY_PATHS["pocketbase"]) -> Iterator[Server]:
    """PocketBase on its folder."""
    port = free_port()
    command = [str(binaries / "pocketbase"), "serve", "--dir", str(folder), "--http", f"{HOST}:{port}"]
    # Else it writes what was done to its collections into a folder beside its own.
    command.append("--automigrate=false")
    with running(command, port=port, ready=ready, log=log) as server:
        yield server


def make_pocketbase(binaries: Path, folder: Path, workload: Workload, *, log: Path, with_counts: bool = True) -> None:
    """A folder of PocketBase with our collections, open to everyone, and the workload in them."""
    shutil.rmtree(folder, ignore_errors=True)
    with log.open("ab") as words:
        command = [str(binaries / "pocketbase"), "superuser", "upsert", *_SUPERUSER, "--dir", str(folder)]
        subprocess.run(command, check=True, stdout=words, stderr=words)
    with pocketbase(binaries, folder, log=log, ready="/api/health") as server:
        identity = {"identity": _SUPERUSER[0], "password": _SUPERUSER[1]}
        signed_in = asked(server.url + "/api/collections/_superusers/auth-with-password", body=identity).json()
        for collection in _collections():
            asked(server.url + "/api/collections", body=collection, headers={"Authorization": signed_in["token"]})
    fill_pocketbase(folder, workload, with_counts=with_counts)


def _collections() -> Iterator[Mapping[str, Any]]:
    yield _base(
        "municipalities",
        ("code", "county", "released"),
        "CREATE UNIQUE INDEX ix_municipalities_code ON municipalities (code)",
        "CREATE INDEX ix_municipalities_county ON municipalities (county)",
    )
    yield _base(
        "counts",
        ("practice", "municipality", "year", "month", "sessions"),
        "CREATE INDEX ix_counts_key ON counts (practice, municipality, year, month)",
    )
    county = "c.practice || '/' || m.county"
    yield _view("county_trends", _VIEW.format(key=county, more="m.county,", only=""))
    yield _view("country_trends", _VIEW.format(key="c.practice", more="", only="WHERE m.released"))


def _base(name: str, fields: tuple[str, ...], *indexes: str) -> Mapping[str, Any]:
    return {
        "name": name,
        "type": "base",
        "listRule": "",
        "viewRule": "",
        "createRule": "",
        "fields": [_field(field) for field in fields],
        "indexes": indexes,
    }


def _field(name: str) -> Mapping[str, Any]:
    if name in _TEXT:
        return {"name": name, "type": "text"}
    if name == "released":
        return {"name": name, "type": "bool"}
    return {"name": name, "type": "number", "onlyInt": True}


def _view(name: str, query: str) -> Mapping[str, Any]:
    return {"name": name, "type": "view", "listRule": "", "viewRule": "", "viewQuery": query}


def _uvicorn(
    binaries: Path, application: str, *, log: Path, ready: str, environment: Mapping[str, str]
) -> AbstractContextManager[Server]:
    port = free_port()
    command = [str(binaries / "uvicorn"), application, "--app-dir", str(PEERS_FOLDER), "--port", str(port)]
    command += ["--no-access-log", "--log-level", "warning"]
    return running(command, port=port, ready=ready, log=log, environment=environment)
