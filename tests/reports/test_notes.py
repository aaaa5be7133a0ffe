"""Notes: which words are refused, where they are kept, and that they can go."""

import hashlib
from collections.abc import Sequence

import pytest
from fastapi import FastAPI
from sqlalchemy import delete
from sqlmodel import col

from app.database import Database
from app.reports.notes import holds_personal_identity_code
from app.reports.tables import Note
from tests.conftest import Caller, count, status
from tests.reports.stored import stored

COUNT = "/v1/session-counts/yhdessa-aika/297/2022-03"
# The example of the Digital and Population Data Services Agency: nobody's.
NOBODYS = "131052-308T"


def check_character(digits: str) -> str:
    """The check character of a code whose day, month, year and individual number are `digits`."""
    return "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(digits) % 31]


@pytest.mark.parametrize("sign", "+-YXWVUABCDEF")
def test_a_code_of_every_century_is_found(sign: str) -> None:
    code = f"010305{sign}123{check_character('010305123')}"

    found = [holds_personal_identity_code(text) for text in (code, code.lower(), f"(see {code})")]

    assert found == [True, True, True]


@pytest.mark.parametrize("individual", ["002", "123", "899", "900", "999"])
def test_a_code_of_every_individual_number_is_found_also_a_temporary_one(individual: str) -> None:
    code = f"131052-{individual}{check_character('131052' + individual)}"

    assert holds_personal_identity_code(code)


def test_only_the_right_one_of_31_check_characters_is_found() -> None:
    codes = [f"131052-308{character}" for character in "0123456789ABCDEFHJKLMNPRSTUVWXY"]

    assert [code for code in codes if holds_personal_identity_code(code)] == [NOBODYS]


@pytest.mark.parametrize(
    "text",
    [
        "131052 - 308T",
        "1 3 1 0 5 2 - 3 0 8 T",
        "131052-\n308T",
        "131052\t-\t308T",
        "131052\u00a0-\u202f308T",
        "131052\u2010308T",
        "131052\u2011308T",
        "131052\u2012308T",
        "131052\u2013308T",
        "131052\u2014308T",
        "131052\u2212308T",
        "131052\ufe63308T",
        "131052\uff0d308T",
        "131052\u00ad-308T",
        "131052\u200b-\u200b308T",
        "131052-\u2060308\ufeffT",
        "\uff11\uff13\uff11\uff10\uff15\uff12-308T",
        "Perhe131052-308Tperui",
        "9131052-308T9",
        "010101-0101 ja 131052-308T",
    ],
)
def test_spaces_dashes_and_words_around_do_not_hide_a_code(text: str) -> None:
    assert holds_personal_identity_code(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "131052-308U",
        "310252-308Y",
        "131052-001A",
        "131052308T",
        "131052/308T",
        "131052Z308T",
        "131052-308",
        "131052-30",
        "Diary 2022-03-13, room 308T",
        "+358 50 131 0523",
        "FI21 1234 5600 0007 85",
    ],
)
def test_what_is_no_code_is_not_taken_for_one(text: str) -> None:
    assert not holds_personal_identity_code(text)


def test_a_code_is_refused_in_every_note_and_told_to_nobody(kuopio: Caller) -> None:
    note = f"asked by {NOBODYS}"
    kuopio.post([count("297", "2022-03", 7)])

    posted = kuopio.post(
        [count("297", "2022-04", 1), count("297", "2022-05", 1, note=note)],
        [status("297", "2022", "pilot", note=note)],
    )
    put = kuopio.put(COUNT, {"sessions": 8, "note": note})
    retracted = kuopio.delete(COUNT, reason=note)

    detail = "holds a personal identity code; leave it out, nobody needs it here"
    assert [answer.status_code for answer in (posted, put, retracted)] == [422, 422, 422]
    assert posted.json()["errors"] == [
        {"pointer": "/counts/1/note", "detail": detail, "row": 1},
        {"pointer": "/statuses/0/note", "detail": detail, "row": 0},
    ]
    assert put.json()["errors"] == [{"pointer": "/note", "detail": detail}]
    assert retracted.json()["errors"] == [{"parameter": "reason", "detail": detail}]
    assert NOBODYS not in posted.text + put.text + retracted.text
    assert [row["sessions"] for row in kuopio.get("/v1/session-counts").json()["rows"]] == [7]


def test_a_code_with_a_wrong_check_character_is_words_like_others(kuopio: Caller) -> None:
    note = "room 131052-308U"

    posted = kuopio.post([count("297", "2022-03", 7, note=note)], [status("297", "2022", "pilot", note=note)])
    retracted = kuopio.delete(COUNT, reason=note)

    assert (posted.status_code, retracted.status_code) == (201, 200)
    assert [row["note"] for row in kuopio.get(f"{COUNT}/history").json()["rows"]] == [note, note]


def test_a_note_has_at_most_500_characters_and_no_nul(kuopio: Caller) -> None:
    longest = kuopio.put(COUNT, {"sessions": 7, "note": "ä" * 500})
    too_long = kuopio.put(COUNT, {"sessions": 8, "note": "ä" * 501})
    nul = kuopio.put(COUNT, {"sessions": 8, "note": "a\0b"})
    reasons = [kuopio.delete(COUNT, reason=reason) for reason in ("ä" * 501, "a\0b", "")]

    assert (longest.status_code, too_long.status_code, nul.status_code) == (201, 422, 422)
    assert [error["pointer"] for answer in (too_long, nul) for error in answer.json()["errors"]] == ["/note", "/note"]
    assert [answer.status_code for answer in reasons] == [422, 422, 422]
    assert [answer.json()["errors"][0]["parameter"] for answer in reasons] == ["reason", "reason", "reason"]
    assert kuopio.get(COUNT).json()["sessions"] == 7


def test_a_note_stands_apart_from_its_entry_which_holds_a_salted_hash(app: FastAPI, kuopio: Caller) -> None:
    kuopio.post(
        [count("297", "2022-03", 7, note="one was missing"), count("297", "2022-04", 7, note="one was missing")]
    )
    kuopio.post([count("297", "2022-05", 7), count("297", "2022-06", 7, note="")])

    notes, hashes = stored(app, "notes"), note_hashes(app)

    assert [(note["list"], note["entry"], note["text"]) for note in notes] == [
        ("counts", 1, "one was missing"),
        ("counts", 2, "one was missing"),
    ]
    assert hashes == [hashlib.sha256((note["salt"] + note["text"]).encode()).hexdigest() for note in notes] + [None] * 2
    assert len(set(hashes)) == 3


def test_a_note_can_be_erased_and_nothing_else_changes(app: FastAPI, kuopio: Caller) -> None:
    kuopio.post([count("297", "2022-03", 7, note="one was missing")])
    before, hashes = kuopio.get(f"{COUNT}/history").json(), note_hashes(app)

    database: Database = app.state.database
    with database.writing() as db:
        db.exec(delete(Note).where(col(Note.entry) == 1))

    before["rows"][0]["note"] = None
    assert kuopio.get(f"{COUNT}/history").json() == before
    assert note_hashes(app) == hashes != [None]


def test_the_note_of_an_unchanged_row_does_not_count(app: FastAPI, kuopio: Caller) -> None:
    kuopio.post([count("297", "2022-03", 7, note="first")], [status("297", "2022", "pilot", note="first")])

    again = kuopio.post([count("297", "2022-03", 7, note="second")], [status("297", "2022", "pilot", note="second")])

    assert again.json()["unchanged"] == 2
    assert [note["text"] for note in stored(app, "notes")] == ["first", "first"]


def note_hashes(app: FastAPI) -> Sequence[str | None]:
    """What each entry of a count holds of its note."""
    return [entry["note_hash"] for entry in stored(app, "count_entries")]
