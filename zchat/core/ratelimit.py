"""How much a connection may ask: a token bucket. Whoever is over it waits, in order."""

from __future__ import annotations

import math

__all__ = ["Bucket"]


class Bucket:
    """``rate`` units a second flow in, up to ``burst``; a request takes out its cost."""

    __slots__ = ("_burst", "_level", "_rate", "_seen")

    def __init__(self, rate: int, burst: int, now_ms: int) -> None:
        self._rate = rate
        self._burst = burst
        self._level = float(burst)
        self._seen = now_ms

    def take(self, cost: int, now_ms: int) -> bool:
        """Whether ``cost`` was there; then it is gone. A full bucket affords any one request."""
        if now_ms > self._seen:
            flow = (now_ms - self._seen) * self._rate / 1000
            self._level = min(self._burst, self._level + flow)
            self._seen = now_ms
        if self._level < min(cost, self._burst):
            return False
        self._level -= cost
        return True

    def wait_ms(self, cost: int) -> int:
        """How long, from the last `take`, until ``cost`` will be there."""
        missing = min(cost, self._burst) - self._level
        return max(0, math.ceil(missing * 1000 / self._rate))
