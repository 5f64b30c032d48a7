"""Who hears what: topics, their keys and numbers, and the publications of one turn.

Live state of one process: fresh from the OS at every start, never journalled, exported or
logged. A topic exists from the first handout of its stream until nobody may hear it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from zchat.protocol.codec import Signal, encode_publication
from zchat.protocol.replies import Handout
from zchat.protocol.seal import HEADER_BYTES, KEY_BYTES, MAX_FRAME_BYTES, Key

__all__ = ["Topics"]

_OVERHEAD = HEADER_BYTES + 16 + 64
"""Bytes of a frame besides its rows: header, tag, and the map around the rows."""


class _Topic:
    """One topic: its key, its count, and what this turn has for it."""

    __slots__ = (
        "confirm",
        "key",
        "last",
        "n",
        "name",
        "number",
        "prev",
        "rows",
        "signals",
        "size",
        "stream",
    )

    def __init__(self, number: int, stream: str, name: str, secret: bytes) -> None:
        self.number = number
        self.stream = stream
        self.name = name  # what its own clients call the stream: a room's name, or "@"
        self.key = Key(number, 1, secret)
        self.n = 0
        self.prev = 0
        self.last = 0
        self.rows: list[bytes] = []
        self.signals: list[Signal] = []
        self.size = 0
        self.confirm = False

    def seal(self) -> bytes:
        """The frame of what is pending, which is pending no more."""
        self.n += 1
        frame = self.key.seal(
            self.n, encode_publication(self.prev, self.last, self.rows, self.signals)
        )
        self.prev = self.last
        self.rows, self.signals, self.size, self.confirm = [], [], 0, False
        return frame


class Topics:
    """Every living topic, by stream and by number."""

    def __init__(self, fresh: Callable[[int], bytes]) -> None:
        self._fresh = fresh
        self._number = int.from_bytes(fresh(3), "big")
        self._by_stream: dict[str, _Topic] = {}
        self._by_number: dict[int, _Topic] = {}
        self._pending: dict[_Topic, None] = {}
        self._frames: list[bytes] = []
        self.rekeys = 0

    def __contains__(self, stream: str) -> bool:
        return stream in self._by_stream

    def __len__(self) -> int:
        return len(self._by_stream)

    def living(self, number: int) -> bool:
        """Whether a topic of this number exists."""
        return number in self._by_number

    def stream(self, number: int) -> str | None:
        """The journal's name of the stream with this topic number."""
        topic = self._by_number.get(number)
        return None if topic is None else topic.stream

    def handout(self, stream: str, name: str, head: int) -> Handout:
        """What somebody who may hear ``stream`` needs for it; they call it ``name``."""
        topic = self._by_stream.get(stream)
        if topic is None:
            # Dense numbers: libzmq walks its subscription trie at each disconnect, and
            # 5,000 clients with random topics cost 11 ms where dense ones cost 0.5.
            self._number = (self._number + 1) % 2**32
            while self._number in self._by_number:
                self._number = (self._number + 1) % 2**32
            topic = _Topic(self._number, stream, name, self._fresh(KEY_BYTES))
            self._by_stream[stream] = self._by_number[topic.number] = topic
        return Handout(
            stream=name,
            topic=topic.number,
            key_number=topic.key.number,
            key=topic.key.secret,
            head=head,
        )

    def close(self, stream: str) -> int | None:
        """Nobody hears this stream any more. What is pending for it still goes out.

        Returns the number of its topic, if it had one.
        """
        topic = self._by_stream.pop(stream, None)
        if topic is None:
            return None
        self._emit(topic)
        del self._by_number[topic.number]
        return topic.number

    def publish(self, stream: str, prev: int, position: int, row: bytes) -> None:
        """An event stands in ``stream`` at ``position``, after ``prev``."""
        topic = self._by_stream.get(stream)
        if topic is None:
            return
        if topic.size + len(row) + _OVERHEAD > MAX_FRAME_BYTES:
            self._emit(topic)
        if not topic.rows:
            topic.prev = prev
        topic.rows.append(row)
        topic.last = position
        topic.size += len(row)
        self._pending[topic] = None

    def confirm(self, number: int, head: int) -> None:
        """Somebody hears this topic since now: say where its stream is, this turn."""
        topic = self._by_number.get(number)
        if topic is not None:
            if not topic.rows:
                topic.prev = topic.last = head
            topic.confirm = True
            self._pending[topic] = None

    def rekey(self, stream: str, inboxes: Iterable[str]) -> None:
        """Replace the key of a stream; ``inboxes`` (streams of the members) hear of it first.

        XPUB keeps the order of publications across topics, so nobody draws one under a key
        that they have not been sent.
        """
        topic = self._by_stream.get(stream)
        if topic is None:
            return
        self._emit(topic)
        topic.key = Key(topic.number, topic.key.number + 1, self._fresh(KEY_BYTES))
        self.rekeys += 1
        signal = Signal(
            signal="key",
            stream=topic.name,
            topic=topic.number,
            key_number=topic.key.number,
            key=topic.key.secret,
        )
        for inbox_stream in inboxes:
            inbox = self._by_stream.get(inbox_stream)
            if inbox is not None:
                self._emit(inbox)  # a full one has no room for the signal beside its rows
                inbox.signals.append(signal)
                self._pending[inbox] = None
                self._emit(inbox)

    def flush(self) -> list[bytes]:
        """The frames of this turn, in the order in which they must go out."""
        for topic in list(self._pending):
            self._emit(topic)
        frames, self._frames = self._frames, []
        return frames

    def _emit(self, topic: _Topic) -> None:
        if topic in self._pending:
            del self._pending[topic]
            self._frames.append(topic.seal())
