"""What every reader can work out of tiny releases, by trying every number: slow, plain, and without a solver.

It knows years of whole numbers and quarters of one single year, and no comparable pairs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

from app.series.content import Content, Statement
from app.series.facts import Count

Name = tuple[str, str, int]
"""A municipality, months (1-6) and the sessions counted in them."""

ALL_QUARTERS = ("Q1", "Q2", "Q3", "Q4")


class Line(NamedTuple):
    """Unknowns that are added, unknowns that are taken away, and what they come to."""

    plus: frozenset[Name]
    minus: frozenset[Name]
    total: int


class Told(NamedTuple):
    """Everything that one release, or several, tell."""

    lines: frozenset[Line]
    small: frozenset[Name]
    withheld: frozenset[Name]


Bounds = tuple[int, int | None]


def failures(
    published: Content, counts: Mapping[str, Sequence[Count]], earlier: Sequence[Statement], threshold: int
) -> list[tuple[str, Name, dict[str | None, Bounds]]]:
    """By rule (alone, together) and cell: who knows too much, and the bounds he knows; of each view one after another.

    The upper bound is None if it is by the threshold or more above the truth.
    """
    new = Statement(content=published, counts=counts)
    found: dict[tuple[str, int, Name], dict[str | None, Bounds]] = {}
    told = _by_days([new], threshold)
    for name, attacker, (low, high) in _ranges(told.lines, told.small, threshold):
        if low > 0 or (high is not None and high < threshold - 1):
            found.setdefault(("alone", 0, name), {})[attacker] = (low, high)
    views = [_by_days([*earlier, new], threshold)]
    if any(one.counts for one in earlier):
        views.append(_by_value([*earlier, new], threshold))
    for number, told in enumerate(dict.fromkeys(views)):
        for name, attacker, (low, high) in _ranges(told.lines, told.small | told.withheld, threshold):
            if high is not None and high - low < threshold - 1:
                found.setdefault(("together", number, name), {})[attacker] = (low, high)
    return [(rule, name, by_attacker) for (rule, _, name), by_attacker in found.items()]


def _ranges(
    lines: frozenset[Line], wanted: frozenset[Name], threshold: int
) -> Iterator[tuple[Name, str | None, Bounds]]:
    names = sorted({name for line in lines for name in line.plus | line.minus})
    for attacker in [None, *sorted({name[0] for name in names})]:
        own = {name: name[2] for name in names if name[0] == attacker}
        for name in names:
            if name in wanted and name[0] != attacker:
                far = name[2] + threshold
                possible = [x for x in range(far + 1) if _possible(lines, names, {**own, name: x}, far)]
                yield name, attacker, (possible[0], possible[-1] if possible[-1] < far else None)


def _possible(lines: frozenset[Line], names: Sequence[Name], known: Mapping[Name, int], most: int) -> bool:
    """True if some numbers of the others fit; no number has to be greater than all of them together and `most`."""
    most += sum(name[2] for name in names)
    floor = {name: known.get(name, 0) for name in names}
    ceiling = {name: known.get(name, most) for name in names}
    return _fits(lines, floor, ceiling)


def _fits(lines: frozenset[Line], floor: dict[Name, int], ceiling: dict[Name, int]) -> bool:
    """Narrow the ranges until they stand, then try each number of the narrowest that is left."""
    narrowing = True
    while narrowing:
        narrowing = False
        for plus, minus, total in lines:
            for name in plus | minus:
                rest_plus, rest_minus = plus - {name}, minus - {name}
                # total = plus − minus, so each is what the others leave.
                least = sum(floor[n] for n in rest_plus) - sum(ceiling[n] for n in rest_minus)
                most = sum(ceiling[n] for n in rest_plus) - sum(floor[n] for n in rest_minus)
                low, high = (total - most, total - least) if name in plus else (least - total, most - total)
                if low > floor[name] or high < ceiling[name]:
                    floor[name], ceiling[name] = max(floor[name], low), min(ceiling[name], high)
                    narrowing = True
                if floor[name] > ceiling[name]:
                    return False
    open_ones = [name for name in floor if floor[name] < ceiling[name]]
    if not open_ones:
        return True
    name = min(open_ones, key=lambda one: (ceiling[one] - floor[one], one))
    return any(
        _fits(lines, {**floor, name: value}, {**ceiling, name: value})
        for value in range(floor[name], ceiling[name] + 1)
    )


def _by_value(statements: Sequence[Statement], threshold: int) -> Told:
    """All counts taken for counts of the whole year, so that only their sum is its name."""
    whole = [
        Statement(
            content=replace(one.content, quarters={}),
            counts={
                code: [Count(own[0].first.replace(month=1), own[0].last.replace(month=12, day=31), _sum(own))]
                for code, own in one.counts.items()
            },
        )
        for one in statements
    ]
    told = _told(whole, threshold)
    before = _told(whole[:-1], threshold).lines
    shown = frozenset(name for line in before if len(line.plus) == 1 and not line.minus for name in line.plus)
    return told._replace(withheld=told.withheld - shown)


def _by_days(statements: Sequence[Statement], threshold: int) -> Told:
    """Counts as they are; what came since is added to what was."""
    told = _told(statements, threshold)
    lines = set(told.lines)
    for one, other in combinations(statements, 2):
        for code in one.counts.keys() & other.counts.keys():
            was, now = one.counts[code], other.counts[code]
            day = max(count.last for count in was)
            until, since = [c for c in now if c.last <= day], [c for c in now if c.first > day]
            if since and _sum(until) == _sum(was):
                rest = _name(code, day.month + 1, since)
                lines.add(Line(frozenset([_name(code, 1, was), rest]), frozenset([_name(code, 1, now)]), 0))
    return told._replace(lines=frozenset(lines))


def _told(statements: Sequence[Statement], threshold: int) -> Told:
    lines: set[Line] = set()
    small: set[Name] = set()
    withheld: set[Name] = set()
    for content, counts in ((one.content, one.counts) for one in statements if one.counts):
        year_names = {code: _name(code, 1, own) for code, own in counts.items()}
        lines |= _line(year_names.values(), content.years[2023].sessions)
        for code, rows in content.municipalities.items():
            lines |= _line([year_names[code]], rows[2023].sessions)
            withheld |= {year_names[code]} if rows[2023].withheld else set()
        if any(row.withheld or row.sessions is not None for row in content.quarters.values()):
            of_all = {quarter: _of_quarter(counts, quarter) for quarter in ALL_QUARTERS}
            for quarter, names in of_all.items():
                lines |= _line(names.values(), content.quarters[f"2023-{quarter}"].sessions)
                small |= {name for name in names.values() if name[2] < threshold}
            for code, whole in year_names.items():
                parts = frozenset(names[code] for names in of_all.values() if code in names)
                lines |= {Line(parts, frozenset([whole]), 0)} if parts != {whole} else set()
        small |= {name for name in year_names.values() if name[2] < threshold}
        for one in statements:
            total = None if one.counts else one.content.years[2023].sessions
            if total == sum(name[2] for name in year_names.values()):
                lines |= _line(year_names.values(), total)
    return Told(frozenset(lines), frozenset(small), frozenset(withheld))


def _line(names: Iterable[Name], total: int | None) -> set[Line]:
    plus = frozenset(names)
    return set() if total is None or not plus else {Line(plus, frozenset(), total)}


def _of_quarter(counts: Mapping[str, Sequence[Count]], quarter: str) -> dict[str, Name]:
    number = int(quarter[1])
    inside = {code: [c for c in own if (c.first.month + 2) // 3 == number] for code, own in counts.items()}
    return {code: _name(code, 3 * number - 2, own) for code, own in inside.items() if own}


def _name(code: str, first: int, own: Sequence[Count]) -> Name:
    """The sessions from the month `first` to the last that was counted."""
    return code, f"{first}-{max(c.last.month for c in own)}", _sum(own)


def _sum(own: Sequence[Count]) -> int:
    return sum(count.sessions for count in own)
