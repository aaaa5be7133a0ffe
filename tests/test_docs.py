"""What the documents say, held against what there is."""

import re
from typing import get_args

from app.reports.doubts import MEANINGS, QualityCode, ReceiptCode
from app.settings import PREFIX, Settings
from tests.conftest import ROOT


def test_every_setting_is_listed_and_no_other() -> None:
    rows = [line for line in (ROOT / "docs" / "running.md").read_text().splitlines() if line.startswith(f"| `{PREFIX}")]

    named = [name for row in rows for name in re.findall(rf"`{PREFIX}([A-Z_]+)`", row.split("|")[1])]

    assert sorted(named) == sorted(name.upper() for name in (*Settings.model_fields, "database_url_file"))


def test_the_guide_for_who_posts_lists_every_code_where_it_is_said() -> None:
    guide = (ROOT / "docs" / "posting.md").read_text()

    listed = dict(re.findall(r"^\| `([a-z_]+)` \| ([a-z, ]+) \| ", guide, re.MULTILINE))

    assert {code for code, where in listed.items() if "receipt" in where} == {*get_args(ReceiptCode)}
    assert {code for code, where in listed.items() if "quality" in where} == {*get_args(QualityCode)}
    assert listed.keys() == MEANINGS.keys()


def test_every_document_that_is_linked_is_there() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]

    broken = [
        (document.name, target)
        for document in documents
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text())
        if not (document.parent / target).exists()
    ]

    assert broken == []
