"""Examples that the contract and Swagger UI show; a test sends every one of them and compares what is answered."""

from collections.abc import Sequence
from typing import Any

from app.errors import documented_headers
from app.formats.delimited import MEDIA_TYPE as CSV
from app.formats.workbook import MEDIA_TYPE as XLSX
from app.reports.json_lines import MEDIA_TYPE as NDJSON
from app.reports.models import OUTCOMES
from app.web.answers import JSON

SUBMISSIONS: dict[str, Any] = {
    "counts and a status": {
        "summary": "A month of two municipalities, and the status of one",
        "value": {
            "counts": [
                {"municipality": "297", "period": "2024-03", "sessions": 7},
                {"municipality": "KU140", "period": "2024-03", "sessions": 0, "note": "Nobody asked for a session"},
            ],
            "statuses": [{"municipality": "297", "date": "2024-02", "status": "pilot"}],
        },
    },
    "part of a year": {
        "summary": "A year counted up to a day",
        "value": {"counts": [{"municipality": "297", "period": "2025", "sessions": 9, "through": "2025-05-31"}]},
    },
    "a year in place of its months": {
        "summary": "A year that supersedes the months posted before",
        "value": {"counts": [{"municipality": "297", "period": "2024", "sessions": 41, "replace": True}]},
    },
}

_CSV = {
    "as a Finnish Excel saves it": {
        "summary": "Semicolons, Finnish headings and days",
        "value": (
            "kunta;jakso;tapaamiset;saakka;huomautus\r\n"
            "297;2025;9;31.5.2025;\r\n"
            "140;2024M03;0;;Nobody asked for a session\r\n"
        ),
    },
    "counts and a status": {
        "summary": "A line is a count or a status",
        "value": (
            "municipality,period,sessions,date,status\r\n297,2024-03,7,,\r\n140,2024-03,0,,\r\n297,,,2024-02,pilot\r\n"
        ),
    },
}
_NDJSON = {
    "counts and a status": {
        "summary": "A row of `counts` or of `statuses` on each line",
        "value": (
            '{"municipality": "297", "period": "2024-03", "sessions": 7}\n'
            '{"municipality": "297", "date": "2024-02", "status": "pilot"}\n'
        ),
    },
}
_TEMPLATE_FILLED_IN = {
    "a template": {
        "summary": "A template, once it is filled in",
        # Not as an externalValue, which Swagger UI would load at once, without the key.
        "value": "(the bytes that GET /v1/submissions/template?format=xlsx&period=2024-03 answers, filled in)",
    }
}
SUBMISSION_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        JSON: {"schema": {"$ref": "#/components/schemas/SubmissionIn"}, "examples": SUBMISSIONS},
        CSV: {"schema": {"type": "string"}, "examples": _CSV},
        NDJSON: {"schema": {"type": "string"}, "examples": _NDJSON},
        XLSX: {"schema": {"type": "string", "contentMediaType": XLSX}, "examples": _TEMPLATE_FILLED_IN},
    },
}
TEMPLATE: dict[str, Any] = {
    "description": "The file; an excerpt. The CSV begins with a byte order mark",
    "headers": documented_headers({"Content-Disposition": "That it is a file to keep, and its name"}),
    "content": {
        CSV: {
            "schema": {"type": "string"},
            "example": (
                "municipality;municipality_name;practice;period;sessions;through;note\r\n"
                "140;Iisalmi;yhdessa-aika;2024M03;;;\r\n"
            ),
        },
        XLSX: {"schema": {"type": "string", "contentMediaType": XLSX}, "examples": _TEMPLATE_FILLED_IN},
    },
}

COUNTS: dict[str, Any] = {
    "a whole period": {"summary": "A period that is over", "value": {"sessions": 7}},
    "with a note": {"summary": "With a note for key holders", "value": {"sessions": 8, "note": "One was missing"}},
    "part of a period": {"summary": "Counted up to a day", "value": {"sessions": 3, "through": "2024-03-15"}},
}

STATUSES: dict[str, Any] = {
    "on trial": {"summary": "A pilot begins", "value": {"status": "pilot"}},
    "in use": {
        "summary": "In use from this day on",
        "value": {"status": "in_use", "note": "Decision of the board"},
    },
}

_PLACE = {
    "practice": "yhdessa-aika",
    "municipality": "297",
    "municipality_name_fi": "Kuopio",
    "municipality_name_sv": "Kuopio",
    "reported_as": "297",
    "county": "13",
}

COUNT = {
    **_PLACE,
    "period": "2024-03",
    "first_day": "2024-03-01",
    "last_day": "2024-03-31",
    "through": None,
    "sessions": 8,
    "entry": 2,
    "organisation": "North Savo",
    "recorded_at": "2025-06-03T09:00:00.000000Z",
}
COUNTS_PAGE = {"as_of": "2025-07-01", "rows": [COUNT], "next": None}
COUNT_HISTORY = {
    "as_of": "2025-07-01",
    "rows": [
        {
            "entry": 1,
            "outcome": "created",
            "sessions": 7,
            "through": None,
            "recorded_at": "2025-06-02T09:05:00.000000Z",
            "submission": 2,
            "organisation": "North Savo",
            "note": None,
        },
        {
            "entry": 2,
            "outcome": "corrected",
            "sessions": 8,
            "through": None,
            "recorded_at": "2025-06-03T09:00:00.000000Z",
            "submission": 3,
            "organisation": "North Savo",
            "note": "One was missing",
        },
    ],
}

STATUS = {
    **_PLACE,
    "date": "2024-02-01",
    "date_precision": "day",
    "status": "in_use",
    "entry": 2,
    "recorded_at": "2025-06-03T09:05:00.000000Z",
}
STATUSES_PAGE = {"as_of": "2025-07-01", "rows": [STATUS], "next": None}
STATUS_HISTORY = {
    "as_of": "2025-07-01",
    "rows": [
        {
            "entry": 1,
            "outcome": "created",
            "status": "pilot",
            "date_precision": "day",
            "recorded_at": "2025-06-02T09:00:00.000000Z",
            "submission": 1,
            "organisation": "North Savo",
            "note": None,
        },
        {
            "entry": 2,
            "outcome": "corrected",
            "status": "in_use",
            "date_precision": "day",
            "recorded_at": "2025-06-03T09:05:00.000000Z",
            "submission": 4,
            "organisation": "North Savo",
            "note": "Decision of the board",
        },
    ],
}


RETRACTION: dict[str, Any] = {
    "wrong month": {"summary": "Posted for the wrong month", "value": {"reason": "It was April"}}
}


def _row(list_name: str, outcome: str, entry: int | None, index: int = 0) -> dict[str, Any]:
    return {
        "list": list_name,
        "index": index,
        "outcome": outcome,
        "entry": entry,
        "superseded": [],
        "warnings": [],
        "errors": [],
    }


def _receipt(
    number: int | None, received_at: str, rows: Sequence[dict[str, Any]], retracts: int | None = None
) -> dict[str, Any]:
    outcomes = [row["outcome"] for row in rows]
    return {
        "id": number,
        "received_at": f"2025-{received_at}:00.000000Z",
        "organisation": "North Savo",
        "retracts": retracts,
        **{kind: outcomes.count(kind) for kind in OUTCOMES},
        "rows": rows,
        "previous_hash": number and "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
        "hash": number and "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35",
    }


def _submission(number: int | None, entries: Sequence[int | None]) -> dict[str, Any]:
    """What is answered to the first of SUBMISSIONS."""
    kuopio, iisalmi, pilot = entries
    detail = "140 has no status pilot or in_use on any day counted in 2024-03"
    warnings = [{"code": "no_active_status", "detail": detail}]
    rows = [
        _row("counts", "created", kuopio),
        {**_row("counts", "created", iisalmi, 1), "warnings": warnings},
        _row("statuses", "created", pilot),
    ]
    return _receipt(number, "07-02T09:00", rows)


STATUS_CREATED = {**_receipt(1, "06-02T09:00", [_row("statuses", "created", 1)]), "previous_hash": "0" * 64}
COUNT_CREATED = _receipt(2, "06-02T09:05", [_row("counts", "created", 1)])
COUNT_CORRECTED = _receipt(3, "06-03T09:00", [_row("counts", "corrected", 2)])
STATUS_CORRECTED = _receipt(4, "06-03T09:05", [_row("statuses", "corrected", 2)])
COUNT_RETRACTED = _receipt(6, "07-01T09:05", [_row("counts", "retracted", 4)])
STATUS_RETRACTED = _receipt(7, "07-01T09:10", [_row("statuses", "retracted", 3)])
SUBMISSION_RECORDED = _submission(8, [5, 6, 4])
SUBMISSION_RETRACTED = _receipt(
    9,
    "07-02T09:05",
    [_row("counts", "retracted", 7), _row("counts", "retracted", 8, 1), _row("statuses", "retracted", 5)],
    retracts=8,
)
RECEIPTS = {
    "rows": [
        {
            **{name: value for name, value in STATUS_CORRECTED.items() if name not in ("organisation", "rows")},
            "key": "k3n8v2qz",
            "retracted_by": None,
        }
    ],
    "next": None,
}
DRY_RUN = _submission(None, [None, None, None])
