"""Run the service and what it stands on: `serve`, `demo`, `migrate`, `openapi`."""

import gc
import json
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from app.cli.telling import mistakes_told, said
from app.cli.working import opened
from app.clock import system_clock
from app.main import VERSION, create_app, openapi
from app.measures.workers import share_between
from app.schema import migrate as migrate_database, require_schema
from app.settings import DEFAULT_DATABASE_URL, read_settings
from app.tracing.switch import tracing_to
from app.web.connections import GuardedConnection, patience_of
from app.web.requests_log import configure_logging

_OBJECTS_BETWEEN_LOOKS = 50_000


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer")] = 1,
) -> None:
    """Run the server. The embedded SQLite default is migrated first; any other database must be migrated already."""
    with mistakes_told():
        settings = read_settings()
        tracing_to(settings.otlp_endpoint, version=VERSION).stop()
        with opened(settings) as database:
            if settings.database_url == DEFAULT_DATABASE_URL:
                migrate_database(database, system_clock, tell=said.print)
            require_schema(database)
    share_between(workers)
    _run(
        uvicorn.Config(
            "app.cli.serving:served",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            # A class with some of its arguments, which uvicorn calls as it would call the class.
            http=partial(GuardedConnection, patience=patience_of(settings)),  # type: ignore[arg-type]
            log_config=None,
            access_log=False,
            server_header=False,
            # Else uvicorn takes the address of the caller out of what any caller on this machine writes;
            # app.web.addresses does it for the proxies that the operator trusts.
            proxy_headers=False,
            # There are none, and uvicorn logs their addresses with the query, at the level debug their headers too.
            ws="none",
            timeout_graceful_shutdown=settings.shutdown_seconds,
        )
    )


def served() -> FastAPI:
    """The application as each worker of `serve` makes it."""
    settings = read_settings()
    configure_logging(settings.log_level)
    application = create_app(settings)
    # What is there by now stays: to look through it for garbage again and again would hold up every answer meanwhile.
    gc.freeze()
    # A large submission makes a million objects that stay until it is answered; to look through them each time that
    # 700 have come, as Python does by itself, is a tenth of the work.
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS)
    return application


def demo(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one")] = 0,
    once: Annotated[bool, typer.Option("--once", help="End after showing the result")] = False,
) -> None:
    """Post an illustrative breakdown of North Savo's published totals and show the trend beside the release."""
    # A client of its own, and what draws it: nothing that a server needs.
    from app.demo.run import run_demo

    with mistakes_told():
        run_demo(port=port, once=once)


def migrate() -> None:
    """Bring the database to the newest schema and load the registers and the first release; safe to repeat."""
    with mistakes_told(), opened(read_settings()) as database:
        migrate_database(database, system_clock, tell=said.print)
        said.print("the database is at the newest schema and its reference data is loaded")


def write_contract(
    output: Annotated[Path | None, typer.Option(help="File to write; standard output if left out")] = None,
) -> None:
    """Write the contract, an OpenAPI 3.1.0 document."""
    with mistakes_told():
        text = json.dumps(openapi(create_app(read_settings())), indent=2, ensure_ascii=False) + "\n"
        if output is None:
            sys.stdout.write(text)
        else:
            output.write_text(text, encoding="utf-8")


class _Workers(Multiprocess):
    """Uvicorn's worker processes; once they are asked to stop, a new caller is turned away and not left waiting."""

    def terminate_all(self) -> None:
        """Let go of the sockets, which only the workers hold then, and ask these to stop."""
        for held in self.sockets:
            held.close()
        super().terminate_all()


def _run(config: uvicorn.Config) -> None:
    """Serve until somebody stops it, as uvicorn.run does."""
    if config.workers > 1:
        _Workers(config, sockets=[config.bind_socket()]).run()
        return
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run()
