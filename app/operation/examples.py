"""Examples that the contract shows; a test compares them with what is answered."""

CONFIG = {
    "version": "0.1.0",
    "api": "v1",
    "languages": ["fi", "sv", "en"],
    "licence": {"name": "CC BY 4.0", "url": "https://creativecommons.org/licenses/by/4.0/"},
    "contact": None,
    "limits": {
        "max_body_bytes": 1_048_576,
        "max_rows": 10_000,
        "requests_per_minute": 600,
        "failed_keys_per_minute": 20,
    },
}

METRICS = """\
# HELP yhdessa_build The version of the product that runs; always 1
# TYPE yhdessa_build gauge
yhdessa_build{version="0.1.0"} 1.0
"""
"""How the metrics begin."""
