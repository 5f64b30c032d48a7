"""How much a connection may ask: a token bucket. Whoever is over it waits, in order."""

from __future__ import annotations

from typing import Final

__all__ = ["Bucket"]

UNIT: Final = 1_000
"""Levels are integers of 1/1000: a rate a second is so many a ms, and no rounding makes it late."""


class Bucket:
    """``rate`` units a second flow in, up to ``burst``; a request takes out its cost."""

    __slots__ = ("_full", "_level", "_rate", "_seen")

    def __init__(self, rate: int, burst: int, now_ms: int) -> None:
        self._rate = rate
        self._full = burst * UNIT
        self._level = self._full
        self._seen = now_ms

    def take(self, cost: int, now_ms: int) -> bool:
        """Whether ``cost`` was there; then it is gone. A full bucket affords any one request."""
        if now_ms > self._seen:
            self._level = min(self._full, self._level + (now_ms - self._seen) * self._rate)
            self._seen = now_ms
        if self._level < min(cost * UNIT, self._full):
            return False
        self._level -= cost * UNIT
        return True

    def wait_ms(self, cost: int) -> int:
        """How long, from the last `take`, until ``cost`` will be there."""
        missing = min(cost * UNIT, self._full) - self._level
        return max(0, -(-missing // self._rate))
