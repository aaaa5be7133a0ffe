"""What is done with a release before it is stored, here and in the process that does it."""

import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import scipy.optimize  # type: ignore[import-untyped]  # it ships no types
from hypothesis import given, settings, strategies as st

from app.disclosure.protection import Hidden, Progress
from app.intruder.verdict import Verdict
from app.publishing.parent import FAULT, TOO_LONG, Child, Fault
from app.publishing.preparing import SAID, TASK, NotPrepared, Prepared, Said, Task, prepare
from app.series.content import Content, ReleasedQuarter, Statement
from app.series.facts import Count
from app.series.figures import ReleasedYear

DEADLINE = 30

OF_2024 = {"297": 40, "140": 3, "749": 2}


def task(sessions: Mapping[str, int] = OF_2024, *, total: int | None = None) -> Task:
    """A release of these counts, of a county and its municipalities; `total` in the place of their sum."""
    facts: dict[str, Any] = {"covers": True, "through": date(2024, 12, 31), "partial": False}
    return Task(
        new=Statement(
            content=Content(
                years={
                    2024: ReleasedYear(
                        sessions=sum(sessions.values()) if total is None else total, reporting=len(sessions), **facts
                    )
                },
                municipalities={
                    code: {2024: ReleasedYear(sessions=number, reporting=1, **facts)}
                    for code, number in sessions.items()
                },
            ),
            counts={
                code: [Count(date(2024, 1, 1), date(2024, 12, 31), number, 7)] for code, number in sessions.items()
            },
        ),
        earlier=[],
        threshold=5,
        residents={code: 1_000 * number for number, code in enumerate(sessions, start=1)},
    )


def not_told(_progress: Progress) -> None:
    pass


def script(said: str) -> tuple[str, ...]:
    """A process in the place of ours, that reads its task and then does what is `said`."""
    return (sys.executable, "-c", f"import sys, time, os; sys.stdin.readline(); {said}")


# What comes of a release.


def test_small_figures_and_what_would_tell_them_are_hidden_and_audited() -> None:
    told: list[Progress] = []

    prepared = prepare(task(), tell=told.append)

    assert {(hidden.area, hidden.why) for hidden in prepared.hidden} == {
        ("140", "small"),
        ("749", "small"),
        ("297", "protects others"),
    }
    assert prepared.verdict.passed
    assert prepared.content.years == task().new.content.years
    assert {code: years[2024].sessions for code, years in prepared.content.municipalities.items()} == {
        "297": None,
        "140": None,
        "749": None,
    }
    assert told[-1].doing == "auditing"
    assert told[-1].done == told[-1].total


def test_a_total_that_tells_a_small_figure_is_hidden() -> None:
    prepared = prepare(task({"297": 3}), tell=not_told)

    assert (prepared.content.years[2024].sessions, prepared.content.years[2024].withheld) == (None, True)


class Solver:
    """HiGHS, until a question whose number is `gives_up_on`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = 0
        self.gives_up_on: int | None = None
        self._solve = scipy.optimize.milp
        monkeypatch.setattr(scipy.optimize, "milp", self)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self.asked += 1
        if self.asked == self.gives_up_on:
            return scipy.optimize.OptimizeResult(status=1, x=None, message="Time limit reached")
        return self._solve(*arguments, **options)


def test_without_an_answer_of_the_solver_nothing_is_published(monkeypatch: pytest.MonkeyPatch) -> None:
    solver = Solver(monkeypatch)
    prepare(task(), tell=not_told)
    first, last = 1, solver.asked

    reasons = []
    for question in (first, last):
        solver.asked, solver.gives_up_on = 0, question
        with pytest.raises(NotPrepared) as raised:
            prepare(task(), tell=not_told)
        reasons.append(str(raised.value).partition(":")[0])

    assert reasons == [
        "the small figures cannot be protected",
        "the audit could not be finished, and without it nothing is published",
    ]


# As JSON between processes.

days = st.dates(date(2015, 1, 1), date(2030, 12, 31))
numbers = st.none() | st.integers(0, 10**9)
years = st.builds(
    ReleasedYear,
    covers=st.booleans(),
    carried=st.booleans(),
    withheld=st.booleans(),
    sessions=numbers,
    municipalities=numbers,
    through=st.none() | days,
    partial=st.none() | st.booleans(),
    comparable_through=st.none() | days,
    comparable_sessions=numbers,
)
codes = st.from_regex("[0-9]{3}", fullmatch=True)
quarters = st.builds(
    ReleasedQuarter, sessions=numbers, reporting=st.integers(0, 20), partial=st.booleans(), withheld=st.booleans()
)
contents = st.builds(
    Content,
    years=st.dictionaries(st.integers(2015, 2030), years, max_size=3),
    municipalities=st.dictionaries(codes, st.dictionaries(st.integers(2015, 2030), years, max_size=2), max_size=3),
    quarters=st.dictionaries(st.from_regex("20[12][0-9]-Q[1-4]", fullmatch=True), quarters, max_size=3),
)
counts = st.builds(Count, days, days, st.integers(0, 10**6), st.none() | st.integers(1, 9))
statements = st.builds(
    Statement, content=contents, counts=st.dictionaries(codes, st.lists(counts, max_size=3), max_size=3)
)


@given(
    st.builds(
        Task,
        new=statements,
        earlier=st.lists(statements, max_size=2),
        threshold=st.integers(2, 100),
        residents=st.dictionaries(codes, st.integers(0, 10**6), max_size=3),
    )
)
@settings(max_examples=50, deadline=None)
def test_a_task_is_the_same_on_the_other_side(sent: Task) -> None:
    line = TASK.dump_json(sent)

    assert b"\n" not in line
    assert TASK.validate_json(line) == sent


@given(
    st.builds(
        Said,
        progress=st.none() | st.builds(Progress, st.integers(0, 9), st.integers(0, 9), st.text(max_size=9)),
        prepared=st.none()
        | st.builds(
            Prepared,
            content=contents,
            hidden=st.lists(st.builds(Hidden, st.none() | codes, st.text(max_size=9), st.just("small")), max_size=3),
            verdict=st.just(Verdict(passed=True, failures=[], tables_found=3)),
        ),
        refused=st.none() | st.text(max_size=9),
    )
)
@settings(max_examples=50, deadline=None)
def test_what_comes_of_it_is_the_same_on_the_other_side(said: Said) -> None:
    line = SAID.dump_json(said)

    assert b"\n" not in line
    assert SAID.validate_json(line) == said


# The process.


def test_the_process_comes_to_what_we_come_to_and_says_how_far_it_is() -> None:
    told: list[Progress] = []

    prepared = Child().prepared(task(), seconds=DEADLINE, tell=told.append)

    here = prepare(task(), tell=not_told)
    assert (prepared.content, list(prepared.hidden)) == (here.content, list(here.hidden))
    assert prepared.verdict.passed
    assert told


def test_a_release_that_fails_its_audit_comes_to_nothing() -> None:
    # The protector looks at what a release states; the audit also at what it says it does not.
    sent = task({"297": 40, "140": 41})
    years = {2023: ReleasedYear(covers=False, sessions=7), **sent.new.content.years}
    content = replace(sent.new.content, years=years)
    tampered = replace(sent, new=replace(sent.new, content=content))

    with pytest.raises(NotPrepared) as raised:
        Child().prepared(tampered, seconds=DEADLINE, tell=not_told)

    assert str(raised.value) == (
        "the audit failed: the county from 2023-01-01 to 2023-12-31 (to everybody: not as counted)"
    )


LOADED = """
import sys
import app.publishing.child
print(*sorted(name for name in sys.modules if name.split(".")[0] in ("sqlalchemy", "sqlmodel", "fastapi", "alembic")))
"""


def test_the_process_knows_no_database_and_no_server() -> None:
    loaded = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)

    assert loaded.stdout == "\n"


def test_the_process_is_told_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YHDESSA_DATABASE_URL", "postgresql://somebody:secret@database/yhdessa")
    tells = "print('{\"refused\": \"%s\"}' % [name for name in os.environ if name.upper().startswith('YHDESSA_')])"

    with pytest.raises(NotPrepared, match=r"^\[\]$"):
        Child(command=script(tells)).prepared(task(), seconds=DEADLINE, tell=not_told)


def test_an_interrupt_at_the_terminal_does_not_reach_the_process() -> None:
    tells = """print('{"refused": "%s"}' % (os.getpgrp() == os.getpid()))"""

    with pytest.raises(NotPrepared, match=r"^True$"):
        Child(command=script(tells)).prepared(task(), seconds=DEADLINE, tell=not_told)


def test_the_process_ends_with_who_started_it() -> None:
    started = subprocess.Popen(
        [sys.executable, "-m", "app.publishing.child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert started.stdin
    assert started.stdout
    # More than it can do in the time that it takes us to go.
    many = task({f"{code:03}": code % 9 for code in range(1, 200)})
    started.stdin.write(TASK.dump_json(many) + b"\n")
    started.stdin.flush()
    started.stdout.readline()

    started.stdin.close()

    assert started.wait(DEADLINE) == -signal.SIGTERM
    started.stdout.close()


def test_what_a_library_prints_is_no_line_of_the_process() -> None:
    prints = (
        "from app.publishing import child, preparing\n"
        "def noisy(task, tell):\n"
        "    print('HiGHS is running', flush=True)\n"
        "    return preparing.prepare(task, tell=tell)\n"
        "child.prepare = noisy\n"
        "child.main()\n"
    )

    prepared = Child(command=(sys.executable, "-c", prints)).prepared(task(), seconds=DEADLINE, tell=not_told)

    assert prepared.verdict.passed


def test_a_process_that_takes_too_long_is_killed() -> None:
    began = time.monotonic()
    child = Child(command=script("time.sleep(60)"))

    with pytest.raises(NotPrepared, match=f"^{TOO_LONG}$"):
        child.prepared(task(), seconds=0.3, tell=not_told)

    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("does", "where"),
    [
        ("os.kill(os.getpid(), 9)", "it ended with exit code -9"),
        ("sys.exit(0)", "it ended with exit code 0"),
        ("print('Segmentation fault')", "it said something that is no answer"),
        ("""print('{"prepared": {"content": {}}}')""", "it said something that is no answer"),
        ("print('{}')", "it said nothing"),
        ("""print('{"fault": "builtins.ValueError\\\\n  File"}')""", "builtins.ValueError\n  File"),
    ],
)
def test_a_process_that_fails_leaves_nothing_published_and_its_fault_for_the_log(does: str, where: str) -> None:
    with pytest.raises(Fault) as raised:
        Child(command=script(does)).prepared(task(), seconds=DEADLINE, tell=not_told)

    assert (str(raised.value), raised.value.where) == (FAULT, where)


def test_a_process_that_does_not_hear_its_task_is_no_trouble() -> None:
    child = Child(command=(sys.executable, "-c", "pass"))
    many = task({f"{code:03}": code for code in range(1, 1_000)})

    with pytest.raises(Fault):
        child.prepared(many, seconds=DEADLINE, tell=not_told)


def test_a_mistake_of_ours_is_told_without_its_words() -> None:
    with pytest.raises(Fault) as raised:
        Child().prepared(task(total=46), seconds=DEADLINE, tell=not_told)

    assert raised.value.where.startswith("builtins.ValueError\n")
    assert "app/publishing/preparing.py" in raised.value.where
    assert "46" not in raised.value.where
