"""Chains of hashes: each link covers its content and the link before it, so that nothing in them changes unseen."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.clock import written

EMPTY_HASH = "0" * 64
"""What stands as the hash before the first link."""


def canonical_hash(content: Mapping[str, Any]) -> str:
    """SHA-256 in hexadecimal over `content` in canonical form."""
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def canonical(content: Any) -> str:
    """`content` as JSON with sorted names and no spaces; moments as RFC 3339 in UTC with six decimals."""
    return _CANONICAL.encode(content)


def _text(value: Any) -> str:
    return written(value) if isinstance(value, datetime) else str(value)


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_text)
