"""What the demo prints: the live trend beside the released one, and what to try next."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from app.demo.breakdown import COUNTY, GUIDANCE, KUOPIO, LAST_MONTH, SESSIONS, correction
from app.demo.installation import Keys

_FIGURES = (
    "munici-\npalities",
    "share",
    "sessions",
    "counted\nuntil",
    "part\nyear",
    "sessions\nper muni-\ncipality",
    "pace,\na year",
)


def show_trend(console: Console, *, live: Mapping[str, Any], released: Mapping[str, Any]) -> None:
    """Print two answers to GET /v1/trends about the same years beside each other, and how to read them."""
    published_on = released["releases"][0]["published_on"]
    console.print("[b]Yhdessä aika in North Savo[/b]")
    console.print(_beside(live, released))
    console.print(
        "[b]live[/b]      what the municipalities have just posted, read with the county's key;\n"
        "          the sums are as published, the split behind them is [b]illustrative[/b]\n"
        f"[b]released[/b]  what North Savo published on {published_on}, read without a key\n"
        "[b]pace[/b]      a plain proportion to the whole year that knows no season\n"
        "[b]-[/b]         a part year is not compared with whole ones, a whole one needs no pace\n"
    )
    console.print("[b]Like for like[/b] ([b]illustrative[/b]): the same municipalities over the same days")
    for row in live["years"]:
        if row["comparable_through"]:
            console.print(_like_for_like(row))
    console.print()


def show_release(
    console: Console,
    draft: Mapping[str, Any],
    *,
    public: Sequence[Mapping[str, Any]],
    live: Sequence[Mapping[str, Any]],
) -> None:
    """Print the sessions by municipality as the public and as the county reads them; rows are those of trends."""
    console.print(f"Release {draft['release']} is public: what anyone reads, and what the county reads with its key")
    years = [str(year) for year in SESSIONS]
    table = Table("sessions", box=box.HORIZONTALS, padding=(0, 1, 0, 0))
    for reader in ("public", "county"):
        for year in years:
            table.add_column(f"{reader}\n{year}", justify="right")
    open_to_all, recorded = _by_area(public), _by_area(live)
    for area, cells in recorded.items():
        if any(cell != "-" for cell in cells):
            table.add_row(area, *open_to_all[area], *cells)
    console.print(table)
    console.print(
        "[b]withheld[/b]  below five, or needed so that nobody can work out one that is, not even another\n"
        "          municipality, which knows its own figures; docs/disclosure.md says how\n"
        "[b]-[/b]         the practice was not in use there\n"
    )


def show_addresses(console: Console, *, url: str, keys: Keys) -> None:
    """Print where to look, and commands to paste."""
    trend = f"{url}/v1/trends?county={COUNTY}"
    console.print(f"[b]The page[/b] for who decides, out of the release:\n{url}/?county={COUNTY}\n", soft_wrap=True)
    console.print(f"[b]Swagger UI[/b] (Authorize takes the keys that stand below):\n{url}/docs\n", soft_wrap=True)
    _show_curl(console, "The public trend, out of the release; no key:", f"{trend}&to_year={max(SESSIONS)}")
    _show_curl(
        console,
        "The same by municipality as CSV, for a spreadsheet or a BI tool:",
        f"{trend}&by=municipality&to_year={max(SESSIONS)}&format=csv",
    )
    _show_curl(
        console,
        "The live trend, with the county's key:",
        f"{trend}&to_year={max(SESSIONS)}",
        _header("Authorization", f"Bearer {keys.county}"),
    )
    _show_curl(
        console,
        "Posting as Kuopio: one session more ([b]illustrative[/b]); the live trend shows it:",
        f"{url}/v1/session-counts/yhdessa-aika/{KUOPIO}/{LAST_MONTH}",
        "-X PUT",
        _header("Authorization", f"Bearer {keys.municipalities[KUOPIO]}"),
        _header("Content-Type", "application/json"),
        f"-d '{json.dumps(correction())}'",
    )
    _show_curl(
        console,
        f"Who has another practice, {GUIDANCE}, on trial ([b]illustrative[/b]); no key:",
        f"{url}/v1/statuses?practice={GUIDANCE}&format=csv",
    )


def _beside(live: Mapping[str, Any], released: Mapping[str, Any]) -> Table:
    table = Table("year", "", box=box.HORIZONTALS, padding=(0, 1, 0, 0))
    for name in _FIGURES:
        table.add_column(name, justify="right")
    for ours, theirs in zip(live["years"], released["years"], strict=True):
        table.add_row(str(ours["year"]), "live", *_figures(ours), style="bold")
        table.add_row("", "released", *_figures(theirs))
        difference = str(ours["difference_municipalities"]), "", str(ours["difference_sessions"])
        table.add_row("", "difference", *difference, end_section=True)
    return table


def _figures(row: Mapping[str, Any]) -> list[str]:
    return [
        f"{row['municipalities']} of {row['municipalities_in_area']}",
        f"{row['share']:.0%}",
        str(row["sessions"]),
        f"{date.fromisoformat(row['through']):%d %b}",
        "yes" if row["partial"] else "no",
        _decimals(row["sessions_per_municipality"], 2),
        _decimals(row["annual_pace"], 1),
    ]


def _decimals(number: float | None, places: int) -> str:
    return "-" if number is None else f"{number:.{places}f}"


def _like_for_like(row: Mapping[str, Any]) -> str:
    return (
        f"{row['year'] - 1} and {row['year']} to {date.fromisoformat(row['comparable_through']):%d %B}: "
        f"{row['comparable_previous_sessions']} and {row['comparable_sessions']} sessions in "
        f"{row['comparable_municipalities']} of {row['municipalities']} municipalities"
    )


def _by_area(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, list[str]]:
    """By name of the area: its sessions in each of the years that were published, in words where there are none."""
    said = {(row["area_name_fi"], row["year"]): _sessions(row) for row in rows}
    areas = dict.fromkeys(row["area_name_fi"] for row in rows)
    return {area: [said.get((area, year), "-") for year in SESSIONS] for area in areas}


def _sessions(row: Mapping[str, Any]) -> str:
    if row["sessions"] is not None:
        return str(row["sessions"])
    return {"withheld": "withheld", "not_reported": "none yet"}.get(row["sessions_missing"], "-")


def _header(name: str, value: str) -> str:
    return f"-H '{name}: {value}'"


def _show_curl(console: Console, what: str, url: str, *options: str) -> None:
    """Print a command that works as it is pasted: no line is broken, and nothing in it is read as markup."""
    console.print(what)
    console.print(" \\\n  ".join([f"curl '{url}'", *options]), style="cyan", markup=False, soft_wrap=True)
    console.print()
