"""One client's session with a broker, without I/O: what to send, what was heard, what to do next.

It reads no clock, opens no socket and rolls no dice: ``now`` (monotonic ms) is an argument
and random bytes come from the function it was given. A shell moves bytes by five verbs::

    connected(now)  lost(now)                    the link: one DEALER and one SUB
    receive_replies(data, now)  receive_publication(frame)
    request(type, now, …) → Ticket
    next_timer()  handle_timer(now)
    take_frames(now)  take_subscriptions()  take_events()  take_settled()

and asks `connect_at` and `hangs_up` what to do with the link. docs/protocol.md says the rest.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, Final

from zchat.errors import Closed, ProtocolError, Refused, ZchatError
from zchat.protocol import codec, names, replies
from zchat.protocol import requests as q
from zchat.protocol.events import Renamed

from .backoff import Backoff
from .credentials import Credentials
from .errands import RETRIED, Errands
from .events import ChatEvent, Connected, Disconnected, SessionLost
from .heartbeat import Heartbeat
from .pipeline import Pipeline, Ticket
from .streams import Streams

__all__ = ["LinkState", "Session"]

PENDING: Final = 10_000
"""Events the application may leave untaken before no more are fetched for it."""

BROKE: Final = "the connection broke"

OVER: Final = {"session-ended", "bad-token"}
"""Refusals that say the session is no more."""


class LinkState(enum.Enum):
    """How the connection fares."""

    DOWN = "there is none"
    GREETING = "hello was said and is not answered"
    UP = "the broker has welcomed this client"


class Session:
    """A client's side of docs/protocol.md.

    ``nick`` None asks for a guest's. ``fresh(n)`` gives n random bytes, from the OS in
    earnest. The link is to be made at once: `connect_at` begins at 0.
    """

    def __init__(
        self,
        *,
        nick: str | None,
        fresh: Callable[[int], bytes],
        agent: str = "",
        pending: int = PENDING,
    ) -> None:
        self.nick = nick or ""
        """What this user is called; the broker's word once it has welcomed us."""
        self.refused: Refused | None = None
        """Why the last hello was put off by a broker that is there."""
        self.welcome: replies.Welcome | None = None
        """What the broker said when it last welcomed us."""
        self.state = LinkState.DOWN
        """How the link fares."""
        self.connect_at: int | None = 0
        """When the shell is to connect (ms); None while there is a link, or when closed."""
        self.hangs_up = False
        """Whether the shell is to close the link, and say `lost`."""
        self.closed: ZchatError | None = None
        """Why it has ended for good, if it has."""
        self.streams = Streams()
        """What this client hears."""
        self._credentials = Credentials(nick, agent, fresh)
        self._heartbeat = Heartbeat()
        self._pending = pending
        self._backoff = Backoff(fresh)
        self._pipeline = Pipeline()
        self._settled: list[Ticket] = []
        self._hello: q.Hello | None = None
        self._epoch = ""
        self._retry_ms: int | None = None  # the broker's word on when to come back
        self._why = BROKE
        self._greeting: list[bytes] = []  # the hello, until it is taken
        self._errands = Errands(self._pipeline, self.streams)

    # The link.

    def connected(self, now: int) -> None:
        """There is a link: hello is the first that goes out on it."""
        self.state = LinkState.GREETING
        self.connect_at = None
        self.hangs_up = False
        self._heartbeat.greeting(now)
        self._greet()

    def lost(self, now: int, why: str | None = None) -> None:
        """The link is gone. What has no answer goes out again, in order, on the next one."""
        if self.state is LinkState.DOWN and self.connect_at is not None:
            return
        was_up = self.state is LinkState.UP
        self.state = LinkState.DOWN
        self.hangs_up = False
        self._hello = None
        self._heartbeat.stop()
        self._pipeline.unsend()
        self._pipeline.discard_own()
        self.streams.unlink()
        if self.closed is None:
            wait = self._backoff.next(self._retry_ms)
            self._retry_ms = None
            self.connect_at = now + wait
            if was_up:
                reason = why or self._why
                self._tell(Disconnected(reason=reason, retry_in_ms=wait))
        self._why = BROKE

    def _greet(self) -> None:
        """Say hello: for a new session, or to resume the one there is."""
        self._hello = self._credentials.hello(self._pipeline.next_id())
        try:
            self._greeting = [codec.encode_requests([self._hello])]
        except UnicodeEncodeError:  # a lone surrogate, e.g. from an undecodable command line
            nick = (self._hello.nick or "").encode("utf-8", "replace").decode()
            self._end(Refused("bad-name", name=nick, reason="it has parts that are no text"))

    def _hang_up(self, why: str, retry_ms: int | None = None) -> None:
        self._why = why
        self._retry_ms = retry_ms
        self.hangs_up = True

    # What comes in.

    def receive_replies(self, data: bytes, now: int) -> None:
        """A frame from the DEALER. One that is not the protocol ends the link, not the session."""
        try:
            items = codec.decode_replies(data)
        except ProtocolError as error:
            self._hang_up(f"the broker said what is not the protocol: {error}")
            return
        self._heartbeat.heard(now)
        for item in items:
            if isinstance(item, replies.Notice):
                self._notice(item, now)
            elif isinstance(item, Refused):
                self._refused(item, now)
            else:
                self._answered(item, now)

    def receive_publication(self, frame: bytes) -> None:
        """A frame from the SUB."""
        self.streams.publication(frame)

    def _notice(self, notice: replies.Notice, now: int) -> None:
        match notice.notice:
            case "taken-over":
                self._end(Refused("taken-over", notice.message))
            case "session-ended":
                self._begin_anew(notice.message, now)
            case "draining":
                self._hang_up(notice.message, notice.retry_ms)

    def _answered(self, item: dict[str, Any], now: int) -> None:
        try:
            if self._hello is not None and item["id"] == self._hello.id:
                self._welcomed(codec.typed(item, replies.Welcome), now)
                return
            ticket = self._pipeline.answered(item["id"])
            if ticket is not None:
                ticket.result = codec.typed(item, replies.REPLIES[type(ticket.request)])
                self._settle(ticket, now)
        except ProtocolError as error:
            self._hang_up(f"the broker said what is not the protocol: {error}")

    def _refused(self, refused: Refused, now: int) -> None:
        id_ = refused.fields.pop("id")
        assert isinstance(id_, int)  # the codec has seen to it
        retry_ms = refused.fields.get("retry_ms")
        wait = retry_ms if isinstance(retry_ms, int) else 0
        if self._hello is not None and id_ == self._hello.id:
            if self._credentials.session and refused.code in OVER:
                self._begin_anew(refused.message, now)
            elif refused.code in RETRIED or refused.code == "too-many-sessions":
                self.refused = refused
                self._hang_up(refused.message, wait or None)
            else:
                self._end(refused)
            return
        if id_ == 0:
            self._hang_up(refused.message)  # it could not read what was sent
        ticket = self._pipeline.answered(id_)
        if ticket is None:
            return
        if refused.code in RETRIED and isinstance(ticket.request, q.Appending):
            self._pipeline.put_back(ticket, now + wait)
        elif refused.code in OVER and isinstance(ticket.request, q.Bye):
            self._end(Closed())
        elif refused.code in OVER and self.state is LinkState.UP:
            self._pipeline.put_back(ticket, now)
            self._begin_anew(refused.message, now)
        else:
            ticket.error = refused
            self._settle(ticket, now)

    def _welcomed(self, welcome: replies.Welcome, now: int) -> None:
        first = not self._credentials.session
        if self._epoch and welcome.epoch != self._epoch:
            heads = {handout.stream: handout.head for handout in (welcome.inbox, *welcome.rooms)}
            self.streams.begin_at(heads)
        self._epoch = welcome.epoch
        self._credentials.welcomed(welcome)
        self.refused = None
        self._hello = None
        self.welcome, self.nick = welcome, welcome.nick
        self.streams.user = welcome.user
        self.state = LinkState.UP
        self._heartbeat.begin(welcome.heartbeat_ms, now)
        self._backoff.succeeded()
        self.streams.hear(welcome.inbox, welcome.inbox.head, now)
        for handout in welcome.rooms:
            # Of a room whose join is unanswered, the answer brings where it begins.
            if handout.stream in self.streams.timelines:
                self.streams.hear(handout, handout.head, now)
        self._tell(Connected(nick=self.nick, resumed=welcome.resumed, agent=welcome.agent))
        if first:
            self._errands.rejoin()
        else:
            present = {handout.stream for handout in welcome.rooms}
            for stream in [*self.streams.timelines]:
                if stream not in present and stream != replies.INBOX:
                    self.streams.leave(stream)
        self.ask()

    def _begin_anew(self, why: str, now: int) -> None:
        """The session is over: another one under the same nick, in the same rooms."""
        if self._pipeline.parting:
            self._end(Closed())  # which is what was asked for
            return
        unknown = self._pipeline.begin_anew()
        self._errands.begin_anew()
        self._tell(SessionLost(reason=why, unanswered=len(unknown)))
        for ticket in unknown:
            self._settle(ticket, now)
        self._credentials.forget()
        self.state = LinkState.GREETING
        self._greet()

    def _end(self, error: ZchatError) -> None:
        """Nothing more will come of this session."""
        self.closed = error
        self.hangs_up = self.state is not LinkState.DOWN
        self.connect_at = None
        self._heartbeat.stop()
        self._settled += self._pipeline.end(error)

    def _settle(self, ticket: Ticket, now: int) -> None:
        """A ticket has its answer: what this session itself learns from it."""
        match ticket.request, ticket.result:
            case q.Join(), replies.Joined() as joined:
                timeline = self.streams.hear(joined.room, joined.position, now)
                timeline.since = max(timeline.since, joined.position)
                self.streams.expect(self._pipeline.joins())
            case q.Leave(room=room), replies.Done(position=position):
                self.streams.left(room, position)
            case q.Nick(nick=nick), replies.Done():
                self.nick = self._credentials.nick = names.nick(nick)
            case q.Bye(), replies.Done():
                self._end(Closed())
        if ticket.then is not None:
            ticket.then(ticket, now)
        else:
            self._settled.append(ticket)
        self.ask()

    # What the session asks by itself.

    def ask(self) -> None:
        """Ask for what is missed, if the application keeps up."""
        if self.state is LinkState.UP and self.wants_publications:
            self._errands.ask()

    def _ponged(self, ticket: Ticket, now: int) -> None:
        if isinstance(ticket.result, replies.Pong):
            if ticket.result.epoch == self._epoch:
                self.streams.heads(ticket.result.heads, now)
            else:
                self._hang_up("the broker has another journal now")

    # Time.

    def next_timer(self) -> int | None:
        """When `handle_timer` has something to do (monotonic ms); None if never."""
        timers = (
            self._heartbeat.next_timer(),
            self._pipeline.hold_until,
            # While SUB is left unread, nothing can be confirmed.
            self.streams.next_timer() if self.wants_publications else None,
        )
        return min((timer for timer in timers if timer is not None), default=None)

    def handle_timer(self, now: int) -> None:
        """Do what is due."""
        if self._heartbeat.is_dead(now):
            self._hang_up("the broker does not answer")
        if self._heartbeat.is_due(now):
            self._pipeline.add(self._pipeline.make(q.Ping, {}, self._ponged))
        self._pipeline.handle_timer(now)
        if self.wants_publications:
            self.streams.handle_timer(now)
        self.ask()

    # What the application does.

    @property
    def full(self) -> bool:
        """Whether so many requests are unanswered that one more is one too many."""
        return self._pipeline.full

    @property
    def idle(self) -> bool:
        """Whether every request is answered and no stream is known to be behind."""
        return not len(self._pipeline) and not self.streams.behind

    def request(self, request_type: type[q.Request], **fields: Any) -> Ticket:
        """Ask the broker something; it is sent when it can be. Not to be called while `full`.

        A name or text that no frame can carry settles at once with `Refused`.
        """
        ticket = self._pipeline.make(request_type, fields)
        if self.closed is not None:
            ticket.error = self.closed
        else:
            try:
                ticket.data()
            except Refused as refused:
                ticket.error = refused
        if ticket.error is None:
            self._pipeline.add(ticket)
            if isinstance(ticket.request, q.Join):
                self.streams.expect(self._pipeline.joins())
        else:
            self._settled.append(ticket)
        return ticket

    def close(self) -> None:
        """End it from this side, whether the broker hears of it or not."""
        if self.closed is None:
            self._end(Closed())

    # What goes out.

    @property
    def wants_publications(self) -> bool:
        """Whether the application keeps up; while not, leave the SUB unread. Nothing is lost by it."""
        return len(self.streams.events) < self._pending

    def take_frames(self) -> list[bytes]:
        """Frames for the DEALER, in order."""
        if self.state is LinkState.DOWN:
            return []
        frames, self._greeting = self._greeting, []
        return frames + self._pipeline.frames() if self.state is LinkState.UP else frames

    def take_subscriptions(self) -> list[tuple[bool, bytes]]:
        """What to tell the SUB: subscribe or not, and the prefix."""
        return self.streams.subscriptions()

    def take_events(self, most: int | None = None) -> list[ChatEvent]:
        """Up to ``most`` events for the application, in order."""
        events = self.streams.events
        taken = [
            events.popleft() for _ in range(len(events) if most is None else min(most, len(events)))
        ]
        if taken:
            for event in taken:
                if isinstance(event, Renamed) and event.user == self.streams.user:
                    self.nick = self._credentials.nick = event.to
            self.ask()
        return taken

    def take_settled(self) -> list[Ticket]:
        """The requests that have been answered, each once."""
        settled, self._settled = self._settled, []
        return settled

    def _tell(self, event: ChatEvent) -> None:
        self.streams.events.append(event)
