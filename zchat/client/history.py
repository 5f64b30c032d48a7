"""What was said before, as many pages of it as were asked for. It knows no sockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from zchat.protocol import replies
from zchat.protocol import requests as q
from zchat.protocol.codec import placed
from zchat.protocol.events import Event

__all__ = ["History", "page"]


class History(NamedTuple):
    """A part of one stream, oldest first."""

    events: list[Event]
    """Its events."""
    more: bool
    """Whether the stream goes on in the direction asked."""
    floor: int
    """Messages at or before this position may have been removed by retention; 0 if none."""


async def page(
    ask: Callable[..., Awaitable[Any]],
    stream: str,
    *,
    before: int | None,
    after: int | None,
    limit: int,
) -> History:
    """Up to ``limit`` events, asking ``ask`` for page after page. Raises what ``ask`` raises."""
    events: list[Event] = []
    more, floor = True, 0
    while more and len(events) < limit:
        got = await ask(
            q.History,
            replies.Page,
            stream=stream,
            before=before,
            after=after,
            limit=limit - len(events),
        )
        found = placed(got.events)
        more, floor = got.more and bool(found), max(floor, got.floor)
        if after is None:
            events = found + events
            before = events[0].position if events else before
        else:
            events += found
            after = events[-1].position if events else after
    return History(events, more, floor)
