"""What a turn has to send, gathered until its commit: replies, refusals, notices, publications."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from zchat.errors import Refused
from zchat.protocol import codec
from zchat.protocol.events import Event
from zchat.protocol.replies import Notice
from zchat.protocol.seal import MAX_FRAME_BYTES

from .clients import Client
from .effects import Effects, Refusal
from .record import Record
from .topics import Topics

__all__ = ["Outbox"]


class Outbox:
    """One turn's effects in the making."""

    def __init__(self, record: Record, topics: Topics) -> None:
        self._record = record
        self._topics = topics
        self._answered: dict[Client, None] = {}
        self._closes: list[bytes] = []
        self._events: list[Event] = []
        self._refusals: list[Refusal] = []

    def reply(self, client: Client, reply: bytes) -> None:
        """An encoded reply for a client; those of a turn share frames."""
        client.replies.append(reply)
        self._answered[client] = None

    def refuse(self, client: Client, id_: int, op: str, refused: Refused) -> None:
        """A refusal, for the connection and for the operator's log."""
        self.reply(client, codec.encode_refusal(id_, refused))
        session = self._record.sessions.get(client.session or "")
        who = client.address if session is None else self._record.users[session.user].nick
        self._refusals.append(Refusal(who, op, refused))

    def notify(self, client: Client, refused: Refused) -> None:
        """What nobody asked for: from now on this client is refused so."""
        retry_ms = refused.fields.get("retry_ms")
        notice = Notice(
            id=0,
            notice=refused.code,
            message=refused.message,
            retry_ms=retry_ms if isinstance(retry_ms, int) else None,
        )
        self.reply(client, codec.encode(notice))

    def close(self, client: Client) -> None:
        """A client's connection is to end."""
        self._closes.append(client.routing_id)

    def holds(self, event: Event) -> None:
        """An event came to hold, for the operator's log."""
        self._events.append(event)

    def take(self) -> Effects:
        """All of it; nothing is left."""
        effects = Effects(
            publications=self._topics.flush(),
            replies=[
                (client.routing_id, frame)
                for client in self._answered
                for frame in _frames(client.replies)
            ],
            closes=self._closes,
            events=self._events,
            refusals=self._refusals,
        )
        for client in self._answered:
            client.replies = []
        self._answered, self._closes, self._events, self._refusals = {}, [], [], []
        return effects


def _frames(replies: Sequence[bytes]) -> Iterator[bytes]:
    """The replies in frames of about 64 KiB: a reader's budget is a number of frames."""
    start = size = 0
    for end, reply in enumerate(replies):
        size += len(reply)
        if size > MAX_FRAME_BYTES and end > start:
            yield codec.encode_replies(replies[start:end])
            start, size = end, len(reply)
    yield codec.encode_replies(replies[start:])
