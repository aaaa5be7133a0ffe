"""Whether a county's year speaks by its reports, by its release or not at all."""

from datetime import date

from app.series.facts import County, Release
from app.series.figures import ReleasedYear
from app.series.trend import yearly_trend
from tests.series.examples import BESIDE, END, PUBLISHED, SOURCE, of, part, place, row_of, source_rows, trend, whole


def test_a_live_reading_keeps_to_the_release_as_long_as_no_year_is_live() -> None:
    rows = trend(release=SOURCE, as_of=date(2023, 12, 31))

    assert list(rows.values()) == source_rows()


def test_live_from_gives_a_released_year_to_the_reports_and_sets_both_side_by_side() -> None:
    home = place(whole(2022, 50), part(date(2023, 1, 1), PUBLISHED, 20), since=date(2022, 1, 1))

    rows = trend(home, release=SOURCE, live_from=2023, as_of=PUBLISHED)

    assert of(rows[2022], "basis release_id sessions") + of(rows[2022], BESIDE) == (
        ("release", 1, 105, None, None, None, None, None)
    )
    assert of(rows[2023], "basis release_id published_on sessions change_municipalities") == (
        ("reports", None, None, 20, None)
    )
    assert of(rows[2023], BESIDE) == (15, 23, PUBLISHED, -14, -3)


def test_a_release_reading_does_not_hear_of_live_from() -> None:
    counties = [County("13", (), SOURCE, live_from=2021)]

    rows = yearly_trend(counties, as_of=END, counted=True, residents={}, counties_total=1, read="release")

    assert rows == source_rows()


def test_a_year_that_the_release_skips_states_the_register_of_the_release() -> None:
    skipped = ReleasedYear(covers=False, municipalities_in_area=19, residents=248_000)
    covered = ReleasedYear(covers=True, municipalities=1)
    release = Release(7, PUBLISHED, {2021: covered, 2022: skipped, 2023: covered})

    row = yearly_trend(
        [County("13", (), release)], as_of=END, counted=True, residents={}, counties_total=1, read="release"
    )[1]

    assert row == row_of(2022, basis="none", counties=0, municipalities_in_area=19, residents=248_000, reporting=0)


def test_one_county_states_register_and_residents_also_where_nothing_was_said() -> None:
    home = place(whole(2020, 4), whole(2022, 4))

    row = trend(home, place(code="140"), residents={2020: {"297": 100, "140": 50}})[2021]

    assert row == row_of(
        2021,
        basis="none",
        counties=0,
        municipalities_in_area=2,
        residents=150,
        reporting=0,
        sessions_missing="not_applicable",
    )


def test_of_single_municipalities_a_release_knows_nothing() -> None:
    home = place(whole(2021, 4), whole(2022, 5), since=date(2021, 6, 1))

    rows = trend(home, release=SOURCE, live_from=2022, narrowed=True, as_of=date(2022, 12, 31))

    assert rows[2021] == row_of(2021, release_id=1, published_on=PUBLISHED, basis="release", counties=1)
    assert of(rows[2022], "basis sessions") + of(rows[2022], BESIDE) == ("reports", 5, *(None,) * 5)
