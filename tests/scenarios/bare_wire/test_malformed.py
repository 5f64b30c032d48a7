"""What is no request gets a refusal with a code, or ends its connection; nobody else notices."""

from __future__ import annotations

import math
import os
from typing import Any

import msgpack
import pytest

from tests.broker import stranger
from tests.scenarios.bare_wire.siege import Siege, until_closed
from tests.scenarios.rawpeer import Company

HELLO: dict[str, Any] = {"op": "hello", "id": 7, "protocol": 1, "token": bytes(32)}
SAY: dict[str, Any] = {"op": "say", "id": 7, "serial": 1, "room": "lobby", "text": "x"}

FRAMES = {
    "nothing": b"",
    "never used": b"\xc1",
    "half an array": b"\x92\x01",
    "two objects": b"\x90\x90",
    "no array": msgpack.packb({"op": "ping", "id": 1}),
    "no requests": msgpack.packb([]),
    "a number": b"\x07",
    "257 requests": msgpack.packb([{"op": "ping", "id": n + 1} for n in range(257)]),
    "300 requests": msgpack.packb([{"op": "ping", "id": n + 1} for n in range(300)]),
    "too deep": b"\x91" * 5_000 + b"\x90",
    "an array of 4 G": b"\xdd\xff\xff\xff\xff",
    "a map of 4 G": b"\x91\xdf\xff\xff\xff\xff",
    "a string of 4 G": b"\x91\xdb\xff\xff\xff\xff",
    "bytes of 4 G": b"\x91\xc6\xff\xff\xff\xff",
    "an extension": b"\x91\xc7\x01\x01x",
    "a timestamp": b"\x91\xd6\xff\0\0\0\0",
    "text that is not UTF-8": b"\x91\x81\xa2op\xa2\xff\xfe",
    "a key that is a list": b"\x91\x81\x91\x01\x01",
    "JSON": b'[{"op": "ping", "id": 1}]',
    "HTTP": b"GET / HTTP/1.1\r\n\r\n",
}

REQUESTS: dict[str, tuple[object, int, str]] = {
    "no map": (1, 0, "bad-request"),
    "no id": ({"op": "ping"}, 0, "bad-request"),
    "id 0": ({"op": "ping", "id": 0}, 0, "bad-request"),
    "id below 0": ({"op": "ping", "id": -1}, 0, "bad-request"),
    "id too large": ({"op": "ping", "id": 2**63}, 0, "bad-request"),
    "id true": ({"op": "ping", "id": True}, 0, "bad-request"),
    "id text": ({"op": "ping", "id": "1"}, 0, "bad-request"),
    "no op": ({"id": 7}, 7, "bad-request"),
    "op bytes": ({"op": b"ping", "id": 7}, 7, "bad-request"),
    "unknown op": ({"op": "teleport", "id": 7}, 7, "unknown-op"),
    "op of control characters": ({"op": "\x1b[2J" * 99, "id": 7}, 7, "unknown-op"),
    "serial 0": ({**SAY, "serial": 0}, 7, "bad-request"),
    "serial too large": ({**SAY, "serial": 2**63}, 7, "bad-request"),
    "no serial": ({k: v for k, v in SAY.items() if k != "serial"}, 7, "bad-request"),
    "text bytes": ({**SAY, "text": b"x"}, 7, "bad-request"),
    "text missing": ({k: v for k, v in SAY.items() if k != "text"}, 7, "bad-request"),
    "room a list": ({**SAY, "room": ["lobby"]}, 7, "bad-request"),
    "action 1": ({**SAY, "action": 1}, 7, "bad-request"),
    "not a number": ({**SAY, "serial": math.nan}, 7, "bad-request"),
    "limit 0": ({"op": "history", "id": 7, "stream": "@", "limit": 0}, 7, "bad-request"),
    "after below 0": ({"op": "history", "id": 7, "stream": "@", "after": -1}, 7, "bad-request"),
    "before hello": (SAY, 7, "no-session"),
    "protocol too new": ({**HELLO, "protocol": 2}, 7, "unsupported-protocol"),
    "protocol 0": ({**HELLO, "protocol": 0}, 7, "unsupported-protocol"),
    "token too short": ({**HELLO, "token": bytes(31)}, 7, "bad-request"),
    "token text": ({**HELLO, "token": "x" * 32}, 7, "bad-request"),
    "nick of spaces": ({**HELLO, "nick": "a b"}, 7, "bad-name"),
    "nick too long": ({**HELLO, "nick": "x" * 33}, 7, "bad-name"),
    "agent too long": ({**HELLO, "agent": "x" * 65}, 7, "bad-request"),
    "resume a list": ({**HELLO, "resume": []}, 7, "bad-request"),
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_a_frame_that_is_none_is_refused(company: Company, frame: bytes) -> None:
    """Never silence, never a closed door: the client's author reads what is wrong."""
    peer = company.connect()
    peer.dealer.send(frame)
    (reply,) = peer.receive()
    assert (reply["id"], reply["error"]["code"]) == (0, "bad-frame")
    assert reply["error"]["message"]
    assert peer.ask("ping")["epoch"], "and may go on"


@pytest.mark.parametrize(("request_", "id_", "code"), REQUESTS.values(), ids=REQUESTS)
def test_a_request_that_is_none_is_refused(
    company: Company, request_: object, id_: int, code: str
) -> None:
    """Those beside it in its frame are answered."""
    peer = company.connect()
    peer.dealer.send(msgpack.packb([request_, {"op": "ping", "id": 1_000}]))
    replies = peer.receive()
    while len(replies) < 2:
        replies += peer.receive()
    by_id = {reply["id"]: reply for reply in replies}
    assert by_id[1_000]["epoch"]
    assert by_id[id_]["error"]["code"] == code
    assert by_id[id_]["error"]["message"].isprintable()


@pytest.mark.parametrize("size", [65 * 1024 + 1, 2**20])
def test_a_frame_that_is_too_long_closes_its_connection(siege: Siege, size: int) -> None:
    """It is never read: it would be held whole first."""
    with siege.meet("DEALER") as stream:
        assert b"error" not in until_closed(stream, stranger.frame(bytes(size)))


def test_random_bytes_stop_nothing(siege: Siege, company: Company) -> None:
    """At both layers: as what a frame holds, and as what ZMTP is made of."""
    peer = company.connect()
    for size in range(300):
        peer.dealer.send(os.urandom(size))
        assert peer.receive()[0]["error"]
    for kind in ("DEALER", "SUB"):
        for _ in range(50):
            with siege.meet(kind) as stream:
                until_closed(stream, os.urandom(10_000))
