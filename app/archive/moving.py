"""Backing up, restoring and copying: one archive, read in one moment, put into an empty place whole or not at all."""

from collections.abc import Collection
from contextlib import closing
from datetime import datetime
from pathlib import Path

from app.archive.file import opened_backup, write_backup
from app.archive.manifest import Manifest, manifest_of, take_time
from app.archive.place import put
from app.archive.rows import headings, lines
from app.database import Database


def back_up(database: Database, file: Path, *, at: datetime, force: bool = False) -> tuple[Manifest, str]:
    """Write what `database` holds in one moment into `file`; its manifest, and the SHA-256 over its rows.

    Posts go on meanwhile: those after that moment are not in it. What is backed up is verified first, so that nobody
    relies on a backup that no restore would take.

    Raises:
        FileInTheWay: `file` is there already, and no `force`.
        app.reports.verifying.Altered: the database itself is not what was acknowledged.
    """
    with database.reading() as db:
        take_time(db)
        manifest = manifest_of(db, at=at)
        with closing(lines(db, headings())) as given:
            return manifest, write_backup(file, manifest, given, force=force)


def restore(database: Database, file: Path, *, heads: Collection[str] = ()) -> tuple[Manifest, str]:
    """Put the backup in `file` into `database`; its manifest, and the SHA-256 over its rows.

    Raises:
        Damaged, or what app.archive.place.put raises; the database is then as empty as before.
    """
    with opened_backup(file) as backup:
        told = put(database, backup.manifest, backup.lines, sha256=backup.sha256, heads=heads)
        return backup.manifest, told.sha256


def copy(source: Database, target: Database, *, at: datetime) -> tuple[Manifest, str]:
    """Put what `source` holds in one moment into `target`; the manifest, and the SHA-256 over all rows.

    Raises:
        app.reports.verifying.Altered: the source is not what was acknowledged.
        What app.archive.place.put raises; the target is then as empty as before.
    """
    with source.reading() as db:
        take_time(db)
        manifest = manifest_of(db, at=at)
        with closing(lines(db, headings())) as given:
            told = put(target, manifest, given)
        return manifest, told.sha256
