"""Who hears, as events come to hold: publications, keys that must change, confirmations.

It turns events into publications on the topics of their streams and writes no record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from zchat.config import Settings
from zchat.protocol import events as e
from zchat.protocol.codec import encode_row

from .record import Record
from .timers import Timers
from .topics import Topics

__all__ = ["CONFIRM_MS", "Hearing"]

CONFIRM_MS = 50
"""A topic's subscribers are confirmed at most this often: each confirmation reaches all of them."""


class Hearing:
    """What is published where, and under which key."""

    def __init__(self, settings: Settings, record: Record, topics: Topics, timers: Timers) -> None:
        self._settings = settings
        self._record = record
        self._topics = topics
        self._timers = timers
        self._rekeyed: dict[str, int] = {}  # stream → when its key was last replaced, in ms
        self._confirmed: dict[int, int] = {}  # topic → when it was last confirmed, in ms

    def publish(
        self, event: e.Event, streams: Sequence[str], prevs: Sequence[int], now_ms: int
    ) -> None:
        """An event holds; in each of its streams it follows the position beside it."""
        row = encode_row(event)
        for stream, prev in zip(streams, prevs, strict=True):
            self._topics.publish(stream, prev, event.position, row)
        match event:
            case e.Left():
                self._lessened(event.room, now_ms)
            case e.SessionEnded():
                for room in event.rooms:
                    self._lessened(room, now_ms)
                if event.user not in self._record.users:
                    self._close(e.inbox_stream(event.user))

    # Keys.

    def _lessened(self, name: str, now_ms: int) -> None:
        """Somebody left a room by themselves: its key changes, once a while for all who did."""
        room = self._record.rooms.get(name)
        stream = e.room_stream(name)
        if room is None or not room.members:
            self._close(stream)
        elif stream in self._topics and ("rekey", name) not in self._timers:
            pause = self._settings.rekey_ms
            due = self._rekeyed.get(stream, now_ms - pause) + pause
            self._timers.set(("rekey", name), max(now_ms, due))

    def rekey(self, name: str, now_ms: int) -> None:
        """The room gets a new key now."""
        room = self._record.rooms.get(name)
        stream = e.room_stream(name)
        if room is not None and stream in self._topics:
            self._rekeyed[stream] = now_ms
            self._topics.rekey(stream, map(e.inbox_stream, room.members))

    def _close(self, stream: str) -> None:
        number = self._topics.close(stream)
        if number is not None:
            self._confirmed.pop(number, None)
        self._rekeyed.pop(stream, None)

    # Confirmations.

    def granted(self, topics: Iterable[int], now_ms: int) -> None:
        """These topics have a new subscriber, who is to be told where the stream is."""
        for number in topics:
            since = now_ms - self._confirmed.get(number, now_ms - CONFIRM_MS)
            if since >= CONFIRM_MS:
                self.confirm(number, now_ms)
            elif ("confirm", str(number)) not in self._timers:
                self._timers.set(("confirm", str(number)), now_ms + CONFIRM_MS - since)

    def confirm(self, number: int, now_ms: int) -> None:
        """Tell every subscriber of a topic where its stream is."""
        stream = self._topics.stream(number)
        if stream is None:
            self._confirmed.pop(number, None)
        else:
            self._confirmed[number] = now_ms
            self._topics.confirm(number, self._record.head(stream))
