"""Messages under way: many at once, in the order given, and none forgotten."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any, Final, Self

__all__ = ["Deliveries"]

MOST: Final = 256
"""Messages without an acknowledgement: enough to fill a line of 100 ms, few enough to wait for."""


class Deliveries:
    """What was sent and is not acknowledged yet. ``async with`` it: leaving waits for all."""

    def __init__(self) -> None:
        self._under_way: deque[asyncio.Task[object]] = deque()

    async def add(self, delivery: Coroutine[Any, Any, object]) -> None:
        """Send on; waits while too many are under way. Raises what an earlier one raised."""
        if len(self._under_way) >= MOST:
            await self._under_way.popleft()
        self._under_way.append(asyncio.create_task(delivery))
        # It takes its first step, which puts it in order, before the caller goes on.
        await asyncio.sleep(0)

    async def settle(self) -> None:
        """Wait until all are acknowledged. Raises what the first that failed raised."""
        while self._under_way:
            await self._under_way.popleft()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                await self.settle()
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)
            self._under_way.clear()
