"""Whole-number programs, solved by HiGHS: the only place that knows scipy, which comes with the extra `publish`."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Row(NamedTuple):
    """A condition: `least` ≤ the sum of the unknowns, each times its number here, ≤ `most`."""

    times: Mapping[int, int]
    least: float
    most: float


class NotSolved(Exception):
    """The solver gave up, or its time was over; nothing is known."""


def cheapest(
    cost: Sequence[float], rows: Sequence[Row], upper: Sequence[float], *, seconds: float = 60.0
) -> list[int] | None:
    """The whole numbers from 0 to `upper` that satisfy `rows` at the least cost; None if none do.

    What comes back was rounded from floating-point numbers: whoever relies on it has to put it into the rows again.

    Raises:
        NotSolved: after so many `seconds`, or for numbers that the solver cannot handle.
    """
    import numpy
    from scipy.optimize import Bounds, LinearConstraint, milp  # type: ignore[import-untyped]
    from scipy.sparse import csr_array  # type: ignore[import-untyped]

    places = [(number, unknown, times) for number, row in enumerate(rows) for unknown, times in row.times.items()]
    numbers, unknowns, values = zip(*places, strict=True) if places else ((), (), ())
    matrix = csr_array((values, (numbers, unknowns)), shape=(len(rows), len(cost)))
    constraints = LinearConstraint(matrix, [row.least for row in rows], [row.most for row in rows]) if rows else ()
    found: Any = milp(
        numpy.asarray(cost, dtype=float),
        integrality=numpy.ones(len(cost)),
        bounds=Bounds(0, numpy.asarray(upper, dtype=float)),
        constraints=constraints,
        # HiGHS is content with one part in ten thousand, which is more than the lightest cost beside the heaviest.
        options={"time_limit": seconds, "mip_rel_gap": 0.0},
    )
    if found.status == 2:
        return None
    if found.x is None or found.status != 0:
        raise NotSolved(str(found.message))
    return [round(value) for value in found.x]
