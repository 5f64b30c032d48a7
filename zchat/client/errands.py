"""What a session asks for itself: the pages and keys it missed, the rooms of a session it lost. Pure."""

from __future__ import annotations

from typing import Final

from zchat.errors import Refused
from zchat.protocol import replies
from zchat.protocol import requests as q

from .events import RoomLost
from .pipeline import Pipeline, Ticket
from .streams import Streams

__all__ = ["PAGE", "RETRIED", "Errands"]

PAGE: Final = 200
"""Events asked for at a time."""

RETRIED: Final = {"rate-limited", "storage-full", "stale", "draining"}
"""Refusals of the moment: the request is sent again by itself, in its order."""


class Errands:
    """Requests nobody waits for; their answers go to the streams."""

    def __init__(self, pipeline: Pipeline, streams: Streams) -> None:
        self._pipeline = pipeline
        self._streams = streams
        self._lost: list[str] = []  # rooms of the session that ended

    def ask(self) -> None:
        """Ask for the pages and keys that are missed and not asked for."""
        for stream, after in self._streams.pages_wanted():
            fields = {"stream": stream, "after": after, "limit": PAGE}
            self._pipeline.add(self._pipeline.make(q.History, fields, self._paged))
        wanted = self._streams.keys_wanted()
        if wanted:
            leaving = self._pipeline.leaving
            for room in wanted:
                if room not in leaving:
                    self._pipeline.add(self._pipeline.make(q.Join, {"room": room}, self._heard))

    def begin_anew(self) -> None:
        """The session is over. Its rooms are joined again with the next one; its inbox is gone."""
        self._lost = [room for room in self._streams.timelines if room != replies.INBOX]
        self._streams.unlink()
        self._streams.leave(replies.INBOX)

    def rejoin(self) -> None:
        """A new session has begun: before all else, back into the rooms of the former."""
        lost, self._lost = self._lost, []
        self._pipeline.go_first(
            [self._pipeline.make(q.Join, {"room": room}, self._heard) for room in lost]
        )

    def _paged(self, ticket: Ticket, now: int) -> None:
        request, error = ticket.request, ticket.error
        assert isinstance(request, q.History)
        assert request.after is not None
        if isinstance(ticket.result, replies.Page):
            self._streams.page(request.stream, request.after, ticket.result)
        elif isinstance(error, Refused) and error.code in RETRIED:
            retry_ms = error.fields.get("retry_ms")
            wait = retry_ms if isinstance(retry_ms, int) else 1
            self._streams.postpone(request.stream, now + wait)
        else:
            self._streams.give_up(request.stream)

    def _heard(self, ticket: Ticket, now: int) -> None:  # noqa: ARG002  # a ticket's callback
        """A room that refuses is lost to this client, which is told so."""
        assert isinstance(ticket.request, q.Join)
        room = ticket.request.room
        if ticket.error is not None and room in self._streams.timelines:
            self._streams.leave(room)
            self._streams.events.append(RoomLost(room=room, reason=str(ticket.error)))
