"""The audit of what is about to be published: can anybody work out a cell that is hidden, or too small?

It is written apart from the protection and takes nothing from it: only what the public will read, now and from before,
and the counts behind that, by which it is checked.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, combinations

from app.intruder.cells import Cell, Counts, Equation, Said, grown, said, spoken_of, year_cells
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
    cell that is below it or withheld must be left with `threshold` consecutive values.

    `tell` hears how many cells of how many have been looked at; what it raises ends the audit. `seconds` is the longest
    that one question may take the solver.

    Raises:
        NotAudited: the solver gave up, or a table that it found is none.
    """
    if failures := list(broken_rules(published, counts, earlier, threshold=threshold)):
        return Verdict(passed=False, failures=failures, tables_found=0)
    new = said(published, counts)
    old = [said(statement.content, statement.counts) for statement in earlier]
    equations = new.equations.union(
        *(one.equations for one in old), _imported(published, counts, earlier), _grown(published, counts, earlier)
    )
    alone = Ranges(new.equations, threshold=threshold, seconds=seconds)
    together = Ranges(_reaching(new.cells, equations), threshold=threshold, seconds=seconds)
    at_risk_alone = sorted(cell for cell in new.cells & alone.cells if cell.sessions < threshold)
    at_risk_together = sorted(_at_risk(new, old, equations, threshold) & together.cells)
    number = len(at_risk_alone) + len(at_risk_together)
    for done, failure in enumerate(_failures(alone, at_risk_alone, together, at_risk_together, threshold), start=1):
        tell(done, number)
        failures += [failure] if failure else []
    return Verdict(passed=not failures, failures=failures, tables_found=len(alone.tables) + len(together.tables))


def _failures(
    alone: Ranges, at_risk_alone: Sequence[Cell], together: Ranges, at_risk_together: Sequence[Cell], threshold: int
) -> Iterator[Failure | None]:
    """For each cell what is wrong with it; what was found for the release alone counts for all where it fits."""
    for cell in at_risk_alone:
        yield _narrowed_alone(alone, cell, threshold)
    for table in alone.tables:
        together.offer(table)
    for cell in at_risk_together:
        yield _narrowed_together(together, cell, threshold)


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


def _imported(published: Content, counts: Counts, earlier: Sequence[Statement]) -> Iterator[Equation]:
    """A total that was made public without its counts is one of the cells of each release that comes to the same."""
    made = [(statement.content, statement.counts) for statement in earlier if statement.counts]
    totals = {
        (year, statement.content.years[year].sessions)
        for statement in earlier
        if not statement.counts
        for year in spoken_of(statement.content)
    }
    for content, behind in [*made, (published, counts)]:
        for year in spoken_of(content):
            cells = year_cells(year, behind)
            if cells and (year, sum(cell.sessions for cell in cells)) in totals:
                yield Equation(cells, None)


def _grown(published: Content, counts: Counts, earlier: Sequence[Statement]) -> Iterator[Equation]:
    made = [*((statement.content, statement.counts) for statement in earlier), (published, counts)]
    for (before, counts_before), (now, counts_now) in combinations(made, 2):
        yield from grown(before, counts_before, now, counts_now)


def _reaching(cells: frozenset[Cell], equations: frozenset[Equation]) -> Iterator[Equation]:
    """The equations that hang together with one of `cells`; the others were audited with the releases that say them."""
    reached = {cell for group in connected([one.cells for one in equations]) if group & cells for cell in group}
    return (equation for equation in equations if equation.cells & reached)


def _at_risk(new: Said, old: Sequence[Said], equations: frozenset[Equation], threshold: int) -> set[Cell]:
    """Small and withheld cells: those of the new release, and older ones about which it may say something."""
    stated = frozenset(chain.from_iterable(equation.cells for equation in new.equations))
    told = {cell for equation in _reaching(stated, equations) for cell in equation.cells}
    ours = {cell for cell in new.cells if cell.sessions < threshold} | new.withheld
    theirs = {cell for one in old for cell in one.withheld | {each for each in one.cells if each.sessions < threshold}}
    return ours | (theirs & told)
