"""The example of docs/disclosure.md is what the protection does."""

import re

from app.disclosure.protection import protect
from app.intruder.audit import audit
from tests.conftest import ROOT
from tests.disclosure.statements import statement

CODES = {"Kuopio": "297", "Siilinjärvi": "749", "Iisalmi": "140", "Varkaus": "915"}
RESIDENTS = {"297": 124_021, "749": 21_303, "140": 20_478, "915": 19_522}
ROW = re.compile(r"^\| (\w+) \| (\d+) \|.*\| (\d+|withheld) \|$", re.MULTILINE)


def test_what_the_example_shows_is_what_is_withheld_and_passes_the_audit() -> None:
    rows = {
        CODES[name]: (int(sessions), said)
        for name, sessions, said in ROW.findall((ROOT / "docs" / "disclosure.md").read_text(encoding="utf-8"))
    }
    new = statement({code: {"2022": sessions} for code, (sessions, _) in rows.items()})

    content = protect(new, [], threshold=5, residents=RESIDENTS, tell=lambda progress: None).content

    assert rows.keys() == set(CODES.values())
    assert content.years[2022].sessions == sum(sessions for sessions, _ in rows.values()) == 24
    assert {
        code: "withheld" if years[2022].withheld else str(years[2022].sessions)
        for code, years in content.municipalities.items()
    } == {code: said for code, (_, said) in rows.items()}
    assert audit(content, new.counts, [], threshold=5, tell=lambda done, total: None).passed
