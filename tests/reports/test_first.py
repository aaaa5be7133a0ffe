"""Posting."""

from tests.conftest import Caller, count, status


def test_a_count_is_created_then_unchanged_then_corrected(kuopio: Caller) -> None:
    first = kuopio.post([count("297", "2022-03", 7)])
    again = kuopio.post([count("297", "2022-03", 7)])
    other = kuopio.post([count("297", "2022-03", 8)])

    assert [answer.json()["rows"][0]["outcome"] for answer in (first, again, other)] == [
        "created",
        "unchanged",
        "corrected",
    ]


def test_live(north_savo: Caller) -> None:
    north_savo.post([count("297", "2024-03", 7)], [status("297", "2024", "pilot")])
    rows = north_savo.get("/v1/trends", county="13").json()["years"]
    assert rows[-1]["sessions"] == 7
