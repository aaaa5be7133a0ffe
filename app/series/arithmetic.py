"""Arithmetic of what may not be known: None stands for that and is never taken for nothing."""

from collections.abc import Collection, Iterable
from datetime import date
from fractions import Fraction
from functools import reduce
from operator import add
from typing import TypeVar

Number = TypeVar("Number", int, Fraction)


def total(values: Iterable[Number | None]) -> Number | None:
    """The sum; None if one of them is, or if there are none."""
    given = list(values)
    known = [value for value in given if value is not None]
    return reduce(add, known) if known and len(known) == len(given) else None


def difference(ours: int | None, theirs: int | None) -> int | None:
    """Ours minus theirs; None if one of them is."""
    return None if ours is None or theirs is None else ours - theirs


def ratio(numerator: int | None, denominator: int | None, times: int = 1) -> Fraction | None:
    """`times` numerator / denominator; None if one of them is, or for a zero divisor."""
    return Fraction(numerator * times, denominator) if numerator is not None and denominator else None


def rounded(value: Fraction | None, decimals: int) -> float | None:
    """Half up, decided on exact integers: as a float 2.675 lies below the half."""
    if value is None:
        return None
    scale: int = 10**decimals
    return (2 * value.numerator * scale + value.denominator) // (2 * value.denominator) / scale


def earliest(days: Collection[date | None]) -> date | None:
    """The first of the days; None if one of them is, or if there are none."""
    known = [day for day in days if day]
    return min(known, default=None) if len(known) == len(days) else None


def same(days: Iterable[date | None]) -> date | None:
    """The day that all of them are, else None."""
    different = set(days)
    return different.pop() if len(different) == 1 else None


def any_of(flags: Collection[bool | None]) -> bool | None:
    """True if one of them is; else None if one of them is."""
    return True if any(flags) else None if None in flags else False
