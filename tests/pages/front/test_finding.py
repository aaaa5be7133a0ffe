"""The sentences that stand first: what is said, in which words, and what is never said."""

from collections.abc import Sequence
from datetime import date
from itertools import product
from typing import Any

import pytest

from app.pages.front.finding import finding, like_for_like, pace
from app.pages.language import Language
from app.pages.reading.standings import Standing, Step
from app.pages.wording import wording
from app.places.register import Municipality
from app.trends.models import TrendRow
from tests.pages.trend_rows import PAIR, SILENT, UNDER_WAY, WITHHELD, row


def said(*rows: TrendRow, language: Language = "en", counted: bool = True, standings: Sequence[Standing] = ()) -> str:
    """All sentences."""
    return " ".join(finding(wording(language), rows, standings, counted=counted))


def standing(code: str, *statuses: str) -> Standing:
    place = Municipality(code, code, code, "13", None, None, None, None)
    return Standing(place, [Step(date(2022, 1, 1), status) for status in statuses])


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        (
            "en",
            "15 of 19 municipalities had the practice on trial or in use in 2023. 23 sessions were counted by 27 March "
            "2023; the figures cover only that part of the year.",
        ),
        (
            "fi",
            "Vuonna 2023 toimintamalli oli kokeilussa tai käytössä 15 kunnassa (kuntia oli kaikkiaan 19). "
            "27. maaliskuuta 2023 mennessä kirjattiin 23 tapaamista; luvut koskevat vain tätä osaa vuodesta.",
        ),
        (
            "sv",
            "År 2023 var verksamhetsmodellen på försök eller i bruk i 15 av 19 kommuner. 23 möten registrerades till "
            "och med den 27 mars 2023; uppgifterna gäller endast den delen av året.",
        ),
    ],
)
def test_a_year_that_is_not_over_is_told_with_its_last_day_and_not_compared(language: Language, sentences: str) -> None:
    rows = [row(), row(**UNDER_WAY, change_municipalities=1)]

    assert said(*rows, language=language) == sentences


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        (
            "en",
            "14 of 19 municipalities had the practice on trial or in use in 2022. That is 6 more than the year before. "
            "105 sessions were counted. That is 11 fewer than the year before.",
        ),
        (
            "fi",
            "Vuonna 2022 toimintamalli oli kokeilussa tai käytössä 14 kunnassa (kuntia oli kaikkiaan 19). Se on 6 "
            "enemmän kuin vuotta aiemmin. Kirjattiin 105 tapaamista. Se on 11 vähemmän kuin vuotta aiemmin.",
        ),
        (
            "sv",
            "År 2022 var verksamhetsmodellen på försök eller i bruk i 14 av 19 kommuner. Det är 6 fler än året innan. "
            "105 möten registrerades. Det är 11 färre än året innan.",
        ),
    ],
)
def test_a_whole_year_is_compared_with_a_whole_year(language: Language, sentences: str) -> None:
    rows = [row(year=2021), row(change_municipalities=6, change_sessions=-11)]

    assert said(*rows, language=language) == sentences


def test_only_whole_years_are_compared_by_their_changes() -> None:
    for before, now, change in product([True, False, None], [True, False, None], [-3, 0, 3]):
        rows = [
            row(year=2021, partial=before),
            row(partial=now, change_municipalities=change, change_sessions=change),
        ]

        compared = said(*rows).count("year before")

        assert compared == (2 if before is False and now is False else 0), (before, now, change)
    assert "year before" not in said(row(change_municipalities=6, change_sessions=11))
    years = [row(year=2020, partial=True), row(year=2021), row(change_sessions=-11)]
    assert said(*years).endswith("That is 11 fewer than the year before.")


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        (
            "en",
            "In the 8 municipalities that can be compared, the number of sessions from the beginning of the year to "
            "28 February 2023 was 12; in the same days a year before it was 15.",
        ),
        (
            "fi",
            "Niissä 8 kunnassa, joita voi verrata, tapaamisia oli 12 vuoden alusta 28. helmikuuta 2023 asti; samana "
            "aikana vuotta aiemmin niitä oli 15.",
        ),
        (
            "sv",
            "I de 8 kommuner som kan jämföras var antalet möten 12 från årets början till och med den 28 februari "
            "2023; under samma tid året innan var det 15.",
        ),
    ],
)
def test_a_part_year_is_compared_over_the_same_municipalities_and_days(language: Language, sentence: str) -> None:
    under_way = row(**UNDER_WAY, **PAIR)

    assert said(row(), under_way, language=language).endswith(f" {sentence}")
    assert like_for_like(wording(language), under_way) == sentence
    assert like_for_like(wording(language), row()) is None


def test_whole_years_that_miss_reports_are_compared_over_the_same_municipalities_and_days() -> None:
    rows = [row(year=2021), row(**PAIR, coverage=0.5)]

    assert said(*rows).endswith("a year before it was 15.")
    assert said(rows[0], row(**PAIR, change_sessions=2)).endswith("That is 2 more than the year before.")


ACTIVE = "14 of 19 municipalities had the practice on trial or in use in 2022."


@pytest.mark.parametrize(
    ("changed", "sentences"),
    [
        ({}, f"{ACTIVE} 105 sessions were counted."),
        ({"sessions": 1}, f"{ACTIVE} 1 session was counted."),
        ({"sessions": 0}, f"{ACTIVE} No sessions were counted."),
        ({"sessions": 1250}, f"{ACTIVE} 1,250 sessions were counted."),
        (WITHHELD, f"{ACTIVE} The number of sessions is withheld, so that small numbers cannot be worked out."),
        (
            {"sessions": None, "sessions_missing": "not_reported"},
            f"{ACTIVE} The number of sessions has not been reported.",
        ),
        ({"sessions": None}, f"{ACTIVE} The number of sessions is not known."),
        (
            {"municipalities": 0, "sessions": None, "sessions_missing": "not_applicable"},
            "None of the 19 municipalities had the practice on trial or in use in 2022.",
        ),
        (
            {"municipalities": 19},
            "All 19 municipalities had the practice on trial or in use in 2022. 105 sessions were counted.",
        ),
        (
            {"municipalities": 1, "municipalities_in_area": 1},
            "The only municipality of the area had the practice on trial or in use in 2022. 105 sessions were counted.",
        ),
        (
            {"municipalities": 0, "municipalities_in_area": 1, "sessions": None, "sessions_missing": "not_applicable"},
            "The only municipality of the area did not have the practice on trial or in use in 2022.",
        ),
        (
            {"municipalities": 1, "municipalities_in_area": None},
            "1 municipality had the practice on trial or in use in 2022. 105 sessions were counted.",
        ),
        (
            {"municipalities": 20},
            "20 municipalities had the practice on trial or in use in 2022. 105 sessions were counted.",
        ),
        (
            {"municipalities": None},
            "It is not known how many municipalities had the practice on trial or in use in 2022. 105 sessions were "
            "counted.",
        ),
        ({"coverage": 0.9999}, f"{ACTIVE} 105 sessions were counted. Some reports are missing."),
        # A rate by residents is there unless reports are missing, be they so few that the coverage is rounded to 1.
        ({"coverage": 1.0, "residents": 248_265}, f"{ACTIVE} 105 sessions were counted. Some reports are missing."),
        (
            {"coverage": 1.0, "residents": 248_265, "sessions_per_1000_residents": 0.423},
            f"{ACTIVE} 105 sessions were counted.",
        ),
        ({"coverage": 1.0}, f"{ACTIVE} 105 sessions were counted."),
        (
            {"partial": True, "through": None},
            f"{ACTIVE} 105 sessions were counted. The figures do not cover the whole year.",
        ),
        (
            {"partial": True, "annual_pace": 105.0},
            f"{ACTIVE} 105 sessions were counted by 31 December 2022; the figures cover only that part of the year.",
        ),
        ({"partial": True}, f"{ACTIVE} 105 sessions were counted. The figures do not cover the whole year."),
        (
            {"partial": True, "through": date(2022, 5, 31)},
            f"{ACTIVE} 105 sessions were counted. All figures reach at least to 31 May 2022, but "
            "not all to the end of the year.",
        ),
        (
            {"partial": True, "through": date(2022, 5, 31), "annual_pace": 0.0, "sessions": 0},
            f"{ACTIVE} No sessions were counted by 31 May 2022; the figures cover only that part of the year.",
        ),
        (
            {
                "partial": True,
                "through": date(2022, 5, 31),
                "annual_pace": 300.0,
                "counties": 2,
                "counties_total": 22,
            },
            f"{ACTIVE} The figures come from 2 of 22 wellbeing services counties. 105 sessions were counted. All "
            "figures reach at least to 31 May 2022, but not all to the end of the year.",
        ),
        (
            {**SILENT, "counties_total": 22, "sessions_missing": "withheld"},
            "The sessions of 2022 are withheld in every county that has published them, so that there is no sum.",
        ),
    ],
)
def test_the_latest_year_is_told_as_far_as_it_is_known(changed: dict[str, Any], sentences: str) -> None:
    assert said(row(**changed)) == sentences


def test_a_practice_without_counting_has_no_sessions_to_miss() -> None:
    not_counted = "Sessions of this practice are not counted."

    assert said(row(sessions=None), counted=False) == f"{ACTIVE} {not_counted}"
    assert said(row(), counted=False) == f"{ACTIVE} 105 sessions were counted."
    assert "withheld" in said(row(**WITHHELD), counted=False)


def test_the_latest_year_of_which_anything_was_published_is_told() -> None:
    silent = row(**{**SILENT, "year": 2023})

    assert said(row(), silent) == said(row())
    assert said(row(**{**SILENT, "year": 2023, "sessions_missing": "withheld"})) != said(silent)


def test_where_nothing_was_published_the_statuses_are_told() -> None:
    nothing = "No figures of this practice have been published for this area yet."
    places = [standing("140"), standing("297", "pilot", "in_use"), standing("778", "planned"), standing("263", "pilot")]

    assert said() == nothing
    assert said(row(**SILENT)) == nothing
    assert said(standings=places[:1]) == nothing
    assert said(standings=places) == (
        f"{nothing} By the statuses that are recorded, 2 of 4 municipalities have it on trial or in use."
    )


def test_the_only_municipality_is_not_said_to_be_as_many_as_before() -> None:
    only = {"municipalities": 1, "municipalities_in_area": 1, "change_municipalities": 0}

    assert "as many" not in said(row(year=2021), row(**only))
    assert "as many" in said(row(year=2021), row(change_municipalities=0))


def test_the_pace_is_a_plain_proportion() -> None:
    assert pace(wording("fi"), row(**UNDER_WAY)) == (
        "Samaa tahtia tapaamisia kertyisi koko vuonna 2023 yhteensä 97,6. Tämä on pelkkä suhteutus, joka ei ota "
        "huomioon vuodenaikoja."
    )
    assert pace(wording("fi"), row()) is None


def test_a_change_of_municipalities_is_told_beside_their_number_and_not_behind_that_of_counties() -> None:
    years = [row(year=2021, counties=2, counties_total=22)]
    years.append(row(counties=2, counties_total=22, change_municipalities=6))

    assert finding(wording("en"), years, [], counted=True)[:3] == [
        ACTIVE,
        "That is 6 more than the year before.",
        "The figures come from 2 of 22 wellbeing services counties.",
    ]
