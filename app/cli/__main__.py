"""The command line `yhdessa`: every command under its name."""

import typer

from app.cli import audit, backup, due, keys, practices, releases, serving, submit

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Yhdessä aika adoption tracking")
app.command()(serving.serve)
app.command()(serving.demo)
app.command()(serving.migrate)
app.command("openapi")(serving.write_contract)
app.command()(backup.backup)
app.command()(backup.restore)
app.command()(backup.copy)
app.command()(audit.redact)
app.add_typer(audit.commands, name="audit")
app.command()(submit.submit)
app.command("due")(due.due)
app.add_typer(keys.commands, name="key")
app.add_typer(practices.commands, name="practice")
app.add_typer(releases.commands, name="release")

if __name__ == "__main__":
    app()
