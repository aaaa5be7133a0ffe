"""Examples that the contract shows; a test compares them with what is answered."""

from app.releases.examples import RELEASE
from app.trends.models import ReleaseUsed, TrendRow

_SAID = {
    "practice": "yhdessa-aika",
    "area_type": "county",
    "area_code": "13",
    "area_name_fi": "Pohjois-Savon hyvinvointialue",
    "release_id": 1,
    "published_on": "2023-03-27",
    "year": 2023,
    "basis": "release",
    "counties": 1,
    "counties_total": 1,
    "municipalities_in_area": 19,
    "municipalities": 15,
    "share": 0.7895,
    "sessions": 23,
    "through": "2023-03-27",
    "partial": True,
    "residents": 248190,
    "change_municipalities": 1,
    "annual_pace": 97.6,
}

TREND = {
    "practice": "yhdessa-aika",
    "area": {
        "type": "county",
        "code": "13",
        "name_fi": "Pohjois-Savon hyvinvointialue",
        "name_sv": "Norra Savolax välfärdsområde",
        "name_en": "North Savo wellbeing services county",
    },
    "read": "release",
    "as_of": "2025-07-01",
    "releases": [{field: RELEASE[field] for field in ReleaseUsed.model_fields}],
    # Null is what a release of county totals cannot say.
    "years": [{field: _SAID.get(field) for field in TrendRow.model_fields}],
}
"""The last year of what `GET /v1/trends?county=13` answers on a fresh install."""
