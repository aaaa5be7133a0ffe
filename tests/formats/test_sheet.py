"""The neutral form of files that come in."""

import pytest

from app.formats.sheet import Unreadable, column_letters, utf_8_text


@pytest.mark.parametrize(
    ("place", "letters"),
    [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA"), (16_383, "XFD")],
)
def test_columns_are_called_as_in_a_spreadsheet(place: int, letters: str) -> None:
    assert column_letters(place) == letters


@pytest.mark.parametrize("body", [b"\xef\xbb\xbf\xc3\xa4\r\n", b"\xc3\xa4\r\n"])
def test_text_is_utf_8_with_or_without_a_byte_order_mark(body: bytes) -> None:
    assert utf_8_text(body) == "ä\r\n"


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("kunta;päivä".encode("cp1252"), 1),
        ("a\r\nb\rc\nä".encode("cp1252"), 4),
        ("kunta".encode("utf-16"), 1),
        (b"\xef\xbb\xbfa\n\xed\xa0\x80", 2),
    ],
)
def test_other_encodings_are_refused_with_the_line_and_what_to_do(body: bytes, line: int) -> None:
    with pytest.raises(Unreadable) as refused:
        utf_8_text(body)

    said = "the file is not UTF-8; in Excel choose “CSV UTF-8” when you save it"
    assert (refused.value.detail, refused.value.line) == (said, line)


def test_nul_is_refused_with_its_line() -> None:
    with pytest.raises(Unreadable) as refused:
        utf_8_text(b"a\nb\0\0\nc\0")

    assert (refused.value.detail, refused.value.line) == ("the line holds a NUL, which is no text", 2)
