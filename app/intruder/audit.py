"""The audit of what is about to be published: can anybody work out a cell that is hidden, or too small?

It is written apart from the protection and takes nothing from it: only what the public will read, now and from before,
and the counts behind that, by which it is checked.

Several releases are looked at twice. By value, a year that comes to the same as before is the same unknown: so thinks
who knows that nothing was corrected, and finds who joined. By days, a year is another unknown when it went on, and is
what it was and what came since: so thinks who knows that counts stand. The quarters are looked at by days only: an
unchanged year would give away that the quarter since is nothing, whatever is withheld. For the same reason a year that
was shown before and comes to the same may be withheld: by value it is known, and what came since is hidden by days.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations

from app.intruder.cells import (
    Cell,
    Equation,
    Naming,
    Said,
    as_counted,
    as_named,
    grown,
    said,
    spoken_of,
    year_cells,
)
from app.intruder.ranges import Attacker, Goal, Ranges, connected
from app.intruder.rules import broken_rules
from app.intruder.verdict import Failure, Rule, Verdict
from app.series.content import Content, Statement
from app.series.facts import Count


def audit(
    published: Content,
    counts: Mapping[str, Sequence[Count]],
    earlier: Sequence[Statement],
    *,
    threshold: int,
    tell: Callable[[int, int], None],
    seconds: float = 60.0,
) -> Verdict:
    """Whether `published`, made of `counts`, may follow the releases `earlier` of its practice and county.

    Everybody is assumed to know which municipality reports for which time; which of its counts changed between two
    releases; and, if it is a municipality, its own counts in all of them. Then each cell below `threshold` must be able
    to have every value from 0 to `threshold` − 1 for a reader of this release; and for a reader of all releases each
    cell that is below it or withheld must be left with `threshold` consecutive values, both by value (an unchanged
    year is the same unknown) and by days (a year that went on is what it was and what came since).

    `tell` hears how many cells of how many have been looked at; what it raises ends the audit. `seconds` is the longest
    that one question may take the solver.

    Raises:
        NotAudited: the solver gave up, or a table that it found is none.
    """
    if failures := list(broken_rules(published, counts, earlier, threshold=threshold)):
        return Verdict(passed=False, failures=failures, tables_found=0)
    statements = [*earlier, Statement(content=published, counts=counts)]
    by_days, by_value = _by_days(statements), _by_value(statements)
    # Nothing can be unchanged since no release, and by days more is known of a single one.
    differ = by_value != by_days and any(statement.counts for statement in earlier)
    views = [by_days, by_value] if differ else [by_days]
    questions = _Questions(by_days.new, views, threshold, seconds)
    for done, failure in enumerate(questions.failures(), start=1):
        tell(done, questions.number)
        failures += [failure] if failure else []
    return Verdict(passed=not failures, failures=failures, tables_found=questions.tables_found)


@dataclass(frozen=True, slots=True)
class _View:
    """All that is told of cells by all releases, of which `new` is the last."""

    new: Said
    old: Sequence[Said]
    equations: frozenset[Equation]


def _by_value(statements: Sequence[Statement]) -> _View:
    """Without quarters; a year that comes to the same is the same, and no secret if it was shown before."""
    plain = [replace(statement, content=replace(statement.content, quarters={})) for statement in statements]
    view = _view(plain, as_named, [])
    shown = [equation.parts for one in view.old for equation in one.equations if equation.whole is None]
    known = frozenset[Cell]().union(*(parts for parts in shown if len(parts) == 1))
    new, *old = (replace(one, withheld=one.withheld - known) for one in [view.new, *view.old])
    return replace(view, new=new, old=old)


def _by_days(statements: Sequence[Statement]) -> _View:
    """With quarters; a year that went on is what it was and what came since."""
    return _view(statements, as_counted, _grown(statements))


def _view(statements: Sequence[Statement], naming: Naming, more: Iterable[Equation]) -> _View:
    *old, new = (said(statement.content, statement.counts, naming) for statement in statements)
    told = (one.equations for one in [*old, new])
    return _View(new, old, frozenset(chain(*told, _imported(statements, naming), more)))


class _Questions:
    """What is asked of the new release alone, and of each view of all releases."""

    def __init__(self, new: Said, views: Sequence[_View], threshold: int, seconds: float) -> None:
        self._threshold = threshold
        self._alone = Ranges(new.equations, threshold=threshold, seconds=seconds)
        self._together = [
            Ranges(_reaching(view.new.cells, view.equations), threshold=threshold, seconds=seconds) for view in views
        ]
        self._at_risk_alone = sorted(cell for cell in new.cells & self._alone.cells if cell.sessions < threshold)
        self._at_risk_together = [
            sorted(_at_risk(view, threshold) & ranges.cells) for view, ranges in zip(views, self._together, strict=True)
        ]

    @property
    def number(self) -> int:
        return len(self._at_risk_alone) + sum(map(len, self._at_risk_together))

    @property
    def tables_found(self) -> int:
        return sum(len(ranges.tables) for ranges in [self._alone, *self._together])

    def failures(self) -> Iterator[Failure | None]:
        """For each cell what is wrong with it; what was found before counts for all where it fits."""
        for cell in self._at_risk_alone:
            yield _narrowed_alone(self._alone, cell, self._threshold)
        found = list(self._alone.tables)
        for ranges, at_risk in zip(self._together, self._at_risk_together, strict=True):
            for table in found:
                ranges.offer(table)
            for cell in at_risk:
                yield _narrowed_together(ranges, cell, self._threshold)
            found = list(ranges.tables)


def _narrowed_alone(ranges: Ranges, cell: Cell, threshold: int) -> Failure | None:
    """The first attacker to whom `cell` cannot be all of 0 to `threshold` − 1."""
    known_more = ranges.unconvinced(Goal(cell, most=0), lambda one: ranges.range(cell, one)[0] <= 0)
    known_less = ranges.unconvinced(
        Goal(cell, least=threshold - 1), lambda one: ranges.range(cell, one)[1] >= threshold - 1
    )
    attackers = _public_first([*known_more, *known_less])
    return _failure(ranges, cell, attackers[0], "alone") if attackers else None


def _narrowed_together(ranges: Ranges, cell: Cell, threshold: int) -> Failure | None:
    """The first attacker to whom fewer than `threshold` consecutive values are left for `cell`."""

    def convinced(attacker: Attacker) -> bool:
        low, high = ranges.range(cell, attacker)
        return high - low >= threshold - 1

    unconvinced = ranges.unconvinced(Goal(cell, least=cell.sessions + threshold - 1), convinced)
    if unconvinced and cell.sessions >= threshold - 1:
        unconvinced = ranges.unconvinced(Goal(cell, most=cell.sessions - threshold + 1), convinced)
    for attacker in _public_first(unconvinced):
        # A little up and a little down may do together what neither does alone.
        failure = None if convinced(attacker) else _failure(ranges, cell, attacker, "together")
        if failure and not convinced(attacker):
            return failure
    return None


def _failure(ranges: Ranges, cell: Cell, attacker: Attacker, rule: Rule) -> Failure:
    low, high = ranges.extremes(cell, attacker)
    return Failure(
        attacker=attacker,
        municipality=cell.municipality,
        first=cell.first,
        last=cell.last,
        low=low,
        high=high,
        rule=rule,
    )


def _public_first(attackers: Sequence[Attacker]) -> list[Attacker]:
    return sorted(set(attackers), key=lambda attacker: attacker or "")


def _imported(statements: Sequence[Statement], naming: Naming) -> Iterator[Equation]:
    """A total that was made public without its counts is one of the cells of each release that comes to the same."""
    totals = {
        (year, statement.content.years[year].sessions)
        for statement in statements
        if not statement.counts
        for year in spoken_of(statement.content)
    }
    for statement in statements:
        for year in spoken_of(statement.content):
            cells = year_cells(year, statement.counts, naming)
            if cells and (year, sum(cell.sessions for cell in cells)) in totals:
                yield Equation(cells, None)


def _grown(statements: Sequence[Statement]) -> Iterator[Equation]:
    for before, now in combinations(statements, 2):
        yield from grown(before.content, before.counts, now.content, now.counts)


def _reaching(cells: frozenset[Cell], equations: frozenset[Equation]) -> Iterator[Equation]:
    """The equations that hang together with one of `cells`; the others were audited with the releases that say them."""
    reached = {cell for group in connected([one.cells for one in equations]) if group & cells for cell in group}
    return (equation for equation in equations if equation.cells & reached)


def _at_risk(view: _View, threshold: int) -> set[Cell]:
    """Small and withheld cells: those of the new release, and older ones about which it may say something."""
    stated = frozenset(chain.from_iterable(equation.cells for equation in view.new.equations))
    told = {cell for equation in _reaching(stated, view.equations) for cell in equation.cells}
    ours = {cell for cell in view.new.cells if cell.sessions < threshold} | view.new.withheld
    theirs = {
        cell for one in view.old for cell in one.withheld | {each for each in one.cells if each.sessions < threshold}
    }
    return ours | (theirs & told)
