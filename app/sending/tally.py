"""What the server said of one chunk after another, told in the lines and rows of the whole file."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from app.client import place
from app.sending.chunks import JSON, Chunk

FINDINGS_KEPT = 20
REJECTED = "rejected"

_POINTER = re.compile(r"/(?P<list>counts|statuses)/(?P<index>[0-9]+)(?P<rest>.*)", re.DOTALL)
_LINE = re.compile(r"\bline ([0-9]+)\b")
_ROW = re.compile(r"\bin row ([0-9]+)\b")


class Finding(BaseModel):
    """A row that was rejected, or recorded with a warning: where it is, and why."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    place: str
    what: str
    detail: str


class Tally(BaseModel):
    """What became of the rows of the chunks so far; the first of what was `found`, rejections before warnings."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    receipts: list[int] = []
    replayed: int = 0
    created: int = 0
    corrected: int = 0
    unchanged: int = 0
    rejected: int = 0
    warnings: int = 0
    rows: dict[str, int] = {}
    found: int = 0
    findings: list[Finding] = []

    def with_receipt(self, receipt: Mapping[str, Any], chunk: Chunk, *, replayed: bool) -> "Tally":
        """The tally with what `receipt` says of the next chunk."""
        found = [finding for row in receipt["rows"] for finding in self._findings(row, chunk)]
        rows = Counter(self.rows) + Counter(row["list"] for row in receipt["rows"])
        return Tally(
            receipts=self.receipts + [receipt["id"]] * (receipt["id"] is not None),
            replayed=self.replayed + replayed,
            created=self.created + receipt["created"],
            corrected=self.corrected + receipt["corrected"],
            unchanged=self.unchanged + receipt["unchanged"],
            rejected=self.rejected + receipt["rejected"],
            warnings=self.warnings + sum(len(row["warnings"]) for row in receipt["rows"]),
            rows=dict(rows),
            found=self.found + len(found),
            findings=sorted(self.findings + found, key=lambda one: one.what != REJECTED)[:FINDINGS_KEPT],
        )

    def in_file(self, error: Mapping[str, Any], chunk: Chunk) -> dict[str, Any]:
        """An entry of `errors` about the chunk after these, with the lines and rows of the whole file."""
        moved = dict(error)
        if error.get("line") is not None:
            moved["line"] = chunk.line_in_file(error["line"])
        found = _POINTER.fullmatch(error.get("pointer") or "")
        if found:
            moved["pointer"] = f"/{found['list']}/{self._before(found['list'], found['index'])}{found['rest']}"
        # Some words name another line or row of the same chunk.
        detail = _LINE.sub(lambda line: f"line {chunk.line_in_file(int(line[1]))}", error["detail"])
        moved["detail"] = _ROW.sub(lambda row: f"in row {self._before('counts', row[1])}", detail)
        return moved

    def _before(self, list_name: str, index: str | int) -> int:
        """The place in the whole file's list of a row of the next chunk."""
        return self.rows.get(list_name, 0) + int(index)

    def _findings(self, row: Mapping[str, Any], chunk: Chunk) -> Sequence[Finding]:
        moved = [self.in_file(error, chunk) for error in row["errors"]]
        errors = [Finding(place=place(error), what=REJECTED, detail=error["detail"]) for error in moved]
        where = self._place(row, chunk)
        warnings = [Finding(place=where, what=warning["code"], detail=warning["detail"]) for warning in row["warnings"]]
        return errors + warnings

    def _place(self, row: Mapping[str, Any], chunk: Chunk) -> str:
        """Where a row of a receipt is: its line if the server tells it, else which one of its kind it is."""
        index = self._before(row["list"], row["index"])
        if row.get("line") is not None:
            return f"line {chunk.line_in_file(row['line'])}"
        return f"/{row['list']}/{index}" if chunk.content_type == JSON else f"{row['list']}, number {index + 1}"
