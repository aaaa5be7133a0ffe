"""Tiny releases, drawn at random: the audit finds exactly what trying every number finds."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from app.intruder.verdict import Failure
from app.series.content import Content, Statement
from app.series.facts import Count
from tests.intruder import oracle
from tests.intruder.releases import audited, imported, quarter, said_of, whole

# Many cases and much arithmetic: each module's own tests are what its lines are measured by.
pytestmark = pytest.mark.no_cover

CODES = ("140", "174", "204", "297")

Counts = dict[str, list[Count]]


@st.composite
def counted(draw: st.DrawFn, quarterly: bool) -> Counts:
    """What two to four municipalities counted in 2023, by the year or in up to two quarters."""
    codes = CODES[: draw(st.integers(2, 3 if quarterly else 4))]
    sessions = st.integers(0, 5)
    if not quarterly:
        return {code: [whole(draw(sessions))] for code in codes}
    numbers = st.sampled_from([(1,), (1, 2), (2,)])
    return {code: [quarter(number, draw(sessions)) for number in draw(numbers)] for code in codes}


@st.composite
def corrected(draw: st.DrawFn, counts: Counts, quarterly: bool) -> Counts:
    """`counts`, of which some were corrected, and others went on; one municipality may have joined."""
    again = {
        code: [c._replace(sessions=max(0, c.sessions + draw(st.sampled_from((0, 0, 0, 1, -1, 3))))) for c in own]
        for code, own in counts.items()
    }
    if quarterly and draw(st.booleans()):
        again = {
            code: own if len(own) > 1 else [*own, quarter(3, draw(st.integers(0, 3)))] for code, own in again.items()
        }
    if draw(st.booleans()):
        again["915"] = [c._replace(sessions=draw(st.integers(0, 4))) for c in counts[CODES[0]]]
    return again


@st.composite
def hidden(draw: st.DrawFn, counts: Counts, quarterly: bool, threshold: int, before: Statement | None) -> Content:
    """What a release of `counts` could say that keeps to the plain rules: all that is small is withheld."""
    sums = {code: sum(c.sessions for c in own) for code, own in counts.items()}
    withheld = {code for code, sessions in sums.items() if sessions < threshold or draw(st.booleans())}
    if before:
        rows = before.content.municipalities
        withheld |= {
            code
            for code in sums.keys() & rows.keys()
            if rows[code][2023].withheld and abs(sums[code] - _sum(before.counts[code])) < threshold
        }
    figures = {"2023", *(f"2023-Q{number}" for number in (1, 2, 3) if _reports(counts, number))}
    withheld |= {figure for figure in sorted(figures) if draw(st.integers(0, 3)) == 0}
    table = draw(st.booleans())
    return said_of(counts, withheld=withheld, table=table, quarters=quarterly)


@st.composite
def sequences(draw: st.DrawFn) -> tuple[list[Statement], int]:
    """One release, or two of which the second corrects the first, maybe after an imported one; and a threshold."""
    threshold = draw(st.integers(2, 3))
    quarterly = draw(st.booleans())
    counts = draw(counted(quarterly))
    made = [Statement(content=draw(hidden(counts, quarterly, threshold, None)), counts=counts)]
    if draw(st.booleans()):
        again = draw(corrected(counts, quarterly))
        made.append(Statement(content=draw(hidden(again, quarterly, threshold, made[0])), counts=again))
    if draw(st.booleans()):
        total = sum(_sum(own) for own in draw(st.sampled_from(made)).counts.values())
        made.insert(0, imported(y2023=total))
    return made, threshold


@given(sequences())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_audit_finds_what_trying_every_number_finds(drawn: tuple[list[Statement], int]) -> None:
    finds_the_same(*drawn)


@pytest.mark.exhaustive
@given(sequences())
@settings(max_examples=1_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_audit_finds_it_a_thousand_times(drawn: tuple[list[Statement], int]) -> None:
    finds_the_same(*drawn)


def finds_the_same(statements: Sequence[Statement], threshold: int) -> None:
    *earlier, new = statements
    verdict = audited(new.content, new.counts, earlier, threshold=threshold)

    expected = oracle.failures(new.content, new.counts, earlier, threshold)
    known: dict[tuple[str, str, str], list[Mapping[str | None, oracle.Bounds]]] = {}
    for rule, (code, period, _), by_attacker in expected:
        known.setdefault((rule, code, period), []).append(by_attacker)
    found = [(failure.rule, str(failure.municipality), _period(failure)) for failure in verdict.failures]
    assert set(found) <= known.keys()
    for failure, key in zip(verdict.failures, found, strict=True):
        assert any(bounds.get(failure.attacker) == (failure.low, failure.high) for bounds in known[key])
        # What everybody knows is not told as what one municipality does.
        assert failure.attacker is None or any(None not in bounds for bounds in known[key])
    if _earlier_hold(earlier, threshold):
        assert len(found) == len(expected)
        assert verdict.passed == (not expected)


def _earlier_hold(earlier: Sequence[Statement], threshold: int) -> bool:
    """True if nothing was wrong before: what new releases do not touch is not looked at again."""
    return not any(
        oracle.failures(one.content, one.counts, earlier[:number], threshold)
        for number, one in enumerate(earlier)
        if one.counts
    )


def _period(failure: Failure) -> str:
    return f"{failure.first.month}-{failure.last.month}"


def _sum(own: Sequence[Count]) -> int:
    return sum(count.sessions for count in own)


def _reports(counts: Counts, number: int) -> bool:
    return any(count.first.month == 3 * number - 2 for own in counts.values() for count in own)
