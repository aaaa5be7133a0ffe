"""How the areas of a release are named in flat rows, and which of them is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from app.errors import parameter_problem
from app.places.register import counties, municipalities, municipality_code

AREA_PATTERN = r"^([0-9]{2}|(KU)?[0-9]{3})$"


@dataclass(frozen=True, slots=True)
class Names:
    """The Finnish names of the release's `county` and of every municipality, by code."""

    county: str
    known: Mapping[str, str]

    def of(self, area: str | None) -> dict[str, Any]:
        """The columns that name the municipality `area`; None is the county."""
        code = area or self.county
        return {
            "area_type": "municipality" if area else "county",
            "area_code": code,
            "area_name_fi": self.known[code],
        }

    def asked(self, text: str) -> str:
        """The code that `text` asks for.

        Raises:
            InvalidParameter: it is neither the county nor a municipality.
        """
        code = municipality_code(text)
        if code not in self.known:
            raise parameter_problem("area", f"{text} is neither county {self.county} of the release nor a municipality")
        return code


def names_of(db: Session, county: str, moment: datetime | None) -> Names:
    """The names as known at `moment`; None is now."""
    places = {code: place.name_fi for code, place in municipalities(db, moment).items()}
    return Names(county, {county: counties(db, moment)[county].name_fi, **places})
