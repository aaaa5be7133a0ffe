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
            "as_of": "2025-06-30",
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
    "as_of": "2025-07-01T09:00:00.000000Z",
    "dry_run": False,
    "requested_at": "2025-07-01T09:00:00.000000Z",
}

PREPARING = {
    **_DRAFT,
    "state": "preparing",
    "deadline": "2025-07-01T09:10:00.000000Z",
    "finished_at": None,
    "progress": None,
    "reason": None,
    "release": None,
    "report": None,
}

PUBLISHED = {
    **PREPARING,
    "state": "published",
    "finished_at": "2025-07-01T09:00:12.000000Z",
    "release": 2,
    "report": {
        "threshold": 5,
        "tables_found": 0,
        "cost": {"small": 0, "protects_others": 0, "hidden_before": 0},
        "hidden": [],
        "warnings": [],
        "preview": [],
    },
}

DRAFTS = {
    "rows": [{**_DRAFT, "finished_at": "2025-07-01T09:00:12.000000Z", "reason": None, "release": 2}],
    "next": None,
}
