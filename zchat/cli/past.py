"""What was said before: pages of a stream put together, and chosen. It prints nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zchat.protocol.events import Event, Posted, SubjectChanged, Whispered

if TYPE_CHECKING:
    from zchat.client import Chat

__all__ = ["past"]

PAGE: Final = 200
"""Events asked for at once; the broker may give fewer."""

_SAID: Final = (Posted, Whispered, SubjectChanged)


async def past(
    chat: Chat,
    stream: str,
    count: int,
    *,
    before: int | None = None,
    after: int | None = None,
    everything: bool = False,
) -> list[Event]:
    """The last ``count`` events before a position, or with ``after`` the first ones past it.

    Oldest first. Only what was said, unless ``everything``: who came and went counts, too.
    Raises `Refused`.
    """
    found: list[Event] = []
    more = count > 0
    while more and len(found) < count:
        page = await chat.history(stream, before=before, after=after, limit=PAGE)
        chosen = [each for each in page.events if everything or isinstance(each, _SAID)]
        more = page.more and bool(page.events)
        if after is None:
            found = chosen + found
            before = page.events[0].position if page.events else before
        else:
            found += chosen
            after = page.events[-1].position if page.events else after
    return found[:count] if after is not None else found[-count:] if count else []
