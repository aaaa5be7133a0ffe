"""What a release says, flat."""

from dataclasses import fields, replace
from datetime import date

from app.releases.figures import Said, said
from app.series.content import Content, ReleasedQuarter
from app.series.figures import ReleasedYear

SHOWN = ReleasedYear(covers=True, municipalities=2, reporting=2, sessions=12, through=date(2023, 12, 31), partial=False)
WITHHELD = replace(SHOWN, sessions=None, withheld=True)


def brief(one: Said) -> tuple[str | None, str, int | None, str | None]:
    return one.area, one.period, one.numbers["sessions"], one.sessions_missing


def test_the_county_comes_first_then_municipalities_by_code_each_by_period() -> None:
    content = Content(
        years={2022: SHOWN, 2023: WITHHELD},
        municipalities={"297": {2023: WITHHELD, 2022: SHOWN}, "140": {2023: SHOWN}},
        quarters={"2023-Q2": ReleasedQuarter(sessions=7, reporting=2, partial=False)},
    )

    assert [brief(one) for one in said(content)] == [
        (None, "2022", 12, None),
        (None, "2023", None, "withheld"),
        (None, "2023-Q2", 7, None),
        ("140", "2023", 12, None),
        ("297", "2022", 12, None),
        ("297", "2023", None, "withheld"),
    ]


def test_nothing_is_said_of_what_the_release_does_not_cover() -> None:
    nothing = ReleasedYear(covers=False, municipalities_in_area=19)

    assert list(said(Content(years={2022: nothing}, municipalities={"297": {2022: nothing}}))) == []


def test_a_quarter_says_what_it_knows_and_why_sessions_are_missing() -> None:
    quarters = {
        "2023-Q1": ReleasedQuarter(sessions=None, reporting=2, partial=False, withheld=True),
        "2023-Q2": ReleasedQuarter(sessions=None, reporting=0, partial=False),
        "2023-Q3": ReleasedQuarter(sessions=None, reporting=2, partial=True),
        "2023-Q4": ReleasedQuarter(sessions=0, reporting=0, partial=True),
    }

    found = list(said(Content(years={}, quarters=quarters)))

    assert [one.sessions_missing for one in found] == ["withheld", "not_reported", None, None]
    assert [one.partial for one in found] == [False, False, True, True]
    assert found[2] == Said(
        area=None,
        period="2023-Q3",
        numbers={"sessions": None, "reporting": 2},
        sessions_missing=None,
        through=None,
        partial=True,
    )


def test_a_year_says_every_number_that_it_counts_and_nothing_that_follows_from_them() -> None:
    [found] = said(Content(years={2023: SHOWN}))

    assert {name for name, value in found.numbers.items() if value is not None} == {
        "municipalities",
        "reporting",
        "sessions",
    }
    assert (found.through, found.partial) == (date(2023, 12, 31), False)
    days_and_flags = {
        "carried",
        "comparable_through",
        "counts_beyond_through",
        "counts_without_active_day",
        "covered_days_in_year",
        "covers",
        "partial",
        "through",
        "withheld",
    }
    assert {*found.numbers, *days_and_flags} == {field.name for field in fields(ReleasedYear)}
