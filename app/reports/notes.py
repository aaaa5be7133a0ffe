"""Notes: words beside an entry that can be erased, and what must never stand in them."""

import hashlib
import re
import secrets
import unicodedata
from datetime import datetime

from sqlmodel import Session
from stdnum.fi import hetu

from app.access.audit import add_line
from app.reports.models import ListName
from app.reports.tables import CountEntry, Note, StatusEntry

_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))
_INVISIBLE = re.compile(r"[\s\u00ad\u200b-\u200d\u2060\ufeff]")
_CANDIDATE = re.compile(r"(?=(\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]))", re.IGNORECASE)


HOLDS_IDENTITY_CODE = "holds a personal identity code; leave it out, nobody needs it here"
"""Why words are refused in which `holds_personal_identity_code` finds one."""


class UnknownNote(ValueError):
    """There is no note beside this entry."""


def holds_personal_identity_code(text: str) -> bool:
    """True if a Finnish personal identity code (henkilötunnus) stands anywhere in `text`.

    It is one if its date exists and its check character fits; spaces and kinds of dashes do not hide it.
    """
    together = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).translate(_DASHES)
    return any(hetu.is_valid(candidate[1].upper(), allow_temporary=True) for candidate in _CANDIDATE.finditer(together))


def salted(text: str) -> tuple[str, str]:
    """A new salt, and the SHA-256 of salt and `text`, both in hexadecimal."""
    salt = secrets.token_hex(16)
    return salt, note_hash(salt, text)


def note_hash(salt: str, text: str) -> str:
    """What an entry keeps of its note: the SHA-256 of `salt` and `text` in hexadecimal."""
    return hashlib.sha256((salt + text).encode()).hexdigest()


def note_for(list_name: ListName, entry: int, *, salt: str, text: str) -> Note:
    """The row that keeps `text` beside an entry until it is erased."""
    return Note(list=list_name, entry=entry, salt=salt, text=text)


def redact(db: Session, list_name: ListName, entry: int, *, at: datetime) -> None:
    """Erase the note beside an entry, text and salt, and say so in the audit log; the entry's hash alone says nothing.

    Erasing again does nothing.

    Raises:
        UnknownNote: there never was one.
    """
    note = db.get(Note, (list_name, entry))
    if note is None:
        recorded = db.get(CountEntry if list_name == "counts" else StatusEntry, entry)
        if recorded and recorded.note_hash:
            return
        raise UnknownNote(f"there is no note beside entry {entry} of {list_name}")
    db.delete(note)
    add_line(db, "note_redacted", key_id=None, at=at, list=list_name, entry=entry)
