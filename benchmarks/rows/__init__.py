"""The rows of the table, in its order; a new one is added to ROWS of its module."""

from benchmarks.contest import Row
from benchmarks.rows import posting, reading, serving

ROWS: tuple[Row, ...] = (*reading.ROWS, *posting.ROWS, *serving.ROWS)
