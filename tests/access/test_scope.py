"""Areas and the municipalities in them."""

import re
from datetime import date

import pytest

from app.access.models import Action
from app.access.scope import AREA_PATTERN, Caller, NotAllowed, Scope
from app.places.register import Municipality
from tests.conftest import NOW

KUOPIO = Municipality("297", "Kuopio", "Kuopio", "13", "11", None, None, None)
IISALMI = Municipality("140", "Iisalmi", "Idensalmi", "13", "11", None, None, None)
PERTUNMAA = Municipality("588", "Pertunmaa", "Pertunmaa", "12", "10", None, date(2024, 12, 31), "507")
BRANDO = Municipality("035", "Brändö", "Brändö", None, "21", None, None, None)
ALL = (KUOPIO, IISALMI, PERTUNMAA, BRANDO)


@pytest.mark.parametrize(
    ("areas", "covered"),
    [
        ([], []),
        (["municipality:297"], [KUOPIO]),
        (["county:13"], [KUOPIO, IISALMI]),
        (["county:12"], [PERTUNMAA]),
        (["municipality:035", "county:12"], [PERTUNMAA, BRANDO]),
        (["country"], [*ALL]),
    ],
)
def test_a_scope_covers_the_municipalities_of_its_areas(areas: list[str], covered: list[Municipality]) -> None:
    scope = Scope(frozenset(areas))

    assert [place for place in ALL if scope.covers(place)] == covered
    assert scope.covers_all(covered)
    assert scope.covers_all(ALL) is (len(covered) == len(ALL))


def test_areas_are_written_in_one_way() -> None:
    good = ["country", "county:13", "municipality:005"]
    bad = [
        "Country",
        "county",
        "county:1",
        "county:130",
        "county:None",
        "municipality:5",
        "municipality:KU005",
        "country:13",
        "county:١٣",
    ]

    assert [area for area in good + bad if re.fullmatch(AREA_PATTERN, area)] == good


@pytest.mark.parametrize(
    ("actions", "areas", "reads"),
    [
        ([Action.READ], ["county:13"], True),
        ([Action.READ, Action.REPORT], ["municipality:297", "municipality:140"], True),
        ([Action.REPORT], ["county:13"], False),
        ([Action.READ], ["municipality:297"], False),
    ],
)
def test_who_reads_must_have_the_action_and_cover_every_place(
    actions: list[Action], areas: list[str], reads: bool
) -> None:
    assert caller(actions, areas).reads([KUOPIO, IISALMI]) is reads


def test_an_action_that_is_missing_is_refused_with_what_the_key_may_do() -> None:
    caller([Action.READ, Action.PUBLISH], ["country"]).require(Action.READ)

    with pytest.raises(NotAllowed, match=r"^this needs a key with the action report; this key may: publish, read$"):
        caller([Action.READ, Action.PUBLISH], ["country"]).require(Action.REPORT)
    with pytest.raises(NotAllowed, match=r"this key may: nothing$"):
        caller([], ["country"]).require(Action.READ)


def caller(actions: list[Action], areas: list[str]) -> Caller:
    return Caller("abcd1234", "test", NOW, 1, "Kuopio", frozenset(actions), Scope(frozenset(areas)))
