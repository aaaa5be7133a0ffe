"""Strips of municipalities on a scale of years, without a database."""

from datetime import date, timedelta

import pytest
from hypothesis import given, strategies as st

from app.pages.atlas.timeline import WIDTH, Bar, Timeline, timeline
from app.pages.language import Language
from app.pages.reading.standings import Standing, Step
from app.pages.wording import wording
from app.places.register import Municipality

STATUSES = ("planned", "pilot", "in_use", "paused", "ended")
days = st.dates(date(2015, 1, 1), date(2024, 12, 31))


def municipality(code: str, name: str) -> Municipality:
    return Municipality(code, name, name, "13", "11", None, None, None)


def standing(name: str, *steps: tuple[str, str, str]) -> Standing:
    told = [Step(date.fromisoformat(day), status, precision) for day, status, precision in steps]
    return Standing(municipality(name[:3], name), told)


def told(language: Language, *standings: Standing, until: date = date(2024, 6, 30)) -> Timeline:
    found = timeline(wording(language), standings, until=until)
    assert found is not None
    return found


def test_a_status_lasts_until_the_next_one_and_the_last_until_the_day_that_is_read() -> None:
    kuopio = standing("Kuopio", ("2023-01-01", "pilot", "day"), ("2024-01-01", "in_use", "day"))

    strip = told("en", kuopio).strips[0]

    # 731 days of two years, of which 365 and then 182 have passed.
    assert strip.bars == [Bar(0.0, 159.8, "pilot"), Bar(159.8, 79.7, "in_use")]


def test_whoever_came_first_stands_first_and_whoever_only_plans_last() -> None:
    waiting = standing("Vesanto", ("2021-01-01", "planned", "day"))
    late = standing("Ähtäri", ("2020-01-01", "planned", "day"), ("2023-05-01", "in_use", "day"))
    early = standing("Kuopio", ("2022-03-01", "pilot", "day"), ("2024-01-01", "ended", "day"))
    equal = standing("Åbo", ("2023-05-01", "pilot", "day"))
    silent = standing("Tervo")

    found = told("fi", waiting, late, silent, early, equal)

    assert [strip.name for strip in found.strips] == ["Kuopio", "Åbo", "Ähtäri", "Vesanto"]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fi", "2021 suunnitteilla, 3/2022 kokeilussa, 15.1.2023 käytössä"),
        ("sv", "2021 planeras, 3/2022 på försök, 15.1.2023 i bruk"),
        ("en", "2021 planned, Mar 2022 on trial, 15 Jan 2023 in use"),
    ],
)
def test_the_way_is_told_in_words_as_exactly_as_it_is_known(language: Language, words: str) -> None:
    kuopio = standing(
        "Kuopio",
        ("2021-01-01", "planned", "year"),
        ("2022-03-01", "pilot", "month"),
        ("2023-01-15", "in_use", "day"),
    )

    assert told(language, kuopio).strips[0].told == words


def test_a_long_scale_names_some_of_its_years() -> None:
    found = told("fi", standing("Kuopio", ("2015-06-01", "pilot", "day")))

    assert [mark.label for mark in found.marks] == ["2015", "", "2017", "", "2019", "", "2021", "", "2023", ""]


def test_without_a_status_there_is_nothing_to_draw() -> None:
    assert timeline(wording("fi"), [standing("Kuopio")], until=date(2024, 6, 30)) is None


@given(st.lists(st.lists(days, min_size=1, max_size=6, unique=True), min_size=1, max_size=5))
def test_bars_follow_one_another_from_the_first_day_to_the_last_within_the_scale(lives: list[list[date]]) -> None:
    until = max(day for life in lives for day in life) + timedelta(days=3)
    standings = [
        Standing(
            municipality(f"{number:03}", f"Kunta {number}"),
            [Step(day, STATUSES[place % 5]) for place, day in enumerate(sorted(life))],
        )
        for number, life in enumerate(lives)
    ]

    found = told("sv", *standings, until=until)

    begin = date(min(day.year for life in lives for day in life), 1, 1)
    unit = WIDTH / (date(until.year + 1, 1, 1) - begin).days
    by_code = {strip.code: strip.bars for strip in found.strips}
    for standing in standings:
        bars = by_code[standing.place.code]
        ends = [bar.x + bar.width for bar in bars]
        assert [bar.stage for bar in bars] == [step.status for step in standing.steps]
        assert bars[0].x == pytest.approx(unit * (standing.steps[0].day - begin).days, abs=0.06)
        assert ends[:-1] == pytest.approx([bar.x for bar in bars[1:]])
        # The day that is read is over as well.
        assert ends[-1] == pytest.approx(unit * ((until - begin).days + 1), abs=0.06)
