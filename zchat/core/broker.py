"""The broker, pure: requests in, events to append, effects out.

It reads no clock, opens no socket and writes no journal. One turn, by whoever owns those
(`zchat.broker.turn`)::

    receive(…)*  disconnected(…)*  granted(…)  handle_timers(now)     what came in
    proposals()        → append them as one commit; `declined` if that failed
    committed(events)  → `void`: positions to drop from the journal, before the next commit
    reads()            → read each from the journal and give it to `page`, or to `unreadable`
    effects()          → what to send, in order

A request passes the gates of `zchat.core.table`; the event it comes to is judged by
`zchat.core.checks`, now and when it is committed; replies and publications leave after that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from zchat.config import Settings
from zchat.errors import ProtocolError, Refused
from zchat.protocol import codec
from zchat.protocol import events as e
from zchat.protocol import requests as q
from zchat.protocol.replies import Done, Reply

from .checks import verdict
from .clients import Client, Clients
from .clock import Now
from .desk import Desk
from .effects import Effects, Read
from .fold import apply
from .handlers import rooms, sessions
from .hearing import Hearing
from .outbox import Outbox
from .pages import Pages
from .presence import Presence
from .ratelimit import Bucket
from .record import Record, Repeat
from .table import TABLE, Standing
from .timers import Timers
from .topics import Topics

__all__ = ["Broker"]

Name = tuple[str, int | bytes]
"""What names a request for ever: session and serial, or session and token for a hello."""


class Broker:
    """Who is here, what they may hear, and what becomes of what they ask."""

    def __init__(
        self,
        settings: Settings,
        record: Record,
        *,
        epoch: str,
        agent: str,
        fresh: Callable[[int], bytes],
        now: Now,
    ) -> None:
        """A broker on a folded record. ``fresh(n)`` gives n random bytes, from the OS in earnest."""
        self.settings = settings
        self.record = record
        self.timers = Timers()
        self.clients = Clients()
        self.topics = Topics(fresh)
        self.presence = Presence(settings, record, self.clients, self.timers)
        self.desk = Desk(
            settings,
            record,
            epoch,
            agent,
            self.topics,
            self.clients,
            self.presence.leaving,
            fresh,
        )
        self.hearing = Hearing(settings, record, self.topics, self.timers)
        self.draining: int | None = None  # ms after which clients may come back
        self.void: list[int] = []  # positions that came to nothing and are still in the journal
        self.repeats = 0  # requests that had been appended before
        self._proposals: list[e.Event] = []
        self._waiting: dict[Name, list[tuple[Client, q.Request]]] = {}
        self._outbox = Outbox(record, self.topics)
        self._pages = Pages(record, self.clients, self._outbox)
        self.presence.start(now.monotonic)

    # What comes in.

    def receive(self, routing_id: bytes, address: str, frame: bytes, now: Now) -> None:
        """One frame of requests from a client."""
        client = self.clients.get(routing_id)
        if client is None:
            rate, burst = self.settings.rate, self.settings.burst
            bucket = Bucket(rate, burst, now.monotonic)
            client = Client(routing_id, address, bucket, Bucket(rate, burst, now.monotonic))
            self.clients.add(client)
        if client.flooding:
            return
        try:
            requests = codec.decode_requests(frame)
        except ProtocolError as error:
            self._turn_away(client, 0, "frame", Refused("bad-frame", str(error)), now)
            return
        held = client.held
        over = bool(held) and (
            len(held) + len(requests) > self.settings.max_waiting
            or client.held_bytes + len(frame) > self.settings.max_waiting_bytes
        )
        client.held_bytes += 0 if over else len(frame)
        for request in requests:
            if isinstance(request, Refused):
                id_ = int(str(request.fields["id"]))
                self._turn_away(client, id_, "request", request, now)
            elif over:
                retry_ms = client.bucket.wait_ms(len(held)) or 1
                refused = Refused("rate-limited", retry_ms=retry_ms)
                self._turn_away(client, request.id, request.op, refused, now)
            else:
                held.append(request)
        self._advance(client, now)

    def _turn_away(self, client: Client, id_: int, op: str, refused: Refused, now: Now) -> None:
        """Refuse what is not even decided. Whoever makes a flood of that is closed."""
        if client.tolerance.take(1, now.monotonic):
            self._outbox.refuse(client, id_, op, refused)
        elif not client.flooding:
            client.flooding = True
            self._outbox.close(client)

    def disconnected(self, routing_id: bytes, now: Now) -> None:
        """A client is gone."""
        self.timers.cancel(("bucket", routing_id.hex()))
        session = self.clients.remove(routing_id)
        if session is not None:
            self._propose(self.presence.lost(session, now))

    def granted(self, topics: Iterable[int], now: Now) -> None:
        """These topics have a new subscriber: tell it where the stream is."""
        self.hearing.granted(topics, now.monotonic)

    def handle_timers(self, now: Now) -> None:
        """Do what is due."""
        for kind, name in self.timers.expired(now.monotonic):
            match kind:
                case "bucket":
                    client = self.clients.get(bytes.fromhex(name))
                    if client is not None:
                        self._advance(client, now)
                case "away":
                    self._propose(self.presence.away(name, now))
                case "grace":
                    self._propose(self.presence.end(name, now))
                case "rekey":
                    self.hearing.rekey(name, now.monotonic)
                case "confirm":
                    self.hearing.confirm(int(name), now.monotonic)

    def next_timer(self) -> int | None:
        """When `handle_timers` has something to do, in monotonic ms; None if never."""
        return self.timers.next()

    def drain(self, retry_ms: int) -> None:
        """Stop accepting: tell every client, and when to come back."""
        self.draining = retry_ms
        for client in self.clients:
            self._outbox.notify(client, Refused("draining", retry_ms=retry_ms))

    # Deciding.

    def _advance(self, client: Client, now: Now) -> None:
        """Decide what the client has sent, in order, as far as barrier and rate allow."""
        held = client.held
        while held and not client.barrier:
            cost = TABLE[type(held[0])].cost
            if not client.bucket.take(cost, now.monotonic):
                due = now.monotonic + client.bucket.wait_ms(cost)
                self.timers.set(("bucket", client.routing_id.hex()), due)
                return
            request = held.popleft()
            client.held_bytes -= client.held_bytes // (len(held) + 1)  # an even share of them
            try:
                self._decide(client, request, now)
            except Refused as refused:
                self._outbox.refuse(client, request.id, request.op, refused)

    def _decide(self, client: Client, request: q.Request, now: Now) -> None:
        """One request through its gates. Raises `Refused`."""
        row = TABLE[type(request)]
        barrier = request if row.barrier else None
        if self.draining is not None:
            raise Refused("draining", retry_ms=self.draining)
        if row.standing is Standing.SESSION and client.session is None:
            raise Refused(client.ended or "no-session")
        desk = self.desk
        desk.seat(client, now)
        if isinstance(request, q.Appending):
            assert client.session is not None
            waiting = self._waiting.get((client.session, request.serial))
            if waiting is not None:
                client.barrier = barrier
                waiting.append((client, request))
                return
            first = desk.session.serials.find(request.serial)
            if first:
                self.repeats += 1
                self._answer(client, request, first)
                return
        row.permission(desk, request)
        answer = row.handler(desk, request)
        if isinstance(answer, Reply):
            self._outbox.reply(client, codec.encode(answer))
            return
        if isinstance(answer, Read):
            client.barrier = barrier
            self._pages.ask(answer)
            return
        events = answer if isinstance(answer, tuple) else (answer,)
        objection = verdict(self.record, events[0])
        if isinstance(objection, Refused):
            raise objection
        client.barrier = barrier
        self._waiting.setdefault(_name(events[0]), []).append((client, request))
        self._proposals.extend(events)

    def _propose(self, event: e.Event | None) -> None:
        if event is not None:
            self._proposals.append(event)

    # Committing.

    def proposals(self) -> list[e.Event]:
        """The events to append, as one commit. They are the caller's now."""
        proposals, self._proposals = self._proposals, []
        return proposals

    def declined(self, batch: Sequence[e.Event], now: Now) -> None:
        """The journal kept nothing of this batch: whoever waits for it is told so."""
        refused = Refused("storage-full", retry_ms=self.settings.retry_ms)
        for event in batch:
            self.presence.void(event, now, retry_ms=self.settings.retry_ms)
            for client, request in self._waiting.pop(_name(event), ()):
                self._outbox.refuse(client, request.id, request.op, refused)
                self._release(client, request, now)

    def committed(self, events: Iterable[e.Event], now: Now) -> None:
        """Fold what the journal committed, own and others' events alike."""
        heads = self.record.heads
        settled: list[tuple[Client, q.Request]] = []
        anew: list[tuple[Client, q.Request]] = []
        for event in events:
            streams = event.streams()
            prevs = [heads.get(stream, 0) for stream in streams]
            objection = apply(self.record, event)
            if objection is None:
                self.hearing.publish(event, streams, prevs, now.monotonic)
                self.presence.folded(event, now)
                self._outbox.holds(event)
            else:
                self.presence.void(event, now, retry_ms=0)
                self.void.append(event.position)
            for client, request in self._waiting.pop(_name(event), ()):
                settled.append((client, request))
                if isinstance(objection, Refused) and objection.code == "stale":
                    # What it was decided on changed in the same turn; it is decided anew.
                    anew.append((client, request))
                else:
                    self._settle(client, request, event, objection, now)
            if objection is None and isinstance(event, e.SessionEnded):
                self._part(event)
        for client, request in reversed(anew):
            client.held.appendleft(request)
        for client, request in settled:
            self._release(client, request, now)

    def _settle(
        self,
        client: Client,
        request: q.Request,
        event: e.Event,
        objection: Refused | Repeat | None,
        now: Now,
    ) -> None:
        """Answer the request that caused ``event``."""
        if isinstance(objection, Refused):
            self._outbox.refuse(client, request.id, request.op, objection)
        elif isinstance(request, q.Hello):
            self._welcome(client, request, event, now)
        else:
            position = event.position if objection is None else objection.position
            try:
                self._answer(client, request, position)
            except Refused as refused:
                self._outbox.refuse(client, request.id, request.op, refused)

    def _welcome(self, client: Client, request: q.Hello, event: e.Event, now: Now) -> None:
        if self.clients.get(client.routing_id) is not client:
            if self.clients.of(event.session) is None:
                self._propose(self.presence.lost(event.session, now))
            return
        former = self.clients.bind(client, event.session)
        if former is not None:
            self._outbox.notify(former, Refused("taken-over"))
        self.presence.found(event.session)
        resumed = not isinstance(event, e.SessionStarted)
        welcome = sessions.welcome(
            self.desk, request.id, event.session, event.position, resumed=resumed
        )
        self._outbox.reply(client, codec.encode(welcome))

    def _answer(self, client: Client, request: q.Request, position: int) -> None:
        """The reply to an append that stands at ``position``. Raises `Refused`."""
        if isinstance(request, q.Join):
            if client.session is None:
                raise Refused(client.ended)
            self.desk.session_id = client.session
            name = self.desk.room(request.room)
            reply: Reply = rooms.joined(self.desk, request.id, name, position)
        else:
            reply = Done(id=request.id, position=position)
        self._outbox.reply(client, codec.encode(reply))

    def _part(self, event: e.SessionEnded) -> None:
        """The client of a session that has ended speaks for it no more; it may not know yet."""
        self.clients.forget(event.session)
        client = self.clients.of(event.session)
        if client is not None:
            self.clients.unbind(client, "session-ended")
            if event.reason != "bye":
                self._outbox.notify(client, Refused("session-ended"))

    def _release(self, client: Client, request: q.Request, now: Now) -> None:
        """``request`` took effect; if others waited for it, they go on."""
        if client.barrier is request:
            client.barrier = None
        self._advance(client, now)

    # Reading.

    def reads(self) -> list[Read]:
        """The pages to read, after the commit. Each must be given to `page` or `unreadable`."""
        return self._pages.take()

    def page(self, read: Read, events: Sequence[e.Event], more: bool, floor: int, now: Now) -> None:
        """What the journal holds for ``read``."""
        held = [event for event in events if event.position not in self.void]
        self._paged(self._pages.answer(read, held, more, floor), now)

    def unreadable(self, read: Read, now: Now) -> None:
        """The journal could not be read for ``read``: who asked is told so, and goes on."""
        self._paged(self._pages.refuse(read, Refused("unreadable")), now)

    def _paged(self, client: Client | None, now: Now) -> None:
        if client is not None:
            client.barrier = None
            self._advance(client, now)

    # Going out.

    @property
    def busy(self) -> bool:
        """Whether there is something to commit without waiting for anybody."""
        return bool(self._proposals or self._pages)

    def effects(self) -> Effects:
        """What the turn comes to; it must leave in the order of the fields."""
        return self._outbox.take()


def _name(event: e.Event) -> Name:
    if isinstance(event, e.SessionStarted | e.SessionResumed):
        return (event.session, event.token_hash)
    return (event.session, event.serial)
