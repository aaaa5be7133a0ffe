"""What one release says otherwise than another."""

from dataclasses import astuple, replace
from datetime import date

from app.releases.diff import Difference, differences
from app.series.content import Content, ReleasedQuarter
from app.series.figures import ReleasedYear

END = date(2023, 12, 31)
SHOWN = ReleasedYear(covers=True, municipalities=2, reporting=2, sessions=12, through=END, partial=False)
WITHHELD = replace(SHOWN, sessions=None, withheld=True)


def between(before: Content, after: Content) -> list[tuple[object, ...]]:
    """Area, period, field, before, after, and why these are missing."""
    return [astuple(one)[:7] for one in differences(before, after)]


def test_what_is_the_same_or_withheld_in_both_is_no_difference() -> None:
    content = Content(years={2022: WITHHELD, 2023: SHOWN}, municipalities={"297": {2023: WITHHELD}})
    carried = replace(content, years={2022: WITHHELD, 2023: replace(SHOWN, carried=True)})

    assert list(differences(content, content)) == list(differences(content, carried)) == []


def test_each_field_that_differs_is_told_with_both_numbers_in_the_order_of_area_period_and_field() -> None:
    before = Content(
        years={2022: SHOWN, 2023: SHOWN},
        municipalities={"297": {2023: SHOWN}},
        quarters={"2023-Q1": ReleasedQuarter(sessions=3, reporting=1, partial=False)},
    )
    after = Content(
        years={2022: replace(SHOWN, sessions=13, reporting=3), 2023: replace(SHOWN, residents=9)},
        municipalities={"140": {2023: ReleasedYear(covers=True, started=1)}, "297": {2023: replace(SHOWN, sessions=0)}},
        quarters={"2023-Q1": ReleasedQuarter(sessions=4, reporting=1, partial=False)},
    )

    assert between(before, after) == [
        (None, "2022", "reporting", 2, 3, None, None),
        (None, "2022", "sessions", 12, 13, None, None),
        (None, "2023", "residents", None, 9, None, None),
        (None, "2023-Q1", "sessions", 3, 4, None, None),
        ("140", "2023", "started", None, 1, None, None),
        ("297", "2023", "sessions", 12, 0, None, None),
    ]


def test_to_withhold_is_a_difference_and_so_is_another_kind_of_nothing() -> None:
    unreported = replace(SHOWN, sessions=None, reporting=0)

    assert between(Content(years={2023: SHOWN}), Content(years={2023: WITHHELD})) == [
        (None, "2023", "sessions", 12, None, None, "withheld")
    ]
    assert between(Content(years={2023: unreported}), Content(years={2023: WITHHELD})) == [
        (None, "2023", "reporting", 0, 2, None, None),
        (None, "2023", "sessions", None, None, "not_reported", "withheld"),
    ]


def test_what_only_one_of_them_says_is_told() -> None:
    said, silent = Content(years={2023: SHOWN}), Content(years={})

    assert between(said, silent) == [
        (None, "2023", "municipalities", 2, None, None, None),
        (None, "2023", "reporting", 2, None, None, None),
        (None, "2023", "sessions", 12, None, None, None),
        (None, "2023", "through", None, None, None, None),
    ]
    assert [row[3:5] for row in between(silent, said)] == [(None, 2), (None, 2), (None, 12), (None, None)]


def test_the_last_day_counted_is_told_by_the_two_days_beside_every_number() -> None:
    march = replace(SHOWN, sessions=4, through=date(2023, 3, 31))

    found = list(differences(Content(years={2023: march}), Content(years={2023: SHOWN})))

    assert [one.field for one in found] == ["sessions", "through"]
    assert {(one.before_through, one.after_through) for one in found} == {(date(2023, 3, 31), END)}
    assert found[1] == Difference(
        area=None,
        period="2023",
        field="through",
        before=None,
        after=None,
        before_missing=None,
        after_missing=None,
        before_through=date(2023, 3, 31),
        after_through=END,
    )
