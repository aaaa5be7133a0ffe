from datetime import date

from app.disclosure.cells import Cell
from app.disclosure.views import View
from app.disclosure.witnesses import Aim, furthest


def test_the_first_aim_is_reached_although_another_is_missed_by_more_than_before() -> None:
    first = Cell("005", date(2023, 1, 1), date(2023, 3, 31), 1)
    second = Cell("005", date(2023, 4, 1), date(2023, 6, 30), 2)
    view = View([{first: 1, second: 1}], {}, [])

    table = furthest(view, [], [], Aim(0, "down", 0), [Aim(1, "down", 0)], seconds=10)

    assert table == {0: 0, 1: 3}
