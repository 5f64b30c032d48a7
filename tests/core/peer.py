"""A client as thin as can be: it writes requests, reads what the broker answers, opens what it may.

It opens a publication only under a topic and a key that it was handed out, so what it has heard is
what a real client could have heard.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from zchat.errors import Refused
from zchat.protocol import codec
from zchat.protocol import events as e
from zchat.protocol import replies as r
from zchat.protocol import requests as q
from zchat.protocol.replies import Notice
from zchat.protocol.seal import Key, header

__all__ = ["Peer", "line"]

WORDS: Final[dict[str, tuple[type[q.Request], tuple[str, ...]]]] = {
    "hello": (q.Hello, ("nick",)),
    "ping": (q.Ping, ()),
    "bye": (q.Bye, ()),
    "nick": (q.Nick, ("nick",)),
    "join": (q.Join, ("room",)),
    "leave": (q.Leave, ("room",)),
    "rooms": (q.Rooms, ("after",)),
    "users": (q.Users, ("room", "after")),
    "say": (q.Say, ("room", "text")),
    "act": (q.Say, ("room", "text")),
    "whisper": (q.Whisper, ("nick", "text")),
    "history": (q.History, ("stream",)),
    "subject": (q.Subject, ("room", "text")),
}
"""Word → the request it stands for, and the fields that its words fill in order."""


class Peer:
    """One person's client, over as many connections as it takes."""

    def __init__(self, name: str, address: str) -> None:
        self.name = name
        self.address = address
        self.connections = 1
        self.token = self.fresh_token(0)
        self.session = ""
        self.serial = 0
        self.requests: dict[int, q.Request] = {}
        self.answers: dict[int, Any] = {}
        self.strays: list[Any] = []  # answers to what it did not ask, or had an answer to
        self.notices: list[str] = []
        self.publications: list[tuple[int, codec.Publication]] = []
        self._heard: list[e.Event] = []
        self._keys: dict[tuple[int, int], Key] = {}

    @property
    def routing_id(self) -> bytes:
        return f"{self.name}/{self.connections}".encode()

    def fresh_token(self, number: int) -> bytes:
        return hashlib.sha256(f"{self.name} {number}".encode()).digest()

    # Asking.

    def write(self, words: str, **fields: Any) -> q.Request:
        """``"say ops hello all"`` as a request with the next id and, if it appends, serial."""
        word, _, rest = words.partition(" ")
        type_, names = WORDS[word]
        values = rest.split(" ", len(names) - 1) if rest and names else []
        named: dict[str, Any] = dict(zip(names, values, strict=False))
        if word == "act":
            named["action"] = True
        if word == "hello":
            named |= {"protocol": 1, "token": self.token}
        if word == "subject":
            named.setdefault("text", "")
        if issubclass(type_, q.Appending):
            if "serial" not in fields:
                self.serial += 1
            named["serial"] = self.serial
        request = type_(**{"id": len(self.requests) + 1, **named, **fields})
        self.requests[request.id] = request
        return request

    def resumption(self, **fields: Any) -> q.Request:
        """A hello that continues the session with a new token."""
        old, self.token = self.token, self.fresh_token(len(self.requests) + 1)
        return self.write("hello", resume=q.Resume(session=self.session, token=old), **fields)

    # Being answered.

    def take(self, frame: bytes) -> None:
        """A frame of replies."""
        for reply in codec.decode_replies(frame):
            match reply:
                case Notice():
                    self.notices.append(reply.notice)
                case Refused():
                    self._answered(int(str(reply.fields["id"])), reply)
                case _:
                    request = self.requests.get(reply["id"])
                    type_ = r.REPLIES[type(request)] if request else dict
                    self._answered(reply["id"], codec.typed(reply, type_))

    def _answered(self, id_: int, answer: Any) -> None:
        if id_ in self.answers or id_ not in self.requests:
            self.strays.append(answer)
            return
        self.answers[id_] = answer
        match answer:
            case r.Welcome():
                self.session = answer.session
                for handout in (answer.inbox, *answer.rooms):
                    self.learn(handout.topic, handout.key_number, handout.key)
            case r.Joined():
                self.learn(answer.room.topic, answer.room.key_number, answer.room.key)

    def learn(self, topic: int, number: int, secret: bytes) -> None:
        """A key that this client may use."""
        self._keys[topic, number] = Key(topic, number, secret)

    @property
    def topics(self) -> set[int]:
        """The topics it was ever handed out."""
        return {topic for topic, _ in self._keys}

    def overhear(self, frame: bytes) -> None:
        """A publication, which it opens if it was ever given the key."""
        head = header(frame)
        key = self._keys.get((head.topic, head.key_number))
        if key is None:
            return
        publication = codec.decode_publication(key.open(frame))
        self.publications.append((head.topic, publication))
        for signal in publication.signals:
            self.learn(signal.topic, signal.key_number, signal.key)
        self._heard += codec.placed(publication.events)

    def heard(self) -> list[str]:
        """The events since the last time this was asked, each once, in order, as lines."""
        events = {event.position: event for event in self._heard}
        self._heard = []
        return [line(events[position]) for position in sorted(events)]

    def outcome(self, request: q.Request) -> str:
        """What a request came to: a reply's name, a refusal's code, or ``waits``."""
        answer = self.answers.get(request.id)
        if answer is None:
            return "waits"
        return answer.code if isinstance(answer, Refused) else type(answer).__name__.lower()


def line(event: e.Event) -> str:
    """An event in one line: kind, who, and what is particular to it."""
    match event:
        case e.Posted() | e.SubjectChanged():
            rest = f"{event.room} {event.text}"
        case e.Joined() | e.Left():
            rest = event.room
        case e.Whispered():
            rest = f"{event.to_nick} {event.text}"
        case e.Renamed():
            rest = event.to
        case e.SessionEnded():
            rest = event.reason
        case _:
            rest = ""
    return f"{event.kind} {event.nick} {rest}".strip()
