"""Rows of the yearly trend, to build examples of pages from."""

from datetime import date
from typing import Any

from app.trends.models import TrendRow

_OF_A_COUNTY: dict[str, Any] = {
    "practice": "yhdessa-aika",
    "area_type": "county",
    "area_code": "13",
    "area_name_fi": "Pohjois-Savon hyvinvointialue",
    "year": 2022,
    "basis": "release",
    "counties": 1,
    "counties_total": 1,
    "municipalities_in_area": 19,
    "municipalities": 14,
    "share": 0.7368,
    "sessions": 105,
    "through": date(2022, 12, 31),
    "partial": False,
}

UNDER_WAY: dict[str, Any] = {
    "year": 2023,
    "municipalities": 15,
    "sessions": 23,
    "through": date(2023, 3, 27),
    "partial": True,
    "annual_pace": 97.6,
}

WITHHELD: dict[str, Any] = {"sessions": None, "sessions_missing": "withheld"}

SILENT: dict[str, Any] = {
    "basis": "none",
    "counties": 0,
    "municipalities": None,
    "share": None,
    "sessions": None,
    "through": None,
    "partial": None,
}

PAIR: dict[str, Any] = {
    "comparable_through": date(2023, 2, 28),
    "comparable_municipalities": 8,
    "comparable_sessions": 12,
    "comparable_previous_sessions": 15,
}


def row(**changed: Any) -> TrendRow:
    """What a release says of a county and a whole year, unless `changed`; it does not know the rest."""
    nothing = dict.fromkeys(TrendRow.model_fields)
    return TrendRow.model_validate({**nothing, **_OF_A_COUNTY, **changed})
