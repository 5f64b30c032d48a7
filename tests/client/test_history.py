"""Pages of the past, put together: in order, without a hole, and no more than was asked for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.client.rows import said, shown
from zchat.client.history import History, page
from zchat.protocol import replies
from zchat.protocol import requests as q

KEPT = [3, 5, 8, 9, 13, 20, 21]
"""The positions in a stream."""


def read(kept: list[int], most: int, floor: int = 0, **wanted: Any) -> History:
    """What `page` makes of a broker that keeps these and sends ``most`` a page."""

    async def ask(request: type, answer: type, **fields: Any) -> replies.Page:
        assert (request, answer) == (q.History, replies.Page)
        asked = q.History(id=1, **fields)
        size = min(asked.limit, most)
        if asked.after is not None:
            found = [each for each in kept if each > asked.after]
            sent = found[:size]
        else:
            found = [each for each in kept if asked.before is None or each < asked.before]
            sent = found[-size:]
        return replies.Page(
            id=1, events=[said(each) for each in sent], more=len(found) > size, head=99, floor=floor
        )

    return asyncio.run(page(ask, "tea", **{"before": None, "after": None, "limit": 100} | wanted))


@pytest.mark.parametrize("most", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("wanted", "events", "more"),
    [
        ({}, KEPT, False),
        ({"limit": 3}, [13, 20, 21], True),
        ({"limit": 7}, KEPT, False),
        ({"before": 13, "limit": 2}, [8, 9], True),
        ({"before": 3}, [], False),
        ({"after": 0}, KEPT, False),
        ({"after": 8, "limit": 2}, [9, 13], True),
        ({"after": 9}, [13, 20, 21], False),
        ({"after": 21}, [], False),
    ],
)
def test_a_part_of_a_stream_whatever_fits_a_page(
    most: int, wanted: dict[str, int], events: list[int], more: bool
) -> None:
    """A broker may send fewer than it was asked for: a page ends early at 64 KiB."""
    got = read(KEPT, most, **wanted)
    assert (shown(got.events), got.more) == (events, more)


@given(st.sets(st.integers(1, 60)), st.integers(1, 9), st.integers(1, 40), st.integers(0, 61))
def test_forwards_and_backwards_meet(kept: set[int], most: int, limit: int, at: int) -> None:
    stream = sorted(kept)
    later, earlier = [each for each in stream if each > at], [each for each in stream if each < at]
    assert shown(read(stream, most, limit=limit, after=at).events) == later[:limit]
    assert shown(read(stream, most, limit=limit, before=at).events) == earlier[-limit:]


def test_what_retention_took_is_said() -> None:
    assert read(KEPT, 2, floor=4).floor == 4
    assert read([], 2).floor == 0
