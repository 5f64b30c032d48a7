"""What is due when: named deadlines on the monotonic clock, which somebody else reads."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import TypeAlias

__all__ = ["Timer", "Timers"]

Timer: TypeAlias = tuple[str, str]
"""What a deadline is for, and whose it is: ``("grace", session)``."""


class Timers:
    """Deadlines in ms. Setting one again replaces it; cancelling one that is not set is nothing."""

    def __init__(self) -> None:
        self._due: dict[Timer, int] = {}
        self._heap: list[tuple[int, Timer]] = []  # may hold entries that were replaced

    def __contains__(self, timer: Timer) -> bool:
        return timer in self._due

    def set(self, timer: Timer, due: int) -> None:
        """``timer`` is due at this time."""
        if self._due.get(timer) != due:
            self._due[timer] = due
            heapq.heappush(self._heap, (due, timer))

    def cancel(self, timer: Timer) -> None:
        """``timer`` is not due any more."""
        self._due.pop(timer, None)

    def next(self) -> int | None:
        """The earliest deadline, if there is one."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def expired(self, now_ms: int) -> Iterator[Timer]:
        """Every timer due by now, earliest first; each is unset as it is given."""
        while (due := self.next()) is not None and due <= now_ms:
            _, timer = heapq.heappop(self._heap)
            del self._due[timer]
            yield timer
