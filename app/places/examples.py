"""Examples that the contract shows; a test compares them with what is answered."""

COUNTIES = {
    "as_of": "2025-07-01",
    "on": "2025-07-01",
    "rows": [
        {
            "code": "13",
            "name_fi": "Pohjois-Savon hyvinvointialue",
            "name_sv": "Norra Savolax välfärdsområde",
            "name_en": "North Savo wellbeing services county",
            "kind": "county",
            "municipalities": 19,
        }
    ],
}

MUNICIPALITIES = {
    "as_of": "2025-07-01",
    "on": None,
    "rows": [
        {
            "code": "297",
            "name_fi": "Kuopio",
            "name_sv": "Kuopio",
            "county": "13",
            "region": "11",
            "valid_from": None,
            "valid_to": None,
            "successor": None,
        }
    ],
}
