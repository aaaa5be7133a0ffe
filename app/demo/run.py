"""`yhdessa demo`: the main job, from the first post to the trend, on a database and a server of its own."""

import signal
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from shutil import get_terminal_size
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.client import Client
from app.demo.breakdown import COUNTY, RELEASE, SESSIONS, Report, breakdown
from app.demo.installation import Keys, install
from app.demo.server import Server, running_server
from app.demo.show import show_addresses, show_release, show_trend
from app.settings import Settings

_WIDTH = 100

_INTRODUCTION = """\
[b]Yhdessä aika[/b] is a Finnish family-centre practice. On 27 March 2023 North Savo published, year by year, in how \
many of its municipalities it was on trial or in use and how many sessions were recorded. Here the municipalities post \
these figures month by month. Who held how many sessions when was never published: that split is [b]illustrative[/b].
"""


def run_demo(*, port: int, once: bool) -> None:
    """Show the main job and serve until Ctrl-C; with `once`, end after showing. Port 0 is a free one.

    Raises:
        OSError: the port is taken, or the server does not serve.
        app.client.Refused: the server refused a report.
    """
    # Who ends this process by the usual signal ends the server with it, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(highlight=False, width=min(_WIDTH, get_terminal_size((_WIDTH, 24)).columns))
    console.print(_INTRODUCTION)
    console.print("Starting a server on a database of its own ...")
    reports = breakdown()
    with TemporaryDirectory(prefix="yhdessa-demo-") as folder:
        settings = Settings(database_url=f"sqlite:///{folder}/demo.db")
        keys = install(settings, {report.municipality for report in reports})
        with running_server(settings.database_url, port=port, log=Path(folder) / "server.log") as server:
            _post(server.url, keys, reports, console)
            _show(server.url, keys, console)
            _publish(server.url, keys, console)
            show_addresses(console, url=server.url, keys=keys)
            if once:
                console.print("Without --once these addresses answer until Ctrl-C.")
            else:
                _serve(server, console)
    console.print("Stopped; the demo's database is gone.")


def _post(url: str, keys: Keys, reports: Sequence[Report], console: Console) -> None:
    """Post every report with the key of its municipality."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with ExitStack() as opened, Progress(*columns, console=console) as progress:
        clients = {code: opened.enter_context(_client(url, key)) for code, key in keys.municipalities.items()}
        posting = progress.add_task("", total=len(reports))
        for report in reports:
            progress.update(posting, description=f"Posting {report.month}")
            clients[report.municipality].submit(counts=report.counts, statuses=report.statuses)
            progress.advance(posting)
    console.print(f"{len(clients)} municipalities posted {len(reports)} reports over HTTP, each with its own key.\n")


def _show(url: str, keys: Keys, console: Console) -> None:
    with _client(url, keys.county) as county, _client(url) as anyone:
        live = county.trend(county=COUNTY, to_year=max(SESSIONS))
        released = anyone.trend(county=COUNTY, to_year=max(SESSIONS))
    show_trend(console, live=live, released=released)


def _publish(url: str, keys: Keys, console: Console) -> None:
    """Have the county publish what it has, and show what the public reads beside what the county reads."""
    with _client(url, keys.county) as county, _client(url) as anyone:
        console.print("The county publishes this with the figures of its municipalities; small ones are protected ...")
        draft = county.publish(RELEASE)
        views = [
            reader.trend(county=COUNTY, to_year=max(SESSIONS), **more)
            for reader in (anyone, county)
            for more in ({"by": "municipality"}, {})
        ]
    show_release(console, draft, public=_rows(views[:2]), live=_rows(views[2:]))


def _rows(views: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [row for view in views for row in view["years"]]


def _serve(server: Server, console: Console) -> None:
    console.print(f"Serving until Ctrl-C; what the server says goes to {server.log}", soft_wrap=True)
    with suppress(KeyboardInterrupt):
        server.wait()


def _client(url: str, key: str | None = None) -> Client:
    # With a transport of its own it asks no proxy that the environment names for what runs on this machine.
    return Client(url, key, transport=httpx.HTTPTransport())
