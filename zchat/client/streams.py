"""All streams of one client: what was heard on which topic, and what is to be asked for. Pure.

It owns the timelines, turns frames and pages into deliveries, each event once even where it
stands in several streams, and says what to subscribe to and which requests it needs. It sends
nothing and keeps no session.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from zchat.errors import ProtocolError
from zchat.protocol.codec import Signal, Unknown
from zchat.protocol.events import Event, inbox_stream
from zchat.protocol.names import room_name
from zchat.protocol.replies import INBOX, Handout, Page
from zchat.protocol.seal import header, topic_prefix

from .events import ChatEvent, Gap
from .timeline import Delivery, Timeline

__all__ = ["CONFIRM_MS", "SETTLE_MS", "Streams"]

CONFIRM_MS: Final = 1_000
"""A subscription not confirmed for so long is made again (docs/protocol.md, section 7)."""

SETTLE_MS: Final = 250
"""A pong's head may be ahead of publications on their way; so long they are awaited."""


class Streams:
    """The streams this client hears, by name."""

    def __init__(self) -> None:
        self.timelines: dict[str, Timeline] = {}
        self.events: deque[ChatEvent] = deque()
        """What the application has not taken yet."""
        self.user = ""
        """The id of this client's user."""
        self.repaired = 0
        """Events that had to be fetched because no publication brought them."""
        self._by_topic: dict[int, Timeline] = {}
        self._unconfirmed: dict[str, int] = {}  # stream → when to subscribe again, in ms
        self._subscriptions: list[tuple[bool, bytes]] = []
        self._asked: dict[str, int] = {}  # stream → the `after` of the page under way
        self._postponed: dict[str, int] = {}  # stream → when to ask for a page again, in ms
        self._rekeying: set[str] = set()  # streams whose key is being asked for
        self._joining: dict[str, set[int]] = {}  # rooms to be joined → positions delivered already
        self._left: dict[str, Timeline] = {}  # streams as they were when they were left

    # Streams come and go.

    def hear(self, handout: Handout, mine: int, now: int) -> Timeline:
        """A stream was handed out; one not heard before begins at ``mine``."""
        timeline = self.timelines.get(handout.stream)
        if timeline is None:
            timeline = self.timelines[handout.stream] = Timeline(handout.stream, mine)
            timeline.already |= self._joining.get(handout.stream, set())
            left = self._left.pop(handout.stream, None)
            if left is not None:
                # A join that is answered late can name a position from before the last leave,
                # or from before what other streams had delivered by then.
                timeline.mine = timeline.since = timeline.head = max(mine, left.mine)
                timeline.already |= left.already
        former = timeline.topic
        if timeline.hear(handout):
            if former is not None:
                self._unsubscribe(former)
            self._by_topic[handout.topic] = timeline
            self._subscriptions.append((True, topic_prefix(handout.topic)))
            self._unconfirmed[handout.stream] = now + CONFIRM_MS
        self._rekeying.discard(handout.stream)
        for frame in timeline.unlocked():
            self.publication(frame)
        return timeline

    def expect(self, rooms: Iterable[str]) -> None:
        """These, and no others, are the rooms whose join has no answer yet.

        The answer may name a position from before what other streams deliver meanwhile.
        """
        self._joining = {room: self._joining.get(room, set()) for room in rooms}

    def left(self, room: str, position: int) -> None:
        """A leave was answered. One that is answered again after a later join ends nothing."""
        name = room if room in self.timelines else room_name(room)
        timeline = self.timelines.get(name)
        if timeline is not None and timeline.since < position:
            self.leave(name)

    def leave(self, stream: str) -> None:
        """A stream is not this client's any more."""
        timeline = self.timelines.pop(stream, None)
        if timeline is not None:
            if timeline.topic is not None:
                self._unsubscribe(timeline.topic)
            if stream != INBOX:  # the next one is another user's
                timeline.unlink()
                self._left[stream] = timeline
            self._unconfirmed.pop(stream, None)
            self._asked.pop(stream, None)
            self._postponed.pop(stream, None)
            self._rekeying.discard(stream)

    def unlink(self) -> None:
        """The connection is gone; where each stream is stays."""
        for timeline in self.timelines.values():
            timeline.unlink()
        self._by_topic.clear()
        self._unconfirmed.clear()
        self._subscriptions.clear()
        self._asked.clear()
        self._postponed.clear()
        self._rekeying.clear()

    def begin_at(self, heads: dict[str, int]) -> None:
        """The journal is another one: a gap in every stream, and on from its head."""
        for stream, timeline in self.timelines.items():
            self.events.append(timeline.begin_at(heads.get(stream, 0)))
        self._asked.clear()
        self._left.clear()

    def _unsubscribe(self, topic: int) -> None:
        self._by_topic.pop(topic, None)
        self._subscriptions.append((False, topic_prefix(topic)))

    # What comes in.

    def publication(self, frame: bytes) -> None:
        """A frame on one of the topics. What cannot be read is dropped: a gap will show."""
        try:
            timeline = self._by_topic.get(header(frame).topic)
            if timeline is None:
                return  # left meanwhile
            publication = timeline.open(frame)
        except ProtocolError:
            return
        if publication is None:
            return
        self._unconfirmed.pop(timeline.stream, None)
        self._deliver(timeline, timeline.publish(publication, len(frame)))
        if timeline.stream == INBOX:
            # "The new key goes to every member's inbox": in a room, any member could forge one.
            for signal in publication.signals:
                self._signal(signal)

    def _signal(self, signal: Signal) -> None:
        timeline = self.timelines.get(signal.stream)
        if signal.signal == "key" and timeline is not None and timeline.topic == signal.topic:
            timeline.add_key(signal.key_number, signal.key)
            for frame in timeline.unlocked():
                self.publication(frame)

    def page(self, stream: str, after: int, page: Page) -> None:
        """The page that was asked for with ``after``."""
        timeline = self.timelines.get(stream)
        if timeline is None or self._asked.pop(stream, None) is None:
            return
        before = len(self.events)
        self._deliver(timeline, timeline.page(after, page))
        self.repaired += len(self.events) - before

    def postpone(self, stream: str, until: int) -> None:
        """The page or key asked for is not to be had just now: ask again, if still missed."""
        self._asked.pop(stream, None)
        self._rekeying.discard(stream)
        if stream in self.timelines:
            self._postponed[stream] = until

    def give_up(self, stream: str) -> None:
        """What is missed of a stream is not to be had: one gap, and on from its head."""
        self._asked.pop(stream, None)
        timeline = self.timelines.get(stream)
        if timeline is not None:
            self.events.append(timeline.skip_to(timeline.head))

    def heads(self, heads: dict[str, int], now: int) -> None:
        """Where the streams are, by a pong."""
        for stream, head in heads.items():
            timeline = self.timelines.get(stream)
            if timeline is not None and head > timeline.head:
                timeline.head = head
                self._postponed.setdefault(stream, now + SETTLE_MS)

    def _deliver(self, timeline: Timeline, deliveries: list[Delivery]) -> None:
        for delivery in deliveries:
            if isinstance(delivery, Gap):
                self.events.append(delivery)
            elif delivery.position in timeline.already:
                timeline.already.discard(delivery.position)
            else:
                self._mark(timeline, delivery)
                self.events.append(delivery)
        if timeline.already:
            timeline.already = {
                position for position in timeline.already if position > timeline.mine
            }

    def _mark(self, timeline: Timeline, event: Event) -> None:
        """Let the event's other streams know that it was delivered."""
        names = [self._name(stream) for stream in event.streams()]
        if isinstance(event, Unknown):  # it stands wherever its position comes again
            names = [*self.timelines, *self._joining]
        if len(names) > 1:
            for name in names:
                other = self.timelines.get(name)
                if other is None:
                    if name in self._joining:
                        self._joining[name].add(event.position)
                elif other is not timeline and other.mine < event.position:
                    other.already.add(event.position)

    def _name(self, stream: str) -> str:
        """What this client calls a stream of the journal; nothing of its own for others'."""
        if stream == inbox_stream(self.user):
            return INBOX
        return stream.removeprefix("r.") if stream.startswith("r.") else ""

    # What goes out.

    def subscriptions(self) -> list[tuple[bool, bytes]]:
        """What to tell the SUB socket since the last call: subscribe or not, and the prefix."""
        subscriptions, self._subscriptions = self._subscriptions, []
        return subscriptions

    def handle_timer(self, now: int) -> None:
        """Subscribe again where nothing was heard; ask again where that was put off."""
        for stream, due in list(self._postponed.items()):
            if due <= now:
                del self._postponed[stream]
        for stream, due in list(self._unconfirmed.items()):
            topic = self.timelines[stream].topic
            if due <= now and topic is not None:
                prefix = topic_prefix(topic)
                self._subscriptions += [(False, prefix), (True, prefix)]
                self._unconfirmed[stream] = now + CONFIRM_MS

    def next_timer(self) -> int | None:
        """When `handle_timer` has something to do."""
        return min((*self._unconfirmed.values(), *self._postponed.values()), default=None)

    @property
    def behind(self) -> bool:
        """Whether a stream is known to have more than was delivered, or is not confirmed."""
        return bool(self._unconfirmed) or any(each.behind for each in self.timelines.values())

    def pages_wanted(self) -> list[tuple[str, int]]:
        """Streams that are behind, each with the position to ask after; they count as asked."""
        wanted = [
            (stream, timeline.mine)
            for stream, timeline in self.timelines.items()
            if timeline.behind
            and timeline.topic is not None
            and stream not in self._asked
            and stream not in self._postponed
        ]
        self._asked.update(wanted)
        return wanted

    def keys_wanted(self) -> list[str]:
        """Rooms whose key was missed; they count as asked."""
        wanted = [
            stream
            for stream, timeline in self.timelines.items()
            if timeline.lacks_key
            and stream != INBOX
            and stream not in self._rekeying
            and stream not in self._postponed
        ]
        self._rekeying.update(wanted)
        return wanted
