"""The definitions, the guide and the accessibility statement, as they are told to a reader."""

from collections import Counter
from typing import Any, get_args

import pytest
from bs4 import BeautifulSoup

from app.pages.language import LANGUAGES, Language
from app.pages.rendering import rendered
from app.pages.routes import STATEMENT_WRITTEN_ON
from app.pages.view import View
from app.practices.definitions import SHIPPED_PRACTICE
from app.practices.models import TOLD, UNTRANSLATED, PracticePublic
from app.releases.models import ChangeKind, Origin, State
from app.reports.columns import COLUMNS
from app.reports.doubts import ReceiptCode
from app.reports.models import OUTCOMES, Status
from app.series.figures import Missing
from app.settings import Settings
from app.trends.models import TrendRow
from tests.conftest import Caller
from tests.practices.test_definitions import GUIDANCE

# What a row is about, and what stands beside live figures alone, which no page shows.
NO_FIGURES = {
    *("practice", "area_type", "area_code", "area_name_fi", "release_id", "released_on"),
    *("released_municipalities", "released_sessions", "difference_municipalities", "difference_sessions"),
}


def page(name: str, language: Language = "en", **told: Any) -> BeautifulSoup:
    """The page `name` in `language`, of what it is `told`."""
    html = rendered(f"{name}.html", language, view=View(page=name, language=language), **told)
    return BeautifulSoup(html, "html.parser")


def definitions(*practices: PracticePublic, language: Language = "en") -> BeautifulSoup:
    return page("definitions", language, practices=practices)


def guide(language: Language = "en", **settings: Any) -> BeautifulSoup:
    columns = {field: column.heading(language) for field, column in COLUMNS.items()}
    return page("guide", language, settings=Settings(**settings), columns=columns)


def statement(language: Language = "en", **settings: Any) -> BeautifulSoup:
    return page("accessibility", language, settings=Settings(**settings), written_on=STATEMENT_WRITTEN_ON)


def told_of(found: BeautifulSoup, practice: PracticePublic) -> list[str]:
    """What is told of `practice`, line by line, with what stands in another language than the page in brackets."""
    heading = found.find(id=f"practice-{practice.slug}")
    assert heading is not None
    lines = heading.find_next("dl")
    assert lines is not None
    for foreign in lines.find_all(lang=True):
        foreign.replace_with(f"[{foreign['lang']}: {foreign.text}]")
    return [line.text for line in lines.find_all("dd")]


# Definitions.


def test_every_figure_and_word_of_a_row_is_defined_under_the_name_that_the_api_gives_it() -> None:
    found = definitions(SHIPPED_PRACTICE)

    ids = [str(element["id"]) for element in found.find_all(id=True)]
    called = Counter(code.text for code in found.select("dt code"))
    words = {*get_args(Status), *get_args(Missing), *get_args(State), *get_args(Origin), *get_args(ChangeKind)}
    assert [id for id, times in Counter(ids).items() if times > 1] == []
    assert TrendRow.model_fields.keys() - NO_FIGURES - set(ids) == set()
    assert words - called.keys() == set()
    # Two are both: how many municipalities, and where one stands.
    assert {name for name, times in called.items() if times > 1} == {"pilot", "in_use"}
    assert called.keys() - words - TrendRow.model_fields.keys() == {"next_release_on"}


def test_a_practice_is_told_in_the_language_of_the_reader() -> None:
    shipped = SHIPPED_PRACTICE.model_dump()

    found = {language: definitions(SHIPPED_PRACTICE, language=language) for language in LANGUAGES}

    assert {language: told_of(one, SHIPPED_PRACTICE) for language, one in found.items()} == {
        "fi": [shipped[f"{text}_fi"] for text in TOLD],
        "sv": [shipped[f"{text}_sv"] for text in TOLD],
        "en": [shipped[text] for text in TOLD],
    }


def test_what_is_told_in_english_alone_is_marked_as_english() -> None:
    half = SHIPPED_PRACTICE.model_copy(
        update={**UNTRANSLATED, "contact_fi": "Me", "definition_sv": "Modell", "counting_rule": "", "contact": "<We>"}
    )

    assert told_of(definitions(half, language="fi"), half) == [
        f"[en: {half.definition}]",
        "Ei määritelty",
        f"[en: {half.criteria_pilot}]",
        f"[en: {half.criteria_in_use}]",
        "Me",
    ]
    assert told_of(definitions(half, language="sv"), half)[::4] == ["Modell", "[en: <We>]"]


def test_of_a_practice_that_is_not_counted_no_counting_rule_is_told() -> None:
    found = definitions(SHIPPED_PRACTICE, GUIDANCE.model_copy(update={"counting_rule": "Each meeting"}))

    assert told_of(found, GUIDANCE)[1] == (
        "Sessions of this practice are not counted, only where it is on trial or in use."
    )
    assert [heading.text for heading in found.select("#practices h3")] == ["Yhdessä aika", "Guidance and counselling"]


# The guide.


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_guide_lists_every_outcome_warning_and_status(language: Language) -> None:
    listed = [code.text for code in guide(language).select("dt code")]

    refusals = ["401", "403", "409", "422", "429", "503"]
    assert sorted(listed) == sorted([*OUTCOMES, *get_args(ReceiptCode), *get_args(Status), *refusals])


def test_the_guide_says_below_which_number_counts_are_withheld() -> None:
    assert "fewer than 7 sessions of a municipality" in guide(disclosure_threshold=7).text


@pytest.mark.parametrize("make", [guide, statement])
@pytest.mark.parametrize(
    ("contact", "told", "link"),
    [
        ("perhe@example.fi", "Contact: perhe@example.fi", "mailto:perhe@example.fi"),
        ("<The county>, 017 123", "Contact: <The county>, 017 123", None),
        ("Ask at desk @ Kuopio", "Contact: Ask at desk @ Kuopio", None),
        (None, "No address is given here: ask the organisation on whose behalf this service is run.", None),
    ],
)
def test_a_reader_is_told_whom_to_ask(make: Any, contact: str | None, told: str, link: str | None) -> None:
    found = make(contact=contact)

    [paragraph] = [one for one in found.find_all("p") if one.text == told]
    assert [anchor["href"] for anchor in paragraph.find_all("a")] == ([link] if link else [])


# The statement.


@pytest.mark.parametrize(
    ("language", "day", "site", "mail"),
    [
        ("fi", "23. marraskuuta 2026", "www.saavutettavuusvaatimukset.fi", "saavutettavuus@traficom.fi"),
        ("sv", "den 23 november 2026", "www.tillganglighetskrav.fi", "tillganglighet@traficom.fi"),
        ("en", "23 November 2026", "www.webaccessibility.fi", "saavutettavuus@traficom.fi"),
    ],
)
def test_the_statement_names_its_day_and_the_authority_of_today(
    language: Language, day: str, site: str, mail: str
) -> None:
    found = statement(language)

    [authority] = found.select("address")
    assert day in found.text
    assert "306/2019" in found.text
    assert "Traficom" in authority.text
    links = {link.text: link["href"] for link in authority.select("a")}
    assert links == {site: f"https://{site}/", mail: f"mailto:{mail}"}


# As they are answered.


def test_all_three_are_answered_to_anybody_in_every_language(anyone: Caller) -> None:
    answers = {
        (name, language): anyone.get(f"/{name}", lang=language)
        for name in ("definitions", "guide", "accessibility")
        for language in LANGUAGES
    }

    assert {answer.status_code for answer in answers.values()} == {200}
    assert all(f'<html lang="{language}">' in answer.text for (_, language), answer in answers.items())
    assert SHIPPED_PRACTICE.counting_rule_fi in answers["definitions", "fi"].text
    assert "<code>tapaamiset</code>" in answers["guide", "fi"].text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_figure_has_the_same_name_in_every_table_as_in_its_definition(anyone: Caller) -> None:
    for language in LANGUAGES:
        names = {
            entry["id"]: str(entry.contents[0]).strip() for entry in definitions(language=language).select("dt[id]")
        }
        pages = [
            BeautifulSoup(anyone.get(path, lang=language, county=counties).text, "html.parser")
            for path, counties in (("/", "13"), ("/", "country"), ("/compare", ["13", "country"]))
        ]

        headings = {(str(one["data-key"]), one.text.strip()) for page in pages for one in page.select("th[data-key]")}

        figures = {(key, name) for key, name in headings if key in TrendRow.model_fields}
        assert len(figures) > 20
        assert figures - names.items() == set()
