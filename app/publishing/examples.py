"""Examples that the contract and Swagger UI show; a test sends every one of them and compares what is answered."""

from typing import Any

PUBLICATIONS: dict[str, Any] = {
    "a county": {
        "summary": "The years of a county",
        "value": {
            "county": "13",
            "state": "preliminary",
            "title": "Yhdessä aika in North Savo",
            "source": "The wellbeing services county of North Savo, client information system",
            "next_release_on": "2026-02-01",
        },
    },
    "a correction": {
        "summary": "Also by municipality and quarter, and why a year differs from what was published",
        "value": {
            "county": "13",
            "as_of": "2025-07-05",
            "state": "final",
            "title": "Yhdessä aika in North Savo, corrected",
            "source": "The wellbeing services county of North Savo, client information system",
            "municipalities": True,
            "quarters": True,
            "changes": [
                {"year": 2024, "kind": "error", "reason": "The sessions of one municipality were counted twice"}
            ],
        },
    },
}

_DRAFT = {
    "id": 1,
    "state": "published",
    "practice": "yhdessa-aika",
    "county": "13",
    "title": "Yhdessä aika in North Savo",
    "as_of": "2025-07-04T09:00:00.000000Z",
    "dry_run": False,
    "requested_at": "2025-07-04T09:00:00.000000Z",
}

_YEAR = {
    "sessions": None,
    "withheld": False,
    "reporting": None,
    "partial": False,
    "coverage": None,
    "comparable_sessions": None,
    "comparable_previous_sessions": None,
}
_CARRIED = {**_YEAR, "carried": True}
_REPORTED = {**_YEAR, "municipalities": 1, "coverage": 1.0, "carried": False}

PREPARING = {
    **_DRAFT,
    "state": "preparing",
    "deadline": "2025-07-04T09:10:00.000000Z",
    "finished_at": None,
    "progress": None,
    "reason": None,
    "release": None,
    "report": None,
}

PUBLISHED = {
    **PREPARING,
    "state": "published",
    "finished_at": "2025-07-04T09:00:00.000001Z",
    "release": 2,
    "report": {
        "threshold": 5,
        "tables_found": 0,
        "cost": {"small": 0, "protects_others": 1, "hidden_before": 0},
        "hidden": [{"area": None, "period": "2024", "why": "protects others"}],
        "warnings": [
            "2024: the county's total is withheld, so the county is in no sum of the country that year",
            "publishing records that the county's reports speak from 2024 on (live_from)",
        ],
        "preview": [
            {**_CARRIED, "year": 2021, "municipalities": 8, "sessions": 94, "through": "2021-12-31"},
            {**_CARRIED, "year": 2022, "municipalities": 14, "sessions": 105, "through": "2022-12-31"},
            {**_CARRIED, "year": 2023, "municipalities": 15, "sessions": 23, "through": "2023-03-27", "partial": True},
            {**_REPORTED, "year": 2024, "withheld": True, "reporting": 2, "through": "2024-12-31"},
            {**_REPORTED, "year": 2025, "sessions": 9, "reporting": 1, "through": "2025-05-31", "partial": True},
        ],
    },
}

DRAFTS = {
    "rows": [{**_DRAFT, "finished_at": "2025-07-04T09:00:00.000001Z", "reason": None, "release": 2}],
    "next": None,
}
