"""Which years a release changes against the one before, and that each change has a reason."""

from dataclasses import fields, replace
from datetime import date
from typing import Any

import pytest

from app.errors import InvalidRequest
from app.publishing.changes import OF_A_PART, changed_years, explained_changes, unexplained
from app.publishing.models import ChangeIn
from app.series.content import Content, ReleasedQuarter
from app.series.figures import ReleasedYear

SAID = ReleasedYear(covers=True, municipalities=8, sessions=94, reporting=8, partial=False)
WITHHELD = replace(SAID, sessions=None, withheld=True)


def content(**years: ReleasedYear) -> Content:
    return Content(years={int(name.removeprefix("of_")): said for name, said in years.items()})


def reason(year: int, kind: Any = "error") -> ChangeIn:
    return ChangeIn(year=year, kind=kind, reason="Counted twice")


def test_every_fact_that_was_said_of_a_year_can_change() -> None:
    bare = ReleasedYear(covers=True)
    days: dict[str, Any] = {"through": date(2023, 3, 27), "comparable_through": date(2023, 3, 31)}
    changed = {
        field.name: changed_years(
            content(of_2021=replace(bare, **{field.name: days.get(field.name, 1)})), content(of_2021=bare)
        )
        for field in fields(ReleasedYear)
        if field.name != "covers"
    }

    # That it was taken over is no fact, and what the counts are like that it is made of is not published.
    unsaid = {"carried", "counts_without_active_day", "counts_beyond_through"}
    assert {name for name, years in changed.items() if not years} == unsaid
    assert {tuple(years) for years in changed.values()} == {(), (2021,)}


def test_what_was_not_said_before_is_no_change_unless_nobody_had_reported() -> None:
    silent = replace(SAID, sessions=None, reporting=None, residents=None)

    assert changed_years(content(of_2021=silent), content(of_2021=replace(SAID, residents=248265))) == []
    assert changed_years(content(of_2021=replace(silent, reporting=8)), content(of_2021=SAID)) == [2021]
    assert changed_years(content(of_2021=replace(silent, reporting=8)), content(of_2021=replace(SAID, sessions=0))) == [
        2021
    ]


def test_what_is_withheld_in_both_has_not_changed_for_anybody() -> None:
    assert changed_years(content(of_2021=WITHHELD), content(of_2021=WITHHELD)) == []
    assert changed_years(content(of_2021=SAID), content(of_2021=WITHHELD)) == [2021]
    assert changed_years(content(of_2021=WITHHELD), content(of_2021=SAID)) == [2021]


def test_a_new_year_is_no_change_and_one_of_which_nothing_is_said_any_more_is() -> None:
    nothing = ReleasedYear(covers=False, municipalities_in_area=19)

    assert changed_years(content(of_2020=SAID), content(of_2020=SAID, of_2021=SAID)) == []
    assert changed_years(content(of_2020=nothing), content(of_2020=SAID)) == []
    assert changed_years(content(of_2020=nothing), content(of_2020=replace(nothing, residents=5))) == []
    assert changed_years(content(of_2022=SAID, of_2021=SAID, of_2020=SAID), content(of_2020=nothing)) == [
        2020,
        2021,
        2022,
    ]


def test_only_the_years_of_the_county_are_compared() -> None:
    before = replace(content(of_2021=SAID), municipalities={"297": {2021: SAID}})
    now = replace(content(of_2021=SAID), quarters={"2021-Q1": ReleasedQuarter(sessions=1, reporting=1, partial=False)})

    assert changed_years(before, now) == []


def test_a_year_that_was_whole_needs_a_reason() -> None:
    before, now = content(of_2021=SAID, of_2022=SAID), content(of_2021=WITHHELD, of_2022=replace(SAID, sessions=95))

    assert unexplained(before, now, []) == [2021, 2022]
    assert unexplained(before, now, [reason(2022)]) == [2021]
    assert unexplained(before, now, [reason(2021), reason(2022)]) == []


@pytest.mark.parametrize(("partial", "explains"), [(True, True), (False, False), (None, False)])
def test_a_year_that_was_partial_explains_itself(partial: bool | None, explains: bool) -> None:
    before, now = content(of_2023=replace(SAID, partial=partial)), content(of_2023=replace(SAID, sessions=105))

    assert unexplained(before, now, []) == ([] if explains else [2023])


def test_each_change_has_the_reason_that_was_given_or_that_it_was_of_a_part() -> None:
    whole, part = SAID, replace(SAID, partial=True)
    before = content(of_2020=whole, of_2021=whole, of_2022=part, of_2023=part)
    now = content(**{f"of_{year}": replace(SAID, sessions=1) for year in (2021, 2022, 2023)}, of_2020=whole)

    changes = explained_changes(before, now, [reason(2023), reason(2021, "revision"), reason(2020)])

    assert changes == [
        reason(2021, "revision"),
        ChangeIn(year=2022, kind="revision", reason=OF_A_PART),
        reason(2023, "error"),
    ]


def test_changes_without_a_reason_are_refused_by_their_years() -> None:
    before, now = content(of_2021=SAID, of_2022=SAID, of_2023=SAID), content(of_2022=SAID)

    with pytest.raises(InvalidRequest) as refused:
        explained_changes(before, now, [])

    assert refused.value.detail == (
        "2021, 2023 will differ from the release before: give the kind (revision or error) and the reason of each"
    )
    assert [error.pointer for error in refused.value.errors] == ["/changes"]
