"""Every promise of the journal's port as a check: hold an adapter to it with `check_journal`.

It asserts by itself and needs no test framework. It knows nothing of any adapter.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence
from typing import Final

from zchat.journal import Journal
from zchat.protocol.codec import encode_event
from zchat.protocol.events import (
    CONTROL,
    Acted,
    Event,
    Joined,
    Posted,
    Renamed,
    Whispered,
    inbox_stream,
    room_stream,
)

__all__ = ["check_journal", "commit", "joined", "posted", "renamed", "whispered"]

PUMP_S: Final = 10.0
"""How long a submitted batch may take to be pumped."""


def posted(room: str, text: str, *, acted: bool = False) -> Posted:
    """A message of user ``a``."""
    return (Acted if acted else Posted)(
        at=1, session="s", user="a", nick="ann", room=room, text=text
    )


def joined(room: str) -> Joined:
    """User ``a`` enters a room."""
    return Joined(at=1, session="s", user="a", nick="ann", room=room)


def renamed(*rooms: str) -> Renamed:
    """User ``a``, who is in these rooms, changes nick."""
    return Renamed(at=1, session="s", user="a", nick="ann", rooms=rooms, to="anna")


def whispered(user: str, to: str, text: str) -> Whispered:
    """A whisper between two users."""
    return Whispered(at=1, session="s", user=user, nick=user, to=to, to_nick=to, text=text)


def commit(journal: Journal, *batch: Event) -> list[Event]:
    """Submit a batch and pump until it is committed; the events with their positions."""
    journal.submit(batch)
    events = journal.pump()
    deadline = time.monotonic() + PUMP_S
    while len(events) < len(batch) and time.monotonic() < deadline:
        descriptor = journal.fileno()
        if descriptor is None:
            raise AssertionError("without a fileno, submit completes at once")
        select.select([descriptor], [], [], PUMP_S)
        events += journal.pump()
    return events


def check_journal(open: Callable[[], Journal]) -> None:  # noqa: A002  # it is what it does
    """Hold an adapter to its port; raises `AssertionError` with the promise that is broken.

    ``open`` gives an empty journal at first, and after that one was closed the same again.
    """
    journal = open()
    _check_empty(journal)
    for check in (
        _check_commit,
        _check_pages,
        _check_places,
        _check_drop,
        _check_redact,
        _check_trim,
        _check_trim_of_whispers,
        _check_snapshot,
    ):
        check(journal)
    _check_reopen(journal, open)


def _must(kept: bool, promise: str) -> None:
    if not kept:
        raise AssertionError(promise)


def _alike(found: Sequence[Event], expected: Sequence[Event], what: str) -> None:
    def seen(events: Sequence[Event]) -> list[tuple[int, bytes]]:
        return [(event.position, encode_event(event)) for event in events]

    _must(seen(found) == seen(expected), f"{what}: {list(found)} is not {list(expected)}")


def _check_empty(journal: Journal) -> None:
    _must(journal.head() == 0, "an empty journal's head is 0")
    _must(bool(journal.epoch), "a journal has an epoch")
    _must(journal.pump() == [], "an empty journal has nothing to pump")
    _must(list(journal.tail(0)) == [], "an empty journal has no tail")
    _must(journal.load() is None, "an empty journal has no snapshot")
    _must(journal.read("r.none", limit=9) == ([], False, 0), "an unknown stream is empty")
    _must(journal.trim("r.none", 9) == 0, "an unknown stream has nothing to trim")


def _check_commit(journal: Journal) -> None:
    sent = [joined("commit"), posted("commit", "hé\0\n"), posted("commit", "", acted=True)]
    head = journal.head()
    events = commit(journal, *sent)
    _must([e.kind for e in events] == ["joined", "message", "action"], "a batch keeps its order")
    positions = [event.position for event in events]
    _must(head < positions[0], "a position is past all before it")
    _must(journal.judged == head, "what was there before a submit is judged, and no more")
    _must(positions == sorted(set(positions)), "positions only grow")
    _must(journal.head() == positions[-1], "head is the last position committed")
    _must(journal.pump() == [], "an event is pumped once")
    _alike(list(journal.tail(head)), events, "the tail has what was committed")
    _alike(list(journal.tail(positions[0])), events[1:], "the tail begins past a position")
    _alike(journal.read(room_stream("commit"), limit=9).events, events, "so has the stream")
    _must(commit(journal) == [], "an empty batch is nothing")


def _check_pages(journal: Journal) -> None:
    events: list[Event] = []
    for n in range(6):
        # Between two messages stands one of another room: a stream is not dense.
        events += commit(journal, posted("pages", str(n)), posted("between", str(n)))[:1]
    at = [event.position for event in events]
    last = journal.head()
    cases: list[tuple[int | None, int | None, int, str, bool]] = [
        (None, None, 9, "012345", False),
        (None, None, 6, "012345", False),
        (None, None, 2, "45", True),
        (None, at[4], 2, "23", True),
        (None, at[2], 2, "01", False),
        (None, at[0], 2, "", False),
        (None, last + 100, 1, "5", True),
        (0, None, 2, "01", True),
        (at[3], None, 2, "45", False),
        (at[3] + 1, None, 9, "45", False),
        (at[5], None, 9, "", False),
        (at[1], at[4], 9, "23", False),
        (at[1], at[4], 1, "2", True),
        (at[4], at[1], 9, "", False),
        (2**64, None, 9, "", False),
        (None, 2**64, 9, "012345", False),
    ]
    for after, before, limit, texts, more in cases:
        page = journal.read(room_stream("pages"), after=after, before=before, limit=limit)
        asked = f"after={after} before={before} limit={limit}"
        _alike(page.events, [events[int(n)] for n in texts], asked)
        _must(page.more == more, f"{asked}: more is {page.more}")


def _check_places(journal: Journal) -> None:
    (event,) = commit(journal, renamed("one", "two"))
    for stream in (CONTROL, inbox_stream("a"), room_stream("one"), room_stream("two")):
        newest = journal.read(stream, limit=1).events
        _alike(newest, [event], f"an event stands in every stream it names, here {stream}")


def _check_drop(journal: Journal) -> None:
    kept, void = commit(journal, posted("drop", "kept"), renamed("drop", "drop2"))
    head = journal.head()
    journal.drop([void.position])
    journal.drop([void.position, head + 1000])
    _alike(journal.read(room_stream("drop"), limit=9).events, [kept], "what was dropped is gone")
    _alike(journal.read(room_stream("drop2"), limit=9).events, [], "… from every stream")
    _alike(list(journal.tail(kept.position)), [], "… and from the tail")
    _must(journal.head() == head, "head stays where the last event was dropped")
    (event,) = commit(journal, posted("drop", "next"))
    _must(event.position > head, "a position is given once")


def _check_redact(journal: Journal) -> None:
    first, second = commit(journal, posted("redact", "secret"), posted("redact", "said"))
    journal.redact(first.position, posted("redact", ""))
    page = journal.read(room_stream("redact"), limit=9)
    _must([e.position for e in page.events] == [first.position, second.position], "a place stays")
    _must([getattr(e, "text", None) for e in page.events] == ["", "said"], "the text is gone")
    head, tail = journal.head(), list(journal.tail(0))
    journal.redact(head + 1000, posted("redact", "ghost"))
    _alike(list(journal.tail(0)), tail, "redacting where nothing stands is nothing")


def _check_trim(journal: Journal) -> None:
    room = room_stream("trim")
    events = commit(
        journal,
        posted("trim", "0"),
        joined("trim"),
        posted("trim", "2", acted=True),
        renamed("trim"),
        posted("trim", "4"),
        posted("elsewhere", "5"),
    )
    through = events[3].position
    _must(journal.trim(room, through) == 2, "trim says how many messages went")
    _must(journal.trim(room, through) == 0, "what went does not go again")
    page = journal.read(room, limit=9)
    _alike(page.events, [events[1], events[3], events[4]], "only messages are trimmed")
    _must(page.floor == events[2].position, "the floor is the last message trimmed")
    _must(journal.read(room_stream("elsewhere"), limit=1).floor == 0, "a floor is one stream's")
    head = journal.head()
    _must(journal.trim(room, 2**64) == 1, "trim goes up to the head")
    _must(journal.read(room, limit=9).floor == events[4].position, "a floor is no later than that")
    _must(journal.head() == head, "head stays where all messages were trimmed")


def _check_trim_of_whispers(journal: Journal) -> None:
    mine, yours = inbox_stream("wa"), inbox_stream("wb")
    whisper, to_self = commit(journal, whispered("wa", "wb", "psst"), whispered("wa", "wa", "note"))
    _must(journal.trim(mine, to_self.position) == 2, "both are messages of the sender's inbox")
    _alike(journal.read(yours, limit=9).events, [whisper], "a whisper stays for the other inbox")
    _alike(list(journal.tail(whisper.position - 1)), [whisper], "… and in the record")
    _must(journal.trim(yours, whisper.position) == 1, "until it is trimmed there")
    _alike(list(journal.tail(whisper.position - 1)), [], "then it is gone")
    _must(journal.read(yours, limit=9).floor == whisper.position, "and the floor says so")


def _check_snapshot(journal: Journal) -> None:
    journal.save(1, b"first")
    journal.save(journal.head(), b"second\0")
    _must(journal.load() == (journal.head(), b"second\0"), "the last snapshot replaces others")


def _check_reopen(journal: Journal, open: Callable[[], Journal]) -> None:  # noqa: A002
    journal.drop([event.position for event in commit(journal, posted("last", "void"))])
    before = (journal.epoch, journal.head(), journal.load(), journal.read("r.trim", limit=9))
    tail = list(journal.tail(0))
    journal.close()
    journal.close()
    again = open()
    try:
        after = (again.epoch, again.head(), again.load(), again.read("r.trim", limit=9))
        _must(after == before, "a journal opened again is the same")
        _alike(list(again.tail(0)), tail, "with every event")
        _must(again.pump() == [], "and nothing to pump")
        (event,) = commit(again, posted("last", "next"))
        _must(event.position > before[1], "positions grow on from there")
    finally:
        again.close()
