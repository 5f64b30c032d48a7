"""What this client has asked and has no answer to yet: serials, the window, and the order.

Requests go out in the order made, and again in that order on a new connection; one that
is put back holds those behind it. No clock, no socket, no knowledge of what a reply means.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

import msgspec

from zchat.errors import OutcomeUnknown, Refused, ZchatError
from zchat.protocol.codec import MAX_REQUESTS, encode
from zchat.protocol.names import room_name
from zchat.protocol.replies import Reply
from zchat.protocol.requests import Appending, Bye, Join, Leave, Request

__all__ = ["MAX_QUEUED", "WINDOW", "Pipeline", "Ticket"]

WINDOW: Final = 64
"""Appending requests under way at most (docs/protocol.md, section 6: SHOULD keep to 64)."""

MAX_QUEUED: Final = 1_024
"""Requests without an answer at most, sent or not; the broker keeps as many serials."""

FRAME_BYTES: Final = 60 * 1024
"""Requests in one frame at most; the broker closes connections at 64 KiB."""


class Ticket:
    """One request and, once it is settled, its ``result`` or its ``error``; never both."""

    __slots__ = ("_data", "error", "request", "result", "sent", "then", "tried")

    def __init__(self, request: Request, then: Callable[[Ticket, int], None] | None = None) -> None:
        self.request = request
        """The request as it goes out."""
        self.result: Reply | None = None
        """The broker's answer."""
        self.error: ZchatError | None = None
        """Why there is none: `Refused`, `OutcomeUnknown`, `Closed`, …"""
        self.then = then
        """Whom the session itself tells instead of the application."""
        self.sent = False
        """Whether it is under way on the present connection."""
        self.tried = False
        """Whether it was ever sent, so that only the broker knows what became of it."""
        self._data = msgspec.Raw(b"")

    @property
    def settled(self) -> bool:
        """Whether the answer is known."""
        return self.result is not None or self.error is not None

    @property
    def what(self) -> str:
        """The request in a few words, for a person."""
        named = [str(getattr(self.request, name, "")) for name in ("room", "nick", "text")]
        return " ".join([self.request.op, *(word for word in named if word)])[:80]

    def data(self) -> msgspec.Raw:
        """The request encoded, once. Raises `Refused` ``bad-text`` if no frame can carry it."""
        if not self._data:
            try:
                data = encode(self.request)
            except UnicodeEncodeError:  # a lone surrogate, e.g. from undecodable stdin
                raise Refused("bad-text", reason="this text has parts that are no text") from None
            if len(data) > FRAME_BYTES:
                raise Refused("bad-text", reason=f"{len(data)} bytes are too long for a request")
            self._data = msgspec.Raw(data)
        return self._data

    def renumber(self, id_: int, serial: int) -> None:
        """Other numbers, for a request that this session's broker has not seen."""
        self.request.id = id_
        if isinstance(self.request, Appending):
            assert not self.tried
            self.request.serial = serial
        self._data = msgspec.Raw(b"")


class Pipeline:
    """The requests of one client that are not settled."""

    def __init__(self) -> None:
        self._tickets: dict[int, Ticket] = {}
        self._unsent: deque[Ticket] = deque()
        self._last_id = 0
        self._last_serial = 0
        self._under_way = 0
        self._holding = False
        self.hold_until: int | None = None
        """Before this time (ms) nothing goes out, because the broker asked to wait."""

    def __len__(self) -> int:
        return len(self._tickets)

    @property
    def full(self) -> bool:
        """Whether one more request is one too many."""
        return len(self._tickets) >= MAX_QUEUED

    @property
    def parting(self) -> bool:
        """Whether a bye has no answer yet."""
        return any(isinstance(ticket.request, Bye) for ticket in self._tickets.values())

    @property
    def leaving(self) -> set[str]:
        """The rooms, as written, whose leave has no answer yet."""
        requests = (ticket.request for ticket in self._tickets.values())
        return {request.room for request in requests if isinstance(request, Leave)}

    def joins(self) -> Iterator[str]:
        """The rooms whose join has no answer yet."""
        for ticket in self._tickets.values():
            if isinstance(ticket.request, Join):
                with suppress(Refused):  # what is no name, the broker will refuse, too
                    yield room_name(ticket.request.room)

    def next_id(self) -> int:
        """A number no request of this client had."""
        self._last_id += 1
        return self._last_id

    def make(
        self,
        request_type: type[Request],
        fields: dict[str, Any],
        then: Callable[[Ticket, int], None] | None = None,
    ) -> Ticket:
        """A request with its numbers, not yet on its way."""
        if issubclass(request_type, Appending):
            self._last_serial += 1
            fields["serial"] = self._last_serial
        return Ticket(request_type(id=self.next_id(), **fields), then)

    def add(self, ticket: Ticket) -> None:
        """Send it after everything before it."""
        self._tickets[ticket.request.id] = ticket
        self._unsent.append(ticket)

    def answered(self, id_: int) -> Ticket | None:
        """The ticket a reply is for, which leaves the pipeline; none if it left before."""
        ticket = self._tickets.pop(id_, None)
        if ticket is not None and ticket.sent:
            self._under_way -= isinstance(ticket.request, Appending)
        return ticket

    def put_back(self, ticket: Ticket, until: int) -> None:
        """It was refused for now: send it again after ``until`` (ms), and nothing before it.

        What was under way with it may still come true before it; so nothing is sent until
        each of those has its answer.
        """
        ticket.sent = False
        # Ids grow in the order asked, so they say where it was before `answered` took it out.
        self._tickets = dict(sorted((*self._tickets.items(), (ticket.request.id, ticket))))
        self._unsent = deque(each for each in self._tickets.values() if not each.sent)
        self._holding = True
        self.hold_until = max(until, self.hold_until or 0)

    def handle_timer(self, now: int) -> None:
        """Let go what waited for its time."""
        if self.hold_until is not None and now >= self.hold_until:
            self.hold_until = None

    def frames(self) -> list[bytes]:
        """What may be sent now, as DEALER frames of at most 256 requests and 60 KiB."""
        if self._holding:
            if self.hold_until is not None or self._under_way:
                return []
            self._holding = False
        frames: list[bytes] = []
        batch: list[msgspec.Raw] = []
        size = 0
        unsent = self._unsent
        while unsent:
            ticket = unsent[0]
            appending = isinstance(ticket.request, Appending)
            if appending and self._under_way >= WINDOW:
                break
            unsent.popleft()
            self._under_way += appending
            ticket.sent = ticket.tried = True
            data = ticket.data()
            length = len(memoryview(data))
            if batch and (size + length > FRAME_BYTES or len(batch) == MAX_REQUESTS):
                frames.append(encode(batch))
                batch, size = [], 0
            batch.append(data)
            size += length
        if batch:
            frames.append(encode(batch))
        return frames

    def unsend(self) -> None:
        """The connection is gone: everything goes out again, in order, on the next one."""
        for ticket in self._tickets.values():
            ticket.sent = False
        self._unsent = deque(self._tickets.values())
        self._under_way = 0
        self._holding = False
        self.hold_until = None

    def discard(self, tickets: Iterable[Ticket]) -> None:
        """Forget these; nobody waits for them any more."""
        for ticket in tickets:
            self.answered(ticket.request.id)
        self._unsent = deque(each for each in self._unsent if each.request.id in self._tickets)

    def discard_own(self) -> None:
        """Forget what the session reads for itself; it asks anew where it still needs to."""
        self.discard(
            [
                ticket
                for ticket in self._tickets.values()
                if ticket.then is not None and not isinstance(ticket.request, Appending)
            ]
        )

    def begin_anew(self) -> list[Ticket]:
        """The session is over: settle what it may have done, renumber what it never saw.

        Returns the tickets settled with `OutcomeUnknown`.
        """
        unknown: list[Ticket] = []
        kept: list[Ticket] = []
        for ticket in self._tickets.values():
            if ticket.then is not None:
                continue  # what the session itself asked concerned the session that is over
            if ticket.tried and isinstance(ticket.request, Appending):
                ticket.error = OutcomeUnknown(ticket.what)
                unknown.append(ticket)
            else:
                kept.append(ticket)
        self._tickets = {ticket.request.id: ticket for ticket in kept}
        self.unsend()
        return unknown

    def go_first(self, tickets: list[Ticket]) -> None:
        """Send these before all that waits, of which nothing is under way."""
        self._unsent = deque((*tickets, *self._tickets.values()))
        self._tickets = {}
        for ticket in self._unsent:
            self._last_serial += isinstance(ticket.request, Appending)
            ticket.renumber(self.next_id(), self._last_serial)
            self._tickets[ticket.request.id] = ticket

    def end(self, error: ZchatError) -> list[Ticket]:
        """Nothing will be sent any more: every ticket, settled."""
        tickets = list(self._tickets.values())
        for ticket in tickets:
            unknown = ticket.tried and isinstance(ticket.request, Appending)
            ticket.error = OutcomeUnknown(ticket.what) if unknown else error
        self._tickets = {}
        self.unsend()
        return tickets
