"""The benchmarks measure what they say: the data are right, and so is what is made of the figures."""

import sqlite3
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.clock import system_clock
from app.main import create_app
from app.settings import Settings
from benchmarks import ours
from benchmarks.asking import Answer, our_totals
from benchmarks.contest import BARE, DATASETTE, OURS, AnswersDiffer, Contender, Goal, Measured, Row, measure
from benchmarks.ground import Ground
from benchmarks.load import Load, load_in
from benchmarks.peers.filling import fill_sqlite
from benchmarks.peers.serving import TOTALS
from benchmarks.results import markdown
from benchmarks.rows import ROWS
from benchmarks.workload import ASKED_COUNTY, ASKED_PRACTICE, LONG_AGO, Size, Workload, YearTotal

TINY = Size("tiny", practices=1, months=24, corrections=1)

WRK_SAID = """\
Running 1s test @ http://127.0.0.1:8000/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     3.36ms  712.35us  12.34ms   91.32%
  Latency Distribution
     50%  500.00us
     75%    3.40ms
     90%    3.70ms
     99%    1.20s\x20
  1000 requests in 2.00s, 1.95MB read
  Socket errors: connect 0, read 3, write 0, timeout 1
  Non-2xx or 3xx responses: 100
Requests/sec:    500.00
Transfer/sec:      0.97MB
"""


@pytest.fixture(scope="module")
def workload() -> Workload:
    return Workload(TINY, ours.known_places())


def test_our_database_answers_what_the_formula_says(empty_database_url: str, workload: Workload) -> None:
    filled = ours.fill(empty_database_url, workload)
    county = workload.places_of(ASKED_COUNTY)

    with TestClient(create_app(Settings(database_url=empty_database_url), system_clock)) as http:

        def totals(query: str, *, with_key: bool) -> list[YearTotal]:
            answer = http.get(f"/v1/trends{query}", headers=dict(filled.headers) if with_key else {})
            return our_totals(Answer(answer.status_code, [], answer.content, 0, 0))

        assert totals(f"?county={ASKED_COUNTY}", with_key=False) == workload.totals(county)
        assert totals("", with_key=False) == workload.totals(workload.released_places)
        assert totals(f"?county={ASKED_COUNTY}", with_key=True) == workload.totals(county)
        then = totals(f"?county={ASKED_COUNTY}&as_of={LONG_AGO}", with_key=True)
        assert then == workload.totals(county, on=LONG_AGO)
        assert then != workload.totals(county)


def test_the_peers_count_the_same_out_of_their_rows(tmp_path: Path, workload: Workload) -> None:
    fill_sqlite(tmp_path / "peers.db", workload)

    db = sqlite3.connect(tmp_path / "peers.db")
    asked = {"practice": ASKED_PRACTICE, "county": ASKED_COUNTY}
    county = db.execute(TOTALS.format(asked="county = :county"), asked).fetchall()
    country = db.execute(TOTALS.format(asked="released"), asked).fetchall()
    db.close()

    assert county == workload.totals(workload.places_of(ASKED_COUNTY))
    assert country == workload.totals(workload.released_places)


def test_the_workload_has_309_municipalities_in_22_counties_and_aland(workload: Workload) -> None:
    assert len(workload.places) == 309
    assert len({place.county for place in workload.places}) == 23
    assert len({place.county for place in workload.released_places}) == 21


def test_contenders_that_answer_differently_are_not_measured(ground: Ground) -> None:
    def fail() -> dict[str, float]:
        raise AssertionError("measured all the same")

    row = _row({OURS: Contender(lambda: 1, fail), DATASETTE: Contender(lambda: 2, fail)})

    with pytest.raises(AnswersDiffer, match="ours says 1, Datasette says 2"):
        measure(row, ground, rounds=1, tell=_silently)


def test_contenders_take_turns_and_the_first_turn_does_not_count(ground: Ground) -> None:
    turns: list[str] = []

    def contender(name: str) -> Contender:
        def turn() -> dict[str, float]:
            turns.append(name)
            return {"posts/s": len(turns)}

        return Contender(lambda: 0, turn)

    measured = measure(_row({name: contender(name) for name in "AB"}), ground, rounds=2, tell=_silently)

    assert turns == ["A", "B"] * 3
    assert measured.rounds == {"A": [{"posts/s": 3}, {"posts/s": 5}], "B": [{"posts/s": 4}, {"posts/s": 6}]}


def test_a_goal_is_met_by_the_median_of_the_rounds_own_ratios() -> None:
    measured = Measured(
        {
            OURS: [{"posts/s": 10, "ms": 5}, {"posts/s": 30, "ms": 4}, {"posts/s": 20, "ms": 9}],
            BARE: [{"posts/s": 20, "ms": 10}, {"posts/s": 40, "ms": 2}, {"posts/s": 100, "ms": 9}],
        }
    )

    assert Goal("posts/s", 0.5, BARE).reached(measured) == 0.5
    assert Goal("posts/s", 0.5, BARE).met(measured)
    assert Goal("ms", 1.1, BARE, less_is_better=True).reached(measured) == 1
    assert not Goal("ms", 1.1, BARE, less_is_better=True).met(measured)
    assert Goal("ms", 5, less_is_better=True).met(measured)
    assert Goal("posts/s", 1, DATASETTE).met(measured) is None


def test_results_show_figures_ratio_and_goal() -> None:
    row = _row({}, goals=(Goal("posts/s", 2, DATASETTE), Goal("ms", 4, less_is_better=True)), beside=("ms",))
    measured = Measured({OURS: [{"posts/s": 12_345, "ms": 5}], DATASETTE: [{"posts/s": 1_000}]})
    at = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)

    text = markdown([(row, measured)], at=at, machine="a machine", versions=["ours: all new"], run={"rounds": "3"})

    assert "2026-01-02 03:04 UTC, a machine.\n\n- ours: all new\n- rounds: 3\n" in text
    assert (
        "| an example (posts/s) | 12,345<br>5 ms | – | – | 1,000 | – "
        "| 12.3 ×<br>5 | ≥ 2 × Datasette<br>ms ≤ 4 | yes<br>no |"
    ) in text


def test_what_wrk_says_is_read_and_only_good_answers_count() -> None:
    assert load_in(WRK_SAID) == Load(per_second=450, p50_ms=0.5, p99_ms=1_200, failed=104)


def test_every_row_has_a_name_of_its_own() -> None:
    names = [row.name for row in ROWS]

    assert len(set(names)) == len(names)


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """A ground that nothing is built on."""
    return Ground(TINY, tmp_path, tmp_path, 1, None, _silently)


def _row(contenders: dict[str, Contender], *, goals: tuple[Goal, ...] = (), beside: tuple[str, ...] = ()) -> Row:
    return Row(
        name="example",
        what="an example",
        figure="posts/s",
        contenders=lambda _ground: nullcontext(contenders),
        goals=goals,
        beside=beside,
    )


def _silently(_words: str) -> None:
    pass
