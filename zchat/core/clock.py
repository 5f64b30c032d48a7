"""What time it is, as an argument. Nothing in the core reads a clock."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Now"]


class Now(NamedTuple):
    """One moment on two clocks."""

    monotonic: int
    """Milliseconds that never step: for timers."""
    utc: int
    """Milliseconds since 1970 in UTC, which may step: for what is written down."""
