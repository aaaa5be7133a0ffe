"""What can be asked for when a county publishes."""

import json
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from app.publishing.models import ChangeIn, PublicationIn
from tests.publishing.published import ASKED, publication

WHY = {"year": 2022, "kind": "error", "reason": "Counted twice"}


def test_what_need_not_be_said_is_nothing() -> None:
    asked = publication()

    assert (asked.practice, asked.as_of, asked.url, asked.note, asked.next_release_on) == (
        "yhdessa-aika",
        None,
        None,
        None,
        None,
    )
    assert (asked.municipalities, asked.quarters, asked.changes) == (False, False, [])


def test_it_comes_back_as_it_was_out_of_what_is_kept_of_it() -> None:
    asked = publication(
        next_release_on="2025-01-31", quarters=True, changes=[WHY], note="Ennakkotieto", as_of="2024-05-01"
    )

    assert asked.next_release_on == date(2025, 1, 31)
    assert asked.changes == [ChangeIn(year=2022, kind="error", reason="Counted twice")]
    assert PublicationIn.model_validate(json.loads(json.dumps(asked.model_dump(mode="json")))) == asked


@pytest.mark.parametrize(
    "changed",
    [
        {"county": 13},
        {"county": "1"},
        {"practice": "Yhdessä aika"},
        {"as_of": 2024},
        {"as_of": "2" * 41},
        {"state": "draft"},
        {"title": ""},
        {"title": "x" * 301},
        {"title": "Anna 131052-308T"},
        {"source": "x" * 1001},
        {"source": "131052-308T"},
        {"note": "x" * 1001},
        {"note": "131052-308T"},
        {"url": "javascript:alert(1)"},
        {"next_release_on": "31.1.2025"},
        {"next_release_on": 1706745600},
        {"municipalities": "true"},
        {"municipalities": 1},
        {"quarters": 0},
        {"changes": [WHY, WHY]},
        {"changes": [{**WHY, "year": "2022"}]},
        {"changes": [{**WHY, "year": 2014}]},
        {"changes": [{**WHY, "kind": "mistake"}]},
        {"changes": [{**WHY, "reason": ""}]},
        {"changes": [{**WHY, "reason": "131052-308T"}]},
        {"changes": [{**WHY, "because": ""}]},
        {"published_on": "2024-05-15"},
    ],
)
def test_what_is_malformed_is_refused(changed: dict[str, Any]) -> None:
    (name,) = changed

    with pytest.raises(ValidationError) as refused:
        PublicationIn.model_validate({**ASKED, **changed})

    assert {error["loc"][0] for error in refused.value.errors()} == {name}


@pytest.mark.parametrize("name", ["county", "state", "title", "source"])
def test_what_must_be_said_must_be_said(name: str) -> None:
    with pytest.raises(ValidationError, match="Field required"):
        PublicationIn.model_validate({key: value for key, value in ASKED.items() if key != name})
