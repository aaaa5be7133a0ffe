"""What the guide gives to copy, copied out of Chromium and run with bash and curl against a real server."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from app.pages.language import Language
from app.reports.columns import COLUMNS
from app.reports.models import OUTCOMES
from tests.conftest import ROOT, running_server, sqlite_copy
from tests.reports.workbooks import filled_in

pytestmark = pytest.mark.browser

Receipt = tuple[int | None, dict[str, int]]
"""Its number, and how many rows came to what."""


class Terminal:
    """A person's terminal beside `server`, in a `folder` of its own."""

    def __init__(self, server: str, database_url: str, folder: Path) -> None:
        assert shutil.which("curl"), "these tests need curl; on Debian: apt-get install curl"
        self.said = {"URL": server}
        self.folder = folder
        command = folder / "bin" / "yhdessa"
        command.parent.mkdir()
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m app.cli "$@"\n')
        command.chmod(0o755)
        # Of what a person would see of a refusal only the exit code counts here.
        (folder / ".curlrc").write_text("silent\nshow-error\nfail-with-body\n")
        self.environment = {
            "PATH": f"{command.parent}:/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "CURL_HOME": str(folder),
            "YHDESSA_DATABASE_URL": database_url,
        }

    def run(self, copied: str) -> str:
        """What the lines `copied` print, each of which has to succeed."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", copied],
            env={**self.environment, **self.said},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{copied}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture
def terminal(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Terminal]:
    """A terminal beside a server on which nothing was posted yet."""
    database_url = sqlite_copy(migrated_sqlite, tmp_path)
    with running_server(database_url) as url:
        yield Terminal(url, database_url, tmp_path)


def copied_from_the_guide(browser: Browser, server: str, language: Language) -> list[str]:
    """Each example as a person copies it."""
    page = browser.new_page()
    page.goto(f"{server}/guide?lang={language}")
    examples = page.locator("pre code").all_inner_texts()
    page.close()
    return examples


def receipt_of(printed: str) -> Receipt:
    """The receipt that is `printed`."""
    receipt = json.loads(printed)
    return receipt["id"], {outcome: receipt[outcome] for outcome in OUTCOMES if receipt[outcome]}


def test_the_examples_of_the_guide_do_what_it_says(browser: Browser, terminal: Terminal) -> None:
    first = followed(browser, terminal, "en", receipts=0)
    again = [followed(browser, terminal, "fi", receipts=7), followed(browser, terminal, "sv", receipts=14)]

    assert first == [
        (None, {"created": 4}),
        (1, {"created": 4}),
        (2, {"created": 1}),
        (3, {"created": 2}),
        (4, {"created": 1}),
        (1, {"created": 4}),
        (5, {"corrected": 1}),
        (6, {"retracted": 1}),
        (7, {"retracted": 2}),
    ]
    # Who follows it once more finds what was neither corrected nor taken back at the end of the first time.
    for n, followed_again in enumerate(again, start=1):
        assert followed_again == [
            (None, {"created": 1, "corrected": 1, "unchanged": 2}),
            (7 * n + 1, {"created": 1, "corrected": 1, "unchanged": 2}),
            (7 * n + 2, {"unchanged": 1}),
            (7 * n + 3, {"created": 2}),
            (7 * n + 4, {"unchanged": 1}),
            (7 * n + 1, {"created": 1, "corrected": 1, "unchanged": 2}),
            (7 * n + 5, {"corrected": 1}),
            (7 * n + 6, {"retracted": 1}),
            (7 * n + 7, {"retracted": 2}),
        ]


def followed(browser: Browser, terminal: Terminal, language: Language, *, receipts: int) -> list[Receipt]:
    """What the receipts say that the guide's examples come to, in their order, where there were `receipts` before."""
    key, address, *examples = copied_from_the_guide(browser, terminal.said["URL"], language)
    assert re.fullmatch(r"URL=https://yhdessa\.example\nKEY=\w+\s*", address)
    terminal.said["KEY"] = terminal.run(key).strip()
    printed = []
    for example in examples:
        number = receipts + (3 if "retraction" in example else 1)
        printed.append(terminal.run(re.sub(r"RECEIPT=\w+", f"RECEIPT={number}", example)))
        if "-o yhdessa.xlsx" in example:
            fill_in(terminal.folder / "yhdessa.xlsx", {COLUMNS["sessions"].heading(language): 5})
    about, file, dry, posted, template, *told, due = printed
    assert json.loads(about)["areas"] == ["county:13"]
    assert (file, template) == ("", "")
    assert json.loads(due)["rows"]
    return [receipt_of(one) for one in (dry, posted, *told)]


def fill_in(file: Path, *lines: dict[str, Any]) -> None:
    """Fill in the workbook `file` as a person does."""
    file.write_bytes(filled_in(file.read_bytes(), *lines))
