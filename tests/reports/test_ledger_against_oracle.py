"""Random histories over HTTP against a naive ledger: every row's outcome, every list, every past moment."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import example, given, note, settings as with_settings, strategies as st
from sqlalchemy.engine import make_url
from starlette.testclient import TestClient

from app.database import Database
from app.practices.definitions import SHIPPED_PRACTICE, define_practice
from app.reports.given import EDITION
from app.settings import Settings
from app.turn import Known
from app.web.turns import Turns
from tests.conftest import Caller, StandingClock, postgresql_database
from tests.reports.ledger_oracle import Entry, Expected, Key, Ledger, bounds, key_of, listed

# Many cases and much arithmetic: each module's own tests are what its lines are measured by.
pytestmark = pytest.mark.no_cover

START = datetime(2025, 1, 3, 12, 0, tzinfo=UTC)
TODAY = START.date()
# Periods of one size lie beside one another; those of different sizes lie in one another's way.
SIZES = (("2024", "2025"), ("2024-Q1", "2024-Q4"), ("2024-01", "2024-02", "2025-01"))
PERIODS = tuple(period for size in SIZES for period in size)
DATES = ("2024", "2024-01-01", "2024-02", "2025-01-03")
WAITS = [timedelta(), timedelta(minutes=1), timedelta(hours=30), timedelta(days=20), timedelta(hours=-2)]
IF_MATCH = (None, None, None, None, "current", "current", "stale", "*")

municipalities = st.sampled_from(["297"] * 8 + ["KU297", "588"])
practices = st.sampled_from(["yhdessa-aika"] * 9 + ["kela"])


@st.composite
def counts(draw: st.DrawFn, periods: tuple[str, ...] = PERIODS) -> dict[str, Any]:
    """A count that is valid when the history begins; now and then one that is not."""
    period = draw(st.sampled_from(periods))
    first, last = bounds(period)
    row: dict[str, Any] = {
        "municipality": draw(municipalities),
        "practice": draw(practices),
        "period": period,
        "sessions": draw(st.integers(0, 1)),
        "replace": draw(st.booleans()),
    }
    if last >= TODAY:
        row["through"] = str(draw(st.sampled_from([first, TODAY])))
    elif through := draw(st.sampled_from([None, None, None, last, first])):
        row["through"] = str(through)
    return spoilt(draw, row, {"period": ["2014", "2025-02"], "through": ["2024-02-30", str(last + timedelta(days=1))]})


@st.composite
def statuses(draw: st.DrawFn) -> dict[str, Any]:
    """A status; now and then one that is not valid."""
    row = {
        "municipality": draw(municipalities),
        "practice": draw(practices),
        "date": draw(st.sampled_from(DATES)),
        "status": draw(st.sampled_from(["planned", "pilot"])),
    }
    return spoilt(draw, row, {"date": ["2025-02"]})


def spoilt(draw: st.DrawFn, row: dict[str, Any], wrong: dict[str, list[str]]) -> dict[str, Any]:
    """`row`, one time in 16 with something wrong."""
    if draw(st.integers(0, 15)) != 7:
        return row
    wrong = {**wrong, "municipality": ["091", "091", "999"], "practice": ["none"]}
    name = draw(st.sampled_from(sorted(wrong)))
    return {**row, name: draw(st.sampled_from(wrong[name]))}


def about(row: dict[str, Any]) -> tuple[str, ...]:
    """What a row is about, so that a submission has no two rows about the same."""
    return row["municipality"].removeprefix("KU"), row["practice"], row.get("period") or row["date"]


beside_one_another = [st.lists(counts(size), max_size=4, unique_by=about) for size in SIZES]
anyhow = st.lists(counts(), max_size=4)
in_parts = st.lists(
    counts(("2024-01", "2024-02", "2024-Q4")), min_size=2, unique_by=lambda row: str(row["period"])
).map(lambda rows: [{**row, "municipality": "297", "practice": "yhdessa-aika", "replace": True} for row in rows])
posts = st.fixed_dictionaries(
    {
        "do": st.just("post"),
        "counts": st.one_of(*beside_one_another, *beside_one_another, in_parts, in_parts, anyhow),
        "statuses": st.lists(statuses(), max_size=1),
        "skip_invalid": st.booleans(),
        "dry_run": st.sampled_from([False, False, False, True]),
    }
).filter(lambda post: bool(post["counts"] or post["statuses"]))
if_match = st.sampled_from(IF_MATCH)
count_puts = st.fixed_dictionaries(
    {"do": st.just("put"), "list": st.just("counts"), "row": counts(), "if_match": if_match}
)
status_puts = st.fixed_dictionaries(
    {"do": st.just("put"), "list": st.just("statuses"), "row": statuses(), "if_match": if_match}
)
addresses = st.tuples(
    st.sampled_from(["counts", "statuses"]),
    st.sampled_from(["yhdessa-aika", "none"]),
    st.sampled_from(["297", "588", "091", "999"]),
    st.just("2024-01-01"),
).map(lambda key: key if key[0] == "statuses" else (*key[:3], "2024"))
deletions = st.fixed_dictionaries(
    {"do": st.just("delete"), "held": st.none() | st.integers(0, 9), "key": addresses, "if_match": if_match}
)
# Mostly of what came last, of which something is left to take back.
retractions = st.fixed_dictionaries({"do": st.just("take_back"), "ago": st.sampled_from([0, 0, 0, 1, 1, 2, 3, -1])})
histories = st.lists(
    st.tuples(
        st.sampled_from(WAITS),
        st.one_of(posts, posts, posts, posts, count_puts, status_puts, deletions, retractions, retractions),
    ),
    min_size=6,
    max_size=12,
)


def of_2024(period: str, *, replace: bool) -> dict[str, Any]:
    """A count of Kuopio in 2024."""
    return {"municipality": "297", "practice": "yhdessa-aika", "period": period, "sessions": 1, "replace": replace}


def post_of(*rows: dict[str, Any]) -> dict[str, Any]:
    """The action of posting counts."""
    return {"do": "post", "counts": list(rows), "statuses": [], "skip_invalid": False, "dry_run": False}


# What the random histories meet too seldom: two rows in place of one, and If-Match before the overlap.
A_YEAR_AND_ITS_PARTS: list[tuple[timedelta, dict[str, Any]]] = [
    (timedelta(minutes=1), action)
    for action in [
        post_of(of_2024("2024", replace=False)),
        post_of(of_2024("2024-01", replace=True), of_2024("2024-02", replace=False)),
        post_of(of_2024("2024-01", replace=True), of_2024("2024-02", replace=True)),
        {"do": "put", "list": "counts", "row": of_2024("2024", replace=False), "if_match": "*"},
        {"do": "put", "list": "counts", "row": of_2024("2024", replace=False), "if_match": None},
        {"do": "put", "list": "counts", "row": of_2024("2024", replace=True), "if_match": None},
        {"do": "take_back", "ago": 0},
        {"do": "take_back", "ago": 0},
        post_of(of_2024("2024-01", replace=True)),
        {"do": "take_back", "ago": 2},
        {"do": "take_back", "ago": 1},
        {"do": "take_back", "ago": 3},
        {"do": "take_back", "ago": 5},
    ]
]


@dataclass
class Run:
    """One history as it goes on: the server, the oracle, and which number each of its entries has on the server."""

    caller: Caller
    clock: StandingClock
    ledger: Ledger
    numbers: dict[Entry, int] = field(default_factory=dict)

    def step(self, wait: timedelta, action: dict[str, Any]) -> None:
        """Do `action` after `wait` on both and compare the answers."""
        note(f"after {wait}: {action}")
        self.clock.now += wait
        getattr(self, action["do"])(action)

    def post(self, action: dict[str, Any]) -> None:
        expected = self.ledger.posted(
            action["counts"], action["statuses"], now=self.clock.now, skip_invalid=action["skip_invalid"]
        )
        flags = {name: action[name] for name in ("skip_invalid", "dry_run")}
        answer = self.caller.post(action["counts"], action["statuses"], **flags)
        if action["dry_run"] and expected.status_code == 201:
            expected.status_code = 200
        self.compare(answer, expected, stored=not action["dry_run"])

    def put(self, action: dict[str, Any]) -> None:
        name, row = action["list"], dict(action["row"])
        key = key_of(name, row)
        expected = self.ledger.put(name, row, now=self.clock.now, if_match=self.named(key, action["if_match"]))
        address = [row.pop("practice"), row.pop("municipality"), row.pop("period" if name == "counts" else "date")]
        path = "/".join(["/v1", "session-counts" if name == "counts" else "statuses", *address])
        answer = self.caller.put(path, row, **self.header(key, action["if_match"]))
        self.compare(answer, expected)
        if expected.rows:
            assert answer.headers["etag"] == f'"{self.numbers[self.ledger.in_force(name)[key]]}"'

    def delete(self, action: dict[str, Any]) -> None:
        held = sorted(key for name in ("counts", "statuses") for key in self.ledger.in_force(name))
        key: Key = action["key"] if action["held"] is None or not held else held[action["held"] % len(held)]
        expected = self.ledger.deleted(key, now=self.clock.now, if_match=self.named(key, action["if_match"]))
        path = "/".join(["/v1", "session-counts" if key[0] == "counts" else "statuses", *key[1:]])
        headers = {name.replace("_", "-"): tag for name, tag in self.header(key, action["if_match"]).items()}
        self.compare(self.caller.delete(path, reason="because", headers=headers), expected)

    def take_back(self, action: dict[str, Any]) -> None:
        number = max(len(self.ledger.submissions) - int(action["ago"]), 1)
        expected = self.ledger.taken_back(number, now=self.clock.now)
        http, path = self.caller.http, f"/v1/submissions/{number}/retraction"
        answer = http.post(path, json={"reason": "because"}, headers=self.caller.headers)
        self.compare(answer, expected)

    def named(self, key: Key, if_match: str | None) -> Entry | bool | None:
        """What the oracle is told of If-Match."""
        standing = self.ledger.in_force(key[0]).get(key)
        return {None: None, "*": True, "stale": False, "current": standing or False}[if_match]

    def header(self, key: Key, if_match: str | None) -> dict[str, str]:
        """What the server is told."""
        standing = self.ledger.in_force(key[0]).get(key)
        current = f'"{self.numbers[standing]}"' if standing else '"0"'
        tag = {None: None, "*": "*", "stale": '"999"', "current": current}[if_match]
        return {"If_Match": tag} if tag else {}

    def compare(self, answer: Any, expected: Expected, *, stored: bool = True) -> None:
        """Compare one answer, and record what the oracle expects if it was stored."""
        document = answer.json()
        assert answer.status_code == expected.status_code, document
        if not expected.rows:
            errors = document.get("errors", [])
            rows = [(error["pointer"].split("/")[1], error["row"]) for error in errors if "row" in error]
            assert sorted(set(rows)) == (expected.refused if rows else [])
            return
        assert expected.at
        assert document["received_at"] == written(expected.at)
        assert [row["outcome"] for row in document["rows"]] == [outcome for outcome, _ in expected.rows]
        before = {key: one for name in ("counts", "statuses") for key, one in self.ledger.in_force(name).items()}
        for row, (_, gone) in zip(document["rows"], expected.rows, strict=True):
            assert sorted(row["superseded"]) == sorted(self.numbers[before[key]] for key in gone)
        if stored:
            self.learn(document["rows"], expected)

    def learn(self, rows: list[dict[str, Any]], expected: Expected) -> None:
        """Record what the oracle expects, and remember which number each new figure got."""
        self.ledger.record(expected)
        said = [row["entry"] for row in rows if row["outcome"] in ("created", "corrected")]
        figures = [one for one in expected.added if one.value is not None]
        self.numbers.update(zip(figures, said, strict=True))
        for name in ("counts", "statuses"):
            own = [self.numbers[one] for one in self.ledger.entries if one.key[0] == name and one.value is not None]
            assert own == sorted(set(own))

    def compare_lists(self, as_of: datetime | None = None) -> None:
        """Compare the whole lists of what is, or at `as_of` was, in force."""
        query = {"as_of": written(as_of)} if as_of else {}
        for name, path in [("counts", "session-counts"), ("statuses", "statuses")]:
            rows = self.caller.get(f"/v1/{path}", **query).json()["rows"]
            held = self.ledger.in_force(name, as_of)
            assert [told(name, row) for row in rows] == listed(held.values())
            assert [row["entry"] for row in rows] == [self.numbers[one] for one in held.values()]

    def look_back(self) -> None:
        """Compare what is in force now and was at every past moment."""
        self.compare_lists()
        self.clock.now = max(self.clock.now, self.ledger.last) + timedelta(days=1)
        for moment in sorted({one.at for one in self.ledger.entries}):
            self.compare_lists(moment)


def told(name: str, row: dict[str, Any]) -> tuple[Any, ...]:
    """A row of a list as the oracle tells an entry."""
    slot, columns = ("period", ("sessions", "through")) if name == "counts" else ("date", ("date_precision", "status"))
    value = [(column, row[column]) for column in columns]
    return row["practice"], row["municipality"], row[slot], *value, datetime.fromisoformat(row["recorded_at"])


def written(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def test_random_histories_agree_with_a_naive_ledger(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    database_url: str,
    app: FastAPI,
    http: TestClient,
    clock: StandingClock,
    new_key: Any,
) -> None:
    clock.now = START
    caller = Caller(http, new_key("county:13", "municipality:588"))
    prepare(app)

    @with_settings(
        max_examples=6 if "postgresql" in database_url else 30, derandomize=True, deadline=None, database=None
    )
    @given(histories)
    @example(A_YEAR_AND_ITS_PARTS)
    def agree(history: list[tuple[timedelta, dict[str, Any]]]) -> None:
        with fresh_copy(database_url, tmp_path, request) as url, using(app, url):
            clock.now = START
            run = Run(caller, clock, Ledger(START - timedelta(days=1)))
            for wait, action in history:
                run.step(wait, action)
            run.look_back()

    agree()


def prepare(app: FastAPI) -> None:
    """Define a second practice, and let go of the database, so that it can be copied."""
    database: Database = app.state.database
    with database.writing() as db:
        define_practice(db, SHIPPED_PRACTICE.model_copy(update={"slug": "kela"}), at=START)
    database.dispose()


@contextmanager
def using(app: FastAPI, url: str) -> Iterator[None]:
    """Meanwhile the application works on the database at `url`."""
    own = app.state.database, app.state.turns
    database = Database(Settings(database_url=url))
    app.state.database, app.state.turns = database, Turns(database, app.state.clock, Known(*EDITION))
    try:
        yield
    finally:
        app.state.turns.close()
        database.dispose()
        app.state.database, app.state.turns = own


@contextmanager
def fresh_copy(url: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a copy of the database at `url`."""
    if url.startswith("sqlite"):
        file = folder / "copy.db"
        for leftover in (file, *folder.glob("copy.db-*")):
            leftover.unlink(missing_ok=True)
        shutil.copy(make_url(url).database or "", file)
        yield f"sqlite:///{file}"
        return
    with postgresql_database(request.getfixturevalue("postgresql_server"), make_url(url).database or "") as copy:
        yield copy
