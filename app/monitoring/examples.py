"""Examples that the contract shows; a test compares them with what is answered."""

from typing import Any

_ABOUT = {
    "practice": "yhdessa-aika",
    "municipality": "297",
    "municipality_name_fi": "Kuopio",
    "municipality_name_sv": "Kuopio",
    "county": "13",
}

COMPLETENESS: dict[str, Any] = {
    "as_of": "2025-07-01",
    "practice": "yhdessa-aika",
    "year": 2024,
    "due_day": 20,
    "rows": [
        {
            **_ABOUT,
            "month": "2024-03",
            "active_days": 31,
            "covered": "whole",
            "covered_by": "2024-03",
            "reported_at": "2025-06-02T09:05:00.000000Z",
            "days_after_end": 428,
            "due_on": "2024-04-20",
            "state": "late",
        }
    ],
    "totals": [
        {
            "county": "13",
            "county_name_fi": "Pohjois-Savon hyvinvointialue",
            "county_name_sv": "Norra Savolax välfärdsområde",
            "months_due": 11,
            "reported": 1,
            "on_time": 0,
            "reporting_rate": 0.0909,
            "on_time_rate": 0.0,
        }
    ],
}

DUE: dict[str, Any] = {
    "as_of": "2025-07-01",
    "practice": "yhdessa-aika",
    "rows": [
        {
            **_ABOUT,
            "what": "sessions",
            "month": "2025-06",
            "due_on": "2025-07-20",
            "overdue": False,
            "days_overdue": 0,
        }
    ],
}

QUALITY: dict[str, Any] = {
    "as_of": "2025-07-02",
    "practice": "yhdessa-aika",
    "rows": [
        {
            **_ABOUT,
            "municipality": "140",
            "municipality_name_fi": "Iisalmi",
            "municipality_name_sv": "Idensalmi",
            "code": "no_active_status",
            "period": "2024-03",
            "date": None,
            "entry": 6,
            "figure": 0,
            "low": None,
            "high": None,
            "detail": "140 has no status pilot or in_use on any day counted in 2024-03",
        }
    ],
}
