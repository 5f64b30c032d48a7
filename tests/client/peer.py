"""A broker's lines, said by hand to one session: each call is one thing that goes in or comes out."""

from __future__ import annotations

import random
from typing import Any

from tests.client.rows import handout, key_of, said, sealed
from zchat.client.events import ChatEvent
from zchat.client.pipeline import Ticket
from zchat.client.session import LinkState, Session
from zchat.errors import Refused
from zchat.protocol import requests as q
from zchat.protocol.codec import decode_requests, encode
from zchat.protocol.replies import INBOX, Handout

HEARTBEAT = 1_000
"""What every welcome here asks for, in ms."""


class Peer:
    """One session and the hand that answers it."""

    def __init__(self, nick: str | None = "ada", **session: Any) -> None:
        self.now = 0
        self.session = Session(nick=nick, fresh=random.Random(1).randbytes, **session)

    # What comes out.

    def sends(self) -> list[q.Request]:
        """The requests that go out now."""
        requests = [each for data in self.session.take_frames() for each in decode_requests(data)]
        assert not [each for each in requests if isinstance(each, Refused)]
        return requests  # type: ignore[return-value]

    def ops(self) -> list[str]:
        """The same, as words: messages by their text."""
        return [each.text if isinstance(each, q.Say) else each.op for each in self.sends()]

    def events(self) -> list[ChatEvent]:
        return self.session.take_events()

    def settled(self) -> list[Ticket]:
        return self.session.take_settled()

    # What goes in.

    def says(self, *replies: dict[str, Any]) -> None:
        """One frame of replies."""
        self.session.receive_replies(encode(replies), self.now)

    def refuses(self, request: q.Request, code: str, **fields: Any) -> None:
        self.says({"id": request.id, "error": {"code": code, "message": code, **fields}})

    def done(self, request: q.Request, position: int) -> None:
        self.says({"id": request.id, "position": position})

    def notices(self, notice: str, **fields: Any) -> None:
        self.says({"id": 0, "notice": notice, "message": notice, **fields})

    def publishes(self, stream: str, prev: int, *positions: int, topic: int | None = None) -> None:
        rows = [said(each, stream) for each in positions]
        key = key_of(topic or topic_of(stream))
        self.session.receive_publication(sealed(key, 1, prev, rows))

    def passes(self, ms: int) -> None:
        """Time, stopping at every deadline on the way as a shell does."""
        end = self.now + ms
        while (due := self.session.next_timer()) is not None and due <= end:
            self.now = max(self.now, due)
            self.session.handle_timer(self.now)
            if self.session.hangs_up:
                break
        self.now = end

    # Whole scenes.

    def connects(self) -> q.Hello:
        """A link, and the hello that goes out first and alone."""
        self.session.connected(self.now)
        (hello,) = self.sends()
        assert isinstance(hello, q.Hello)
        return hello

    def welcomes(self, hello: q.Hello, *rooms: Handout, **fields: Any) -> None:
        head = fields.pop("head", 10)
        self.says(
            {
                "id": hello.id,
                "session": "s1",
                "user": "u1",
                "nick": hello.nick or "guest1",
                "resumed": hello.resume is not None,
                "serial": 0,
                "position": head,
                "epoch": "e1",
                "inbox": given(INBOX, head),
                "rooms": [*rooms],
                "lobby": "lobby",
                "publish": "tcp://*:5556",
                "agent": "a broker",
                "heartbeat_ms": HEARTBEAT,
                "grace_ms": 60_000,
                "max_text": 4_096,
                **fields,
            }
        )

    def joins(self, room: str, position: int = 10) -> None:
        """The application joins and is in."""
        self.session.request(q.Join, room=room)
        (join,) = self.sends()
        self.enters(join, room, position)

    def enters(self, join: q.Request, room: str, position: int, head: int | None = None) -> None:
        self.says(
            {"id": join.id, "position": position, "room": given(room, head or position),
             "subject": "", "members": 1}
        )  # fmt: skip
        self.publishes(room, head or position)

    def loses(self) -> None:
        """The link breaks, and the shell waits as long as it is told to."""
        self.session.lost(self.now)
        assert self.session.state is LinkState.DOWN
        if self.session.connect_at is not None:
            self.now = max(self.now, self.session.connect_at)


def topic_of(stream: str) -> int:
    """Topics as this broker gives them: one for each name."""
    return 1 if stream == INBOX else sum(stream.encode()) + 1


def given(stream: str, head: int, topic: int | None = None) -> Handout:
    """What is handed out for a stream."""
    return handout(stream, key_of(topic or topic_of(stream)), head)


def up(*rooms: str, **session: Any) -> Peer:
    """A session that is welcomed and in these rooms, at position 10, with nothing left to tell."""
    peer = Peer(**session)
    peer.welcomes(peer.connects())
    peer.publishes(INBOX, 10)
    for room in rooms:
        peer.joins(room)
    peer.session.take_subscriptions()
    peer.events()
    peer.settled()
    return peer
