"""What the server said of one chunk after another, told in the lines and rows of the whole file."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from app.client import place
from app.sending.chunks import Chunk

FINDINGS_KEPT = 20

_POINTER = re.compile(r"/(?P<list>counts|statuses)/(?P<index>[0-9]+)(?P<rest>.*)", re.DOTALL)


class Finding(BaseModel):
    """A row that was rejected, or recorded with a warning: where it is, and why."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    place: str
    what: str
    detail: str


class Tally(BaseModel):
    """What became of the rows of the chunks so far; of what was `found` about them, only the first is kept."""

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
            findings=(self.findings + found)[:FINDINGS_KEPT],
        )

    def located(self, error: Mapping[str, Any], chunk: Chunk) -> str:
        """Where in the whole file an entry of `errors` is that the server found in the chunk after these."""
        moved = dict(error)
        if error.get("line") is not None:
            moved["line"] = chunk.line_in_file(error["line"])
        found = _POINTER.fullmatch(error.get("pointer") or "")
        if found:
            index = int(found["index"]) + self.rows.get(found["list"], 0)
            moved["pointer"] = f"/{found['list']}/{index}{found['rest']}"
        return place(moved)

    def _findings(self, row: Mapping[str, Any], chunk: Chunk) -> Sequence[Finding]:
        errors = [
            Finding(place=self.located(error, chunk), what="rejected", detail=error["detail"])
            for error in row["errors"]
        ]
        whole = {"line": row.get("line"), "pointer": f"/{row['list']}/{row['index']}"}
        warnings = [
            Finding(place=self.located(whole, chunk), what=warning["code"], detail=warning["detail"])
            for warning in row["warnings"]
        ]
        return errors + warnings
