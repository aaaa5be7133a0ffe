"""Examples that the contract shows; a test compares them with what is answered."""

RELEASE = {
    "id": 1,
    "practice": "yhdessa-aika",
    "county": "13",
    "published_on": "2023-03-27",
    "state": "preliminary",
    "title": "Yhdessä aika -toimintamallin kehityskaari",
    "source": (
        "Jos haluat mennä nopeasti, mene yksin – Jos haluat mennä pitkälle, mene Yhdessä. "
        "Family-centre project of North Savo, 27 March 2023."
    ),
    "url": None,
    "note": (
        "Municipalities where the practice is in use or on trial, and sessions recorded. The source gives no last day "
        "for 2023; its own date is used."
    ),
    "origin": "imported",
    "as_of": None,
    "threshold": None,
    "next_release_on": None,
    "municipalities": False,
    "quarters": False,
}

RELEASES = {"as_of": "2025-07-01", "rows": [RELEASE], "next": None}

RELEASE_WITH_CHANGES = {**RELEASE, "changes": []}

FIGURES = {
    "release": RELEASE,
    "rows": [
        {
            "release_id": 1,
            "practice": "yhdessa-aika",
            "area_type": "county",
            "area_code": "13",
            "area_name_fi": "Pohjois-Savon hyvinvointialue",
            "period": "2021",
            "sessions": 94,
            "sessions_missing": None,
            "through": "2021-12-31",
            "partial": False,
            "municipalities": 8,
            "reporting": None,
        }
    ],
}

DIFFERENCES = {"before": RELEASE, "after": RELEASE, "rows": []}
