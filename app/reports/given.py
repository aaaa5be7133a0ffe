"""What posts are held against and do not change: practices, places, and the years that stay with releases.

In turns to write it is kept from one to the next, as long as its edition is the same.
"""

from collections.abc import Mapping
from datetime import date

from sqlmodel import Session

from app.places.register import Municipality, municipalities
from app.practices.definitions import practices
from app.practices.models import PracticePublic
from app.releases.reading import years_kept_by_releases
from app.turn import given

# Rows of these tables are never changed or deleted.
EDITION = (
    "(SELECT max(id) FROM releases)",
    "(SELECT count(*) FROM practices)",
    "(SELECT count(*) FROM live_from)",
    "(SELECT count(*) FROM counties)",
    "(SELECT count(*) FROM municipalities)",
    "(SELECT count(*) FROM residents)",
)


def given_practices(db: Session) -> Mapping[str, PracticePublic]:
    """By slug: every practice as it is defined now."""
    return given(db, "practices", lambda: practices(db))


def given_places(db: Session) -> Mapping[str, Municipality]:
    """By code: every municipality that ever was."""
    return given(db, "places", lambda: municipalities(db))


def given_years(db: Session, practice: str, *, on: date) -> Mapping[str, frozenset[int]]:
    """By county: the years that stay with its latest release on the day `on`."""
    return given(db, ("years", practice, on), lambda: years_kept_by_releases(db, practice, on=on))
