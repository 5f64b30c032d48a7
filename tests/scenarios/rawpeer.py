"""A client written from docs/protocol.md alone: ZeroMQ, MessagePack and AES-GCM, nothing of zchat's.

It is the proof that the document suffices, and it does what no honest client would: say
anything, keep every key it was ever given, and hold what it drew under keys it has not.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Self

import msgpack
import zmq
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["APPENDS", "INBOX", "PATIENCE_S", "Company", "Context", "RawPeer", "Refusal", "opened"]

Context = zmq.Context[zmq.Socket[bytes]]
Map = dict[str, Any]
Keys = Mapping[tuple[int, int], bytes]
"""Topic and key number → key."""

APPENDS: Final = frozenset({"bye", "nick", "join", "leave", "say", "whisper", "subject"})
"""Section 3: the requests that carry a serial."""
INBOX: Final = "@"
PATIENCE_S: Final = 20.0
"""How long an answer may take on a busy machine before it is none."""


class Refusal(Exception):
    """The broker said no."""

    def __init__(self, error: Map) -> None:
        super().__init__(error["code"], error["message"])
        self.code: str = error["code"]
        self.error = error


def opened(frame: bytes, keys: Keys) -> Map | None:
    """Section 7: what a publication holds, or None if none of ``keys`` opens it."""
    topic, number, n = struct.unpack_from(">IIQ", frame)
    key = keys.get((topic, number))
    if key is None:
        return None
    try:
        box = AESGCM(key).decrypt(struct.pack(">IQ", 0, n), frame[16:], frame[:16])
    except InvalidTag:
        return None
    publication: Map = msgpack.unpackb(box)
    return publication


class RawPeer:
    """One connection to the broker: a DEALER, and a SUB once there is a session."""

    def __init__(self, context: Context, address: str) -> None:
        self.context = context
        self.dealer = self._socket(zmq.DEALER, address)
        self.token = b""
        self.welcome: Map = {}
        self.keys: dict[tuple[int, int], bytes] = {}
        """Every key it was ever given."""
        self.topics: dict[str, int] = {}
        self.heard: dict[str, list[Map]] = {}
        """Stream → the events drawn and opened."""
        self.sealed: list[bytes] = []
        """What it drew and could not open."""
        self.confirmed: set[str] = set()
        """Streams where a publication was opened: the subscription is granted."""
        self._id = 0
        self._serial = 0
        self._streams: dict[int, str] = {}

    def close(self) -> None:
        """Cut both connections without a word."""
        self.dealer.close(linger=0)
        if self.welcome:
            self.sub.close(linger=0)

    # Requests.

    def send(self, op: str, **fields: Any) -> int:
        """Send one request; its id."""
        self._id += 1
        request = {"op": op, "id": self._id, **fields}
        if op in APPENDS and "serial" not in fields:
            self._serial += 1
            request["serial"] = self._serial
        self.dealer.send(msgpack.packb([request]))
        return self._id

    def receive(self) -> list[Map]:
        """The next frame of replies and notices, whatever they answer."""
        assert self.dealer.poll(int(PATIENCE_S * 1000)), "the broker does not answer"
        replies: list[Map] = msgpack.unpackb(self.dealer.recv())
        return replies

    def ask(self, op: str, **fields: Any) -> Map:
        """Send one request and wait for its reply. Raises `Refusal`."""
        id_ = self.send(op, **fields)
        while True:
            for reply in self.receive():
                if reply["id"] == id_:
                    if "error" in reply:
                        raise Refusal(reply["error"])
                    return reply

    def refused(self, op: str, **fields: Any) -> str:
        """The code with which a request is refused; fails if it is not."""
        try:
            reply = self.ask(op, **fields)
        except Refusal as refusal:
            return refusal.code
        raise AssertionError(f"{op} {fields} was granted: {reply}")

    def hello(self, **fields: Any) -> Map:
        """Begin or resume a session and hear its streams; the welcome. Raises `Refusal`."""
        self.token = fields.pop("token", None) or os.urandom(32)
        self.welcome = self.ask("hello", protocol=1, token=self.token, **fields)
        self._serial = self.welcome["serial"]
        self.sub = self._socket(zmq.SUB, self.welcome["publish"])
        for handout in (self.welcome["inbox"], *self.welcome["rooms"]):
            self._listen(handout)
        return self.welcome

    def join(self, room: str) -> Map:
        """Enter a room, or ask anew for its key; the reply."""
        reply = self.ask("join", room=room)
        self._listen(reply["room"])
        return reply

    def say(self, room: str, text: str) -> int:
        """Say something; the position it stands at."""
        return int(self.ask("say", room=room, text=text)["position"])

    def history(self, stream: str) -> list[Map]:
        """The last events of a stream."""
        return [event for _, event in self.ask("history", stream=stream)["events"]]

    # Publications.

    def draw(self, wait_ms: int) -> bool:
        """Take one publication, if one comes in time."""
        if not self.sub.poll(wait_ms):
            return False
        frame = self.sub.recv()
        publication = opened(frame, self.keys)
        if publication is None:
            self.sealed.append(frame)
            return True
        stream = self._streams[int.from_bytes(frame[:4], "big")]
        self.confirmed.add(stream)
        self.heard.setdefault(stream, []).extend(event for _, event in publication["events"])
        for signal in publication.get("signals", ()):
            if signal["signal"] == "key":
                self.keys[signal["topic"], signal["key_number"]] = signal["key"]
        return True

    def until(self, condition: Callable[[], object]) -> float:
        """Draw until it holds; the seconds that took. Fails when patience ends."""
        start = time.monotonic()
        while not condition():
            left = start + PATIENCE_S - time.monotonic()
            assert left > 0, "waited in vain"
            self.draw(int(left * 1000) + 1)
        return time.monotonic() - start

    def hears(self, text: str) -> Map:
        """Draw until somebody says, whispers or does this; the event."""
        found: list[Map] = []

        def heard() -> bool:
            events = (event for stream in self.heard.values() for event in stream)
            found[:] = [event for event in events if event.get("text") == text]
            return bool(found)

        self.until(heard)
        return found[0]

    def subscribe(self, prefix: bytes) -> None:
        """Ask for anything at all."""
        self.sub.subscribe(prefix)

    def _listen(self, handout: Map) -> None:
        topic, stream = handout["topic"], handout["stream"]
        self.keys[topic, handout["key_number"]] = handout["key"]
        if self._streams.get(topic) == stream:
            return
        self._streams[topic] = stream
        self.topics[stream] = topic
        self.sub.subscribe(topic.to_bytes(4, "big"))
        self.until(lambda: stream in self.confirmed)

    def _socket(self, kind: int, endpoint: str) -> zmq.Socket[bytes]:
        socket = self.context.socket(kind)
        socket.set(zmq.LINGER, 0)
        socket.set(zmq.SNDHWM, 0)
        socket.set(zmq.RCVHWM, 0)
        socket.connect(endpoint)
        return socket


class Company:
    """Peers of one broker; leaving the ``with`` cuts them all."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.context: Context = zmq.Context()
        self._peers: list[RawPeer] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for peer in self._peers:
            peer.close()
        self.context.destroy(linger=0)

    def connect(self) -> RawPeer:
        """A peer without a session."""
        self._peers.append(RawPeer(self.context, self.address))
        return self._peers[-1]

    def arrive(self, nick: str | None = None, *rooms: str) -> RawPeer:
        """A peer with a new session, which hears its inbox and these rooms."""
        peer = self.connect()
        peer.hello(**({} if nick is None else {"nick": nick}))
        for room in rooms:
            peer.join(room)
        return peer
