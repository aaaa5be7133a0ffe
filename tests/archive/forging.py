"""Backups that were made wrong, with hashes that are right."""

import hashlib
import zlib
from collections.abc import Iterable
from pathlib import Path

from app.archive.manifest import Manifest


def forge(file: Path, manifest: Manifest, given: Iterable[bytes], *, end: bytes = b"\n") -> None:
    """Write a backup whose every hash is right, of lines that may be no archive; `end` follows the last."""
    packing = zlib.compressobj(wbits=31)
    whole = b"\n".join(given) + end
    data = f"yhdessa-backup 1 {manifest.model_dump_json()}\n".encode() + packing.compress(whole) + packing.flush()
    sign(file, data + f"\nsha256 {hashlib.sha256(whole).hexdigest()} ".encode())


def sign(file: Path, data: bytes) -> None:
    """Write `data` and the hash of it."""
    file.write_bytes(data + f"{hashlib.sha256(data).hexdigest()}\n".encode())
