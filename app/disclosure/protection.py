"""Which figures a release withholds, so that nobody can work out what a municipality with few sessions counted."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from app.disclosure.cells import (
    Cell,
    Figure,
    Said,
    county_year,
    municipality_year,
    said_by_value,
)
from app.disclosure.sights import Sight, sights_of, speaking, years_of
from app.disclosure.views import Demand, Goal, Table, Unmet, View
from app.disclosure.withholding import without
from app.disclosure.witnesses import Aim, cheapest_to_hide, furthest
from app.series.content import Content, Statement
from app.solver import NotSolved

Why = Literal["small", "protects others", "hidden before"]


PERCENT = 100


class Progress(NamedTuple):
    """About how many of the `total` steps are done, and what is being done now, in words."""

    done: int
    total: int
    doing: str


class Hidden(NamedTuple):
    """A figure that is withheld: of a municipality, or of the county (`area` None), and why.

    `period` is a year, a quarter (2023-Q1), or for a comparable pair its year and last day (2023 to 2023-03-31).
    """

    area: str | None
    period: str
    why: Why


@dataclass(frozen=True, slots=True)
class Protected:
    """A release's content with the figures withheld that have to be; which and why is for officials only.

    `hidden` is by period, the county before its municipalities.
    """

    content: Content
    hidden: Sequence[Hidden]


class CannotProtect(Exception):
    """The release cannot be made public, not even with all its figures withheld."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def protect(
    new: Statement,
    earlier: Sequence[Statement],
    *,
    threshold: int,
    residents: Mapping[str, int],
    tell: Callable[[Progress], None],
    seconds: float = 60.0,
) -> Protected:
    """What of `new` may be shown after the releases `earlier`, in the order of their numbers.

    Whoever reads it all, also a municipality that knows its own figures, can take each number of sessions below
    `threshold` for any number below it, and with the earlier releases together for `threshold` consecutive ones: both
    if he takes a year that comes to the same for unchanged, and if he reckons with what came since (see cells). What
    is withheld for that is chosen by level and `residents` of the municipalities, never by the counts; of what was
    withheld for others' sake each figure is needed. `tell` hears how far it is; what it raises ends the work. `seconds`
    is the longest that one question may take the solver.

    Raises:
        CannotProtect: it would not be enough to withhold everything, or the solver gave up.
        ValueError: a release does not follow from its counts.
    """
    shield = _Shield(new, earlier, threshold=threshold, residents=residents, tell=tell, seconds=seconds)
    try:
        shield.hide_what_must_be()
        shield.show_what_can_be()
    except NotSolved as error:
        raise CannotProtect(
            "the solver did not find out in time what has to be withheld; ask for fewer kinds of figures"
        ) from error
    return Protected(without(new.content, shield.hidden), _listed(shield.hidden))


class _Shield:
    """The figures hidden so far, and why."""

    def __init__(
        self,
        new: Statement,
        earlier: Sequence[Statement],
        *,
        threshold: int,
        residents: Mapping[str, int],
        tell: Callable[[Progress], None],
        seconds: float,
    ) -> None:
        self._threshold = threshold
        self._tell = tell
        self._seconds = seconds
        self._earlier = earlier
        self._new = new
        self._sights = {year: sights_of(year, new, earlier) for year in years_of(new)}
        alone = {year: sights[0].new for year, sights in self._sights.items()}
        # By figure that can be hidden.
        self._weights = {figure: _weight(figure, residents) for ours in alone.values() for figure in ours.shown}
        self._done = 0
        self._total = PERCENT * len(self._sights)
        self.hidden: dict[Figure, Why] = {}
        for year, ours in alone.items():
            self.hidden |= _hidden_from_the_start(year, ours, earlier, threshold)

    def hide_what_must_be(self) -> None:
        """Hide figures until every demand is met."""
        for year, sights in self._sights.items():
            unsettled = list(sights)
            while unsettled:
                sight = unsettled[0]
                demand = self._unmet(sight, self.hidden, f"protecting {year}")
                if demand is None:
                    unsettled.pop(0)
                else:
                    self._hide_for(demand, sight, year)
                    # What is withheld now must not be told by any of the others either.
                    unsettled = [sight, *(other for other in sights if other is not sight)]
            self._done += PERCENT

    def show_what_can_be(self) -> None:
        """Show again, heaviest first, each figure that was hidden for others' sake and need not be."""
        shown = True
        while shown:
            shown = False
            for figure in self._for_others():
                if self._can_be_shown(figure):
                    del self.hidden[figure]
                    # A figure that is shown asks for no protection of its own, so an earlier one may be free now.
                    shown = True

    def _hide_for(self, demand: Demand, sight: Sight, year: int) -> None:
        """Hide what is cheapest, or show again the figure that the demand is about if it is withheld to no use."""
        tables = self._cheapest_to_hide(sight.view, demand)
        if tables is None:
            cell = sight.view.cells[demand.unknown]
            figure = municipality_year(cell.municipality, year)
            if self.hidden.get(figure) != "protects others" or sight.new.shown[figure] != (cell,):
                raise CannotProtect(self._reason(year, cell, demand))
            # Earlier releases tell it, so that it is no hiding place for others.
            del self.hidden[figure], self._weights[figure]
            return
        for figure in {figure for table in tables for figure in sight.view.changed_by(table)} - self.hidden.keys():
            self._hide(figure)
        for table in tables:
            sight.view.keep(table)

    def _cheapest_to_hide(self, view: View, demand: Demand) -> Sequence[Table] | None:
        return cheapest_to_hide(
            view, self.hidden, demand, threshold=self._threshold, weights=self._weights, seconds=self._seconds
        )

    def _hide(self, figure: Figure) -> None:
        self.hidden[figure] = "protects others"
        if figure.kind == "county":
            # A row whose sessions are withheld states no comparable figures.
            pairs = {other for other in self._weights if other.kind == "pair" and other.year == figure.year}
            self.hidden |= dict.fromkeys(pairs, "protects others")

    def _for_others(self) -> list[Figure]:
        """The figures that are hidden for others' sake, heaviest first."""
        figures = [figure for figure, why in self.hidden.items() if why == "protects others"]
        return sorted(figures, key=lambda figure: (-self._weights[figure], figure.period, figure.area))

    def _can_be_shown(self, figure: Figure) -> bool:
        if figure.kind == "pair" and county_year(figure.year) in self.hidden:
            return False
        hidden = {other: why for other, why in self.hidden.items() if other != figure}
        doing = f"showing again what can be of {figure.period}"
        return not any(
            self._unmet(sight, hidden, doing)
            for sights in self._sights.values()
            for sight in sights
            if figure in sight.view.figures
        )

    def _unmet(self, sight: Sight, hidden: Mapping[Figure, Why], doing: str) -> Demand | None:
        """A demand that no table meets while `hidden` is hidden; the tables that meet others are kept."""
        view = sight.view
        view.look_again(hidden)
        unmet = view.demands(sight.demanded(hidden, self._threshold))
        every = _number(unmet)
        view.take_out(unmet, range(len(view.cells)), self._threshold)
        while unmet:
            met = PERCENT * (every - _number(unmet)) // every
            self._tell(Progress(min(self._done + met, self._total), self._total, doing))
            if (demand := self._not_to_be_met(view, hidden, unmet)) is not None:
                return demand
        return None

    def _not_to_be_met(self, view: View, hidden: Mapping[Figure, Why], unmet: Unmet) -> Demand | None:
        """Look for a table for the first that is `unmet`, and take out what it meets; the demand if there is none."""
        (unknown, goal), attackers = next(iter(unmet.items()))
        for known in _known_together(view.municipalities, view.owners[unknown], attackers):
            demand = Demand(unknown, next(code for code in attackers if code in known), goal)
            for way in _ways(goal):
                aims = [
                    self._aim(view, Demand(other, against[0], goal), way)
                    for (other, its), whose in unmet.items()
                    if its == goal
                    and view.owners[other] not in known
                    and (against := [code for code in whose if code in known])
                ]
                table = furthest(view, hidden, known, self._aim(view, demand, way), aims, seconds=self._seconds)
                view.keep(table)
                view.take_out(unmet, table, self._threshold)
                if view.is_met(demand, self._threshold):
                    return None
        return demand

    def _aim(self, view: View, demand: Demand, way: Literal["down", "up"]) -> Aim:
        if demand.goal != "wide":
            return Aim(demand.unknown, way, 0 if demand.goal == "zero" else self._threshold - 1)
        low, high = view.range(demand.unknown, demand.attacker)
        to = low + self._threshold - 1 if way == "up" else max(0, high - self._threshold + 1)
        return Aim(demand.unknown, way, to)

    def _reason(self, year: int, cell: Cell, demand: Demand) -> str:
        """Why nothing of `year` can be published, in words that tell no figure and no municipality."""
        numbers = range(1, len(self._earlier) + 1)
        number = next(number for number in numbers if self._is_told(year, cell, demand, self._earlier[:number]))
        what = "imported" if not self._earlier[number - 1].counts else "published"
        return (
            f"the sessions of {year} cannot be protected, not even with every figure of {year} withheld: from the "
            f"{number}. of the earlier releases on, which was {what}, somebody could work out what a municipality "
            f"counted; leave {year} with the earlier releases by setting live_from to {year + 1} or later"
        )

    def _is_told(self, year: int, cell: Cell, demand: Demand, earlier: Sequence[Statement]) -> bool:
        """True if the demand cannot be met after the releases `earlier`, whatever is hidden."""
        views = [sight.view for sight in sights_of(year, self._new, earlier)]
        return any(
            self._cheapest_to_hide(view, demand._replace(unknown=view.index[cell])) is None
            for view in views
            if cell in view.index
        )


def _hidden_from_the_start(
    year: int, ours: Said, earlier: Sequence[Statement], threshold: int
) -> Iterator[tuple[Figure, Why]]:
    """The municipalities' figures that are small, or near to what was withheld before."""
    before = [cell for release in speaking(year, earlier) for cell in said_by_value(release, year).withheld]
    for figure, parts in ours.shown.items():
        if figure.kind != "municipality":
            continue
        sessions = parts[0].sessions
        if sessions < threshold:
            yield figure, "small"
        elif any(cell.municipality == figure.area and abs(cell.sessions - sessions) < threshold for cell in before):
            yield figure, "hidden before"


def _known_together(municipalities: Sequence[str], owner: str, attackers: Sequence[str]) -> Iterator[Sequence[str]]:
    """Whose cells to leave as they are, so that one table stands against many attackers; at last only one's.

    Those in the half of the municipalities in which the owner is not, as long as some of them attack, else the others;
    then ever fewer of them.
    """
    middle = len(municipalities) // 2
    halves = [municipalities[:middle], municipalities[middle:]]
    for half in sorted(halves, key=lambda half: owner in half):
        known = [code for code in half if code != owner]
        attacker = next((code for code in known if code in attackers), None)
        if attacker is None:
            continue
        while len(known) > 1:
            yield known
            middle = len(known) // 2
            known = known[:middle] if attacker in known[:middle] else known[middle:]
        yield known
        return
    # Only the public is left.
    yield attackers


def _ways(goal: Goal) -> Sequence[Literal["down", "up"]]:
    return ["down"] if goal == "zero" else ["up"] if goal == "top" else ["up", "down"]


def _number(unmet: Unmet) -> int:
    return sum(len(attackers) for attackers in unmet.values())


def _weight(figure: Figure, residents: Mapping[str, int]) -> int:
    """What it costs readers not to see the figure: by its level, and among municipalities by how many live there."""
    if figure.area is not None:
        return 10 + residents.get(figure.area, 0).bit_length()
    return {"pair": 200, "quarter": 300, "county": 10_000}[figure.kind]


def _listed(hidden: Mapping[Figure, Why]) -> list[Hidden]:
    listed = [Hidden(figure.area, figure.period, why) for figure, why in hidden.items()]
    return sorted(listed, key=lambda one: (one.period, one.area or ""))
