"""Ranges of bytes, without which Polars reads no CSV from an address."""

import pytest

from tests.conftest import Caller

PATH = "/v1/counties?format=csv"


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=10-", slice(10, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=5-99999", slice(5, None)),
    ],
)
def test_a_range_is_answered_with_its_bytes_and_their_place(anyone: Caller, asked: str, part: slice) -> None:
    whole = anyone.http.get(PATH)

    answer = anyone.http.get(PATH, headers={"Range": asked})

    first, last, _ = part.indices(len(whole.content))
    assert answer.status_code == 206
    assert answer.content == whole.content[part]
    assert answer.headers["Content-Range"] == f"bytes {first}-{last - 1}/{len(whole.content)}"
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert answer.headers["ETag"] == whole.headers["ETag"]


@pytest.mark.parametrize("asked", ["bytes=-", "bytes=9-3", "bytes=999999-", "bytes=0-1,4-5", "rows=0-9", "bytes=a-b"])
def test_what_is_no_single_range_within_the_answer_is_answered_whole(anyone: Caller, asked: str) -> None:
    answer = anyone.http.get(PATH, headers={"Range": asked})

    assert answer.status_code == 200
    assert answer.content == anyone.http.get(PATH).content


def test_a_range_of_an_answer_that_has_changed_is_answered_whole(anyone: Caller) -> None:
    etag = anyone.http.get(PATH).headers["ETag"]

    same = anyone.http.get(PATH, headers={"Range": "bytes=0-9", "If-Range": etag})
    other = anyone.http.get(PATH, headers={"Range": "bytes=0-9", "If-Range": '"other"'})

    assert (same.status_code, other.status_code) == (206, 200)


def test_head_says_the_length_of_the_whole_and_that_ranges_are_answered(anyone: Caller) -> None:
    whole = anyone.http.get(PATH)

    answer = anyone.http.head(PATH, headers={"Range": "bytes=0-9"})

    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Length"] == str(len(whole.content))
