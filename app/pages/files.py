"""The files that the pages are made of, shipped with the package and read once."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
_STATIC = _HERE / "static"

# Python's mimetypes asks the machine, whose answers differ.
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".png": "image/png"}


@cache
def static_files() -> Mapping[str, bytes]:
    """Every file below static/ by its path from there: what is not a key cannot be asked for."""
    return {
        path.relative_to(_STATIC).as_posix(): path.read_bytes() for path in sorted(_STATIC.rglob("*")) if path.is_file()
    }


def media_type(path: str) -> str:
    """The media type of a static file by how its name ends; plain text if we know none."""
    return _MEDIA_TYPES.get(Path(path).suffix, "text/plain")
