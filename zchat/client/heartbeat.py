"""When to ping the broker, and when to believe that it is gone. Pure."""

from __future__ import annotations

from typing import Final

__all__ = ["HELLO_MS", "PATIENCE", "Heartbeat"]

HELLO_MS: Final = 10_000
"""How long a hello may be unanswered before the link is given up."""
PATIENCE: Final = 2.5
"""Heartbeats without any reply before the link is given up."""


class Heartbeat:
    """The two deadlines of a link, in monotonic ms; none while there is no link."""

    def __init__(self) -> None:
        self._every = 0
        self._ping_at: int | None = None
        self._dead_at: int | None = None

    def greeting(self, now: int) -> None:
        """A hello is on its way."""
        self._ping_at, self._dead_at = None, now + HELLO_MS

    def begin(self, every: int, now: int) -> None:
        """The broker has welcomed us and asks for a ping ``every`` ms."""
        self._every = every
        self._ping_at = now + every
        self.heard(now)

    def heard(self, now: int) -> None:
        """The broker has said something."""
        if self._ping_at is not None:
            self._dead_at = now + int(PATIENCE * self._every)

    def stop(self) -> None:
        """There is no link."""
        self._ping_at = self._dead_at = None

    def is_dead(self, now: int) -> bool:
        """Whether the broker has been silent for too long; said once."""
        dead = self._dead_at is not None and now >= self._dead_at
        if dead:
            self._dead_at = None
        return dead

    def is_due(self, now: int) -> bool:
        """Whether to ping now; the next one is then due a heartbeat later."""
        due = self._ping_at is not None and now >= self._ping_at
        if due:
            self._ping_at = now + self._every
        return due

    def next_timer(self) -> int | None:
        """The earlier of the two deadlines."""
        return min((at for at in (self._ping_at, self._dead_at) if at is not None), default=None)
