"""A row of the table: what is measured, who takes part, and which goals it has; measured in turns."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal

from benchmarks.ground import Ground

OURS = "ours"
BARE = "bare ASGI"
TUTORIAL = "tutorial"
DATASETTE = "Datasette"
POCKETBASE = "PocketBase"

Figures = Mapping[str, float]
"""What one measurement gave: the row's own figure under its name, and others beside it."""


class AnswersDiffer(Exception):
    """Two contenders answered the same question differently, so that their times say nothing."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One that takes part: `answer` gives what has to be equal for all, `measure` measures once."""

    answer: Callable[[], Any]
    measure: Callable[[], Figures]


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of every round by contender, in the same order for all."""

    rounds: Mapping[str, Sequence[Figures]]

    def median(self, name: str, figure: str) -> float | None:
        """The median of a figure of a contender; None if it did not take part or has no such figure."""
        found = [one[figure] for one in self.rounds.get(name, ()) if figure in one]
        return statistics.median(found) if found else None

    def quotient(self, one: str, other: str, figure: str) -> float | None:
        """The median of `one` / `other`, each pair out of the same round; None if one of the two is not there."""
        pairs = zip(self.rounds.get(one, ()), self.rounds.get(other, ()), strict=False)
        found = [mine[figure] / theirs[figure] for mine, theirs in pairs if theirs.get(figure)]
        return statistics.median(found) if found else None


@dataclass(frozen=True, slots=True)
class Goal:
    """What has to hold of our `figure`: `times` as good as `against`, or, without `against`, within that bound.

    A figure of which less is better counts the other way round, so that `times` says how much better always.
    """

    figure: str
    times: float
    against: str | None = None
    less_is_better: bool = False

    def reached(self, measured: Measured) -> float | None:
        """How many times as good as `against`, or our figure itself; None if it was not measured."""
        if self.against is None:
            return measured.median(OURS, self.figure)
        if self.less_is_better:
            return measured.quotient(self.against, OURS, self.figure)
        return measured.quotient(OURS, self.against, self.figure)

    def met(self, measured: Measured) -> bool | None:
        """Whether it is; None if it was not measured."""
        reached = self.reached(measured)
        if reached is None:
            return None
        return reached >= self.times if self.against or not self.less_is_better else reached <= self.times

    @property
    def text(self) -> str:
        """The goal in words, without the figure."""
        if self.against:
            return f"≥ {self.times:.3g} ×"
        return f"{'≤' if self.less_is_better else '≥'} {self.times:g}"


Contenders = Callable[[Ground], AbstractContextManager[Mapping[str, Contender]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`figure` is what the table shows; `rounds` at most that many, for what takes long; `sizes` where it has sense."""

    name: str
    what: str
    figure: str
    contenders: Contenders
    goals: Sequence[Goal] = ()
    beside: Sequence[str] = ()
    rounds: int | None = None
    sizes: Sequence[Literal["S", "M", "L"]] = field(default=("S", "M", "L"))
    needs_postgresql: bool = False


def measure(row: Row, ground: Ground, *, rounds: int, tell: Callable[[str], None]) -> Measured:
    """Compare the answers, warm everyone up with one measurement that does not count, then measure in turns.

    Raises:
        AnswersDiffer: the contenders do not answer the same; nothing was measured.
    """
    with row.contenders(ground) as contenders:
        _compare(row, {name: contender.answer() for name, contender in contenders.items()})
        rounds = min(rounds, row.rounds or rounds)
        taken: dict[str, list[Figures]] = {name: [] for name in contenders}
        # What takes long has no turn that does not count.
        for number in range(1 if row.rounds else 0, rounds + 1):
            for name, contender in contenders.items():
                figures = contender.measure()
                if number:
                    taken[name].append(figures)
                    tell(f"  {row.name}, round {number}, {name}: {_told(figures)}")
    return Measured(taken)


def _compare(row: Row, answers: Mapping[str, Any]) -> None:
    first, *others = answers
    for other in others:
        if answers[other] != answers[first]:
            raise AnswersDiffer(
                f"{row.name}: {first} says {str(answers[first])[:1_000]}, {other} says {str(answers[other])[:1_000]}"
            )


def _told(figures: Figures) -> str:
    return ", ".join(f"{value:,.1f} {name}" for name, value in figures.items())
