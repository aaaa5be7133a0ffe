"""Every text of the pages is said in Finnish and Swedish, and nothing is translated that no page says."""

import re
from collections.abc import Collection
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import app.pages
from app.pages.language import LANGUAGES, Language
from app.pages.wording import wording

PAGES = Path(app.pages.__file__).parent
TRANSLATED = [language for language in LANGUAGES if language != "en"]
EXTRACTORS = [("**.py", "python"), ("**.html", "jinja2.ext.babel_extract")]
NAMED = re.compile(r"%\((\w+)\)\w|%%")

Id = str | tuple[str, ...]


def said_on_pages() -> set[Id]:
    """Every text, one with a plural as a pair, that a template or a module says."""
    options = {"**.html": {"trimmed": "true", "silent": "false"}}
    found = extract_from_dir(PAGES, EXTRACTORS, options, keywords={"gettext": None, "ngettext": (1, 2)})
    return {id_of(message) for _file, _line, message, *_ in found}


def translated(language: str) -> list[Message]:
    """Every text of the catalogues in `language`."""
    files = sorted((PAGES / "texts" / language).glob("*.po"))
    catalogs = [read_po(BytesIO(file.read_bytes()), locale=language) for file in files]
    return [message for catalog in catalogs for message in catalog if message.id]


def id_of(said: Id | Collection[str]) -> Id:
    return said if isinstance(said, str) else tuple(said)


def forms(said: Any) -> list[str]:
    """What is said, with a plural both of it."""
    return [said] if isinstance(said, str) else list(said)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_of_the_pages_is_translated_once_and_no_other(language: str) -> None:
    ids: list[Id] = [
        message.id if isinstance(message.id, str) else tuple(message.id) for message in translated(language)
    ]

    assert len(ids) == len(set(ids))
    assert set(ids) ^ said_on_pages() == set()


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_translation_says_something_and_all_that_is_to_be_named(language: str) -> None:
    wrong = [
        message.id
        for message in translated(language)
        if message.fuzzy
        or len(forms(message.string)) != len(forms(message.id))
        or {frozenset(NAMED.findall(form)) for form in forms(message.string)}
        != {frozenset(NAMED.findall(form)) for form in forms(message.id)}
        or not all(forms(message.string))
    ]

    assert wrong == []


@pytest.mark.parametrize(
    ("language", "number", "share", "day", "short_day"),
    [
        ("fi", "12 345,5", "78,9 %", "27. maaliskuuta 2023", "27.3.2023"),
        ("sv", "12 345,5", "78,9 %", "27 mars 2023", "27.3.2023"),
        ("en", "12,345.5", "78.9%", "27 March 2023", "27 Mar 2023"),
    ],
)
def test_numbers_shares_and_days_are_written_as_people_write_them(
    language: Language, number: str, share: str, day: str, short_day: str
) -> None:
    words = wording(language)

    assert words.number(12345.5).replace("\N{NO-BREAK SPACE}", " ") == number
    assert words.share(15, 19).replace("\N{NO-BREAK SPACE}", " ") == share
    assert words.day(date(2023, 3, 27)) == day
    assert words.short_day(date(2023, 3, 27)) == short_day


def test_a_share_is_rounded_once_and_half_up() -> None:
    words = wording("en")

    assert [words.share(1, 8, decimals=0), words.share(1, 8), words.share(2, 3), words.share(0, 3)] == [
        "13%",
        "12.5%",
        "66.7%",
        "0.0%",
    ]


def test_names_stand_in_the_order_of_the_finnish_alphabet() -> None:
    names = ["Ähtäri", "Ylöjärvi", "Åbo", "Äänekoski", "Öja", "Aura"]

    assert sorted(names, key=wording("fi").alphabetical) == ["Aura", "Ylöjärvi", "Åbo", "Ähtäri", "Äänekoski", "Öja"]
