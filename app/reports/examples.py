"""Examples that Swagger UI offers; a test sends every one of them to the server."""

from typing import Any

SUBMISSIONS: dict[str, Any] = {
    "counts and a status": {
        "summary": "A month of two municipalities, and the status of one",
        "value": {
            "counts": [
                {"municipality": "297", "period": "2022-03", "sessions": 7},
                {
                    "municipality": "KU140",
                    "period": "2022-03",
                    "sessions": 0,
                    "note": "Nobody asked for a session",
                },
            ],
            "statuses": [{"municipality": "297", "date": "2021-02", "status": "pilot"}],
        },
    },
    "part of a year": {
        "summary": "A year counted up to a day",
        "value": {"counts": [{"municipality": "297", "period": "2023", "sessions": 9, "through": "2023-03-27"}]},
    },
    "a year in place of its months": {
        "summary": "A year that supersedes the months posted before",
        "value": {"counts": [{"municipality": "297", "period": "2022", "sessions": 41, "replace": True}]},
    },
}

COUNTS: dict[str, Any] = {
    "a whole period": {"summary": "A period that is over", "value": {"sessions": 7}},
    "with a note": {
        "summary": "With a note for key holders",
        "value": {"sessions": 8, "note": "One was missing"},
    },
    "part of a period": {
        "summary": "Counted up to a day",
        "value": {"sessions": 3, "through": "2022-03-15"},
    },
}

STATUSES: dict[str, Any] = {
    "on trial": {"summary": "A pilot begins", "value": {"status": "pilot"}},
    "in use": {
        "summary": "In use from this day on",
        "value": {"status": "in_use", "note": "Decision of the board"},
    },
}
