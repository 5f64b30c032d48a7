"""How long to wait before the next attempt, so that a thousand clients do not come back as one.

Full jitter: a random wait between 0 and a bound that doubles. It reads no clock and has
its dice given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

__all__ = ["Backoff"]

FIRST_MS: Final = 100
MOST_MS: Final = 30_000


class Backoff:
    """The waits between attempts (docs/protocol.md, section 1)."""

    def __init__(self, fresh: Callable[[int], bytes]) -> None:
        self._fresh = fresh
        self._bound = FIRST_MS

    def next(self, retry_ms: int | None = None) -> int:
        """The next wait in ms; with the broker's ``retry_ms``, between that and twice that."""
        if retry_ms is not None and retry_ms >= 0:
            return retry_ms + self._below(retry_ms + 1)
        bound = self._bound
        self._bound = min(2 * bound, MOST_MS)
        return self._below(bound + 1)

    def succeeded(self) -> None:
        """Start over at the shortest bound."""
        self._bound = FIRST_MS

    def _below(self, bound: int) -> int:
        return int.from_bytes(self._fresh(8), "big") % bound
