"""What an audit comes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

Rule = Literal[
    "alone",
    "together",
    "small but shown",
    "withheld before",
    "withheld yet stated",
    "not as counted",
    "earlier not as counted",
    "carried over changed",
    "not of all who report",
    "unknown figure",
]
"""Which promise is broken.

alone: a reader of this one release can tell that the cell is none of the values from 0 to the threshold that it must
be able to have. together: a reader of all releases is left with fewer consecutive values than the threshold. The
others are broken by what the release says, whoever reads it.
"""


class NotAudited(Exception):
    """Nothing is known of the release, since the solver gave up or did not say the truth; it must not be stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One cell, or one figure, that breaks a rule; it is for those who publish and tells what is hidden.

    `attacker` is the municipality that can use it, None for everybody; `municipality` is whose cell it is, None for a
    figure of the county. `low` and `high` are what the cell can be to the attacker, or the figure that stands there;
    `high` is None if it can be greater by the threshold or more than it is, or if no figure stands there.
    """

    attacker: str | None
    municipality: str | None
    first: date
    last: date
    low: int
    high: int | None
    rule: Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a release may be published; `tables_found` other tables were shown to fit what it says."""

    passed: bool
    failures: Sequence[Failure]
    tables_found: int
