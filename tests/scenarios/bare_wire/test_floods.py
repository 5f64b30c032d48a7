"""Nothing a peer pours in, opens or leaves unread moves the others or fills the memory."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import Any, Final

import msgpack
import pytest
import zmq

from tests.broker import stranger
from tests.scenarios.bare_wire.siege import Siege, until_closed
from tests.scenarios.rawpeer import PATIENCE_S, Company

KINDS: Final = ("DEALER", "SUB")
SUBSCRIPTIONS: Final = b"".join(
    stranger.frame(b"\1" + number.to_bytes(4, "big")) for number in range(100_000)
)
RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER: on, for no time: closing sends a TCP reset."""


def batch(request: dict[str, object]) -> bytes:
    return stranger.frame(msgpack.packb([{**request, "id": n + 1} for n in range(256)]))


REFUSED: Final = {
    "pings": batch({"op": "ping"}),
    "unknown requests": batch({"op": "no"}),
    "wrong types": batch({"op": "say", "room": 1}),
    "no session": batch({"op": "say", "room": "lobby", "text": "x", "serial": 1}),
    "hellos": batch({"op": "hello", "protocol": 1, "token": bytes(32)}),
    "junk": stranger.frame(b"\xc1" * 60_000),
    "depth": stranger.frame(b"\x91" * 60_000),
    "empty frames": stranger.frame(b"") * 1_000,
}


def pour(stream: socket.socket, data: bytes, times: int) -> None:
    """Send until it is closed on us, or does not take more."""
    stream.settimeout(0.2)
    with contextlib.suppress(OSError):
        for _ in range(times):
            stream.sendall(data)


@pytest.mark.parametrize("flood", REFUSED.values(), ids=REFUSED)
def test_one_who_sends_and_never_reads(siege: Siege, flood: bytes) -> None:
    """Replies nobody takes would fill the memory, and writing them the others' time."""
    for _ in range(5):
        with siege.meet("DEALER") as stream:
            pour(stream, flood, 2_000)


def test_one_who_asks_for_pages_and_never_reads(siege: Siege, company: Company) -> None:
    """Each costs 20 bytes to ask for and 64 KiB to keep; one is closed who lets them pile up."""
    witness = company.arrive("witness", "pages")
    requests: list[dict[str, Any]] = [
        {"op": "hello", "protocol": 1, "token": bytes(32), "nick": "glutton"},
        {"op": "join", "room": "pages", "serial": 1},
        *({"op": "say", "room": "pages", "text": "x" * 4_096, "serial": n} for n in range(2, 62)),
        *({"op": "history", "stream": "pages", "limit": 200} for _ in range(420)),
    ]
    with siege.meet("DEALER") as stream:
        for id_, request in enumerate(requests, 1):
            stream.sendall(stranger.frame(msgpack.packb([{**request, "id": id_}])))
        witness.until(lambda: "away" in [event["kind"] for event in witness.heard["pages"]])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [0, 380])
def test_a_message_without_end(siege: Siege, kind: str, part: int) -> None:
    """Its parts pass libzmq's limits unseen: 800 MB in 0.7 s when nobody looks."""
    siege.growth_mib = 150  # libzmq takes in 1 GB a second and the guard looks every 50 ms
    endless = stranger.frame(bytes(part), stranger.MORE) * 10_000
    for _ in range(5):
        with siege.meet(kind) as stream:
            until_closed(stream, endless)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("flags", [2, 3, 6], ids=["message", "part", "command"])
def test_a_huge_frame_announced(siege: Siege, kind: str, flags: int) -> None:
    """Room made for what is only announced would be a gigabyte for nine bytes."""
    for size in [2**30, 2**62, 2**63, 2**64 - 1] * 10:
        with siege.meet(kind) as stream:
            stream.sendall(struct.pack(">BQ", flags, size) + bytes(1_000))
            until_closed(stream)


def test_a_hundred_thousand_subscriptions(siege: Siege) -> None:
    """Libzmq walks what a peer asked for when it goes, in our thread."""
    siege.growth_mib = 150  # XPUB queues all it has read, and the guard looks every 50 ms
    for _ in range(5):
        with siege.meet("SUB") as stream:
            until_closed(stream, SUBSCRIPTIONS)


def test_a_hundred_thousand_subscriptions_that_come_back(siege: Siege, company: Company) -> None:
    """Libzmq's own SUB connects again by itself and asks for all of them anew."""
    sub = company.context.socket(zmq.SUB)
    sub.set(zmq.SNDHWM, 0)  # or it would keep all but a thousand to itself
    for number in range(100_000):
        sub.subscribe(number.to_bytes(4, "big"))
    monitor = sub.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    poller = zmq.Poller()
    poller.register(monitor, zmq.POLLIN)
    poller.register(sub, zmq.POLLIN)  # libzmq asks anew only while somebody waits for the SUB
    sub.connect(siege.broker.publishes_at)
    for _ in range(5):
        assert poller.poll(int(PATIENCE_S * 1000)), "it was not closed"
        monitor.recv_multipart()
    sub.disable_monitor()
    for socket_ in (monitor, sub):
        socket_.close(linger=0)


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\1",
        b"\0\0\0\0\0",
        b"\2abcd",
        msgpack.packb([{"op": "ping", "id": 1}]),
        b"\1" + bytes(399),
        b"\1" + bytes(400),
        b"\1" + bytes(100_000),
    ],
    ids=lambda junk: f"{len(junk)} bytes of {junk[:5]!r}",
)
@pytest.mark.parametrize("flags", [stranger.LAST, stranger.MORE], ids=["single", "multipart"])
def test_an_xsub_that_sends_what_it_should_not(siege: Siege, junk: bytes, flags: int) -> None:
    """An XSUB may send anything upstream; what is no subscription confuses libzmq's pairing."""
    siege.growth_mib = 150  # XPUB queues all it has read, and the guard looks every 50 ms
    flood = stranger.frame(junk, flags) + stranger.frame(junk)
    for _ in range(5):
        with siege.meet("XSUB") as stream:
            until_closed(stream, flood)


def test_a_thousand_connects_and_cuts(siege: Siege) -> None:
    """Some before a word, some after the greeting, some in the middle of a frame; half reset."""
    said = [
        b"",
        stranger.GREETING,
        stranger.GREETING + stranger.ready(Socket_Type=b"DEALER") + b"\0",
    ]
    for number in range(1_000):
        address = ("127.0.0.1", siege.port(KINDS[number % 2]))
        with socket.create_connection(address, timeout=PATIENCE_S) as stream:
            stream.sendall(said[number % 3])
            if number % 4 < 2:
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


@pytest.mark.parametrize("kind", KINDS)
def test_hundreds_who_say_nothing(siege: Siege, kind: str) -> None:
    """Half do not even greet; while they are there, everybody else comes and goes."""
    with contextlib.ExitStack() as silent:
        for number in range(400):
            if number % 2:
                stream = siege.meet(kind)
            else:
                stream = socket.create_connection(("127.0.0.1", siege.port(kind)))
            silent.enter_context(stream)
        siege.end()


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_one_who_does_not_greet_is_closed(siege: Siege, kind: str) -> None:
    """It would hold a descriptor for ever; libzmq gives it 10 s to speak ZMTP."""
    with socket.create_connection(("127.0.0.1", siege.port(kind))) as stream:
        assert until_closed(stream)[:1] == b"\xff", "the broker greets"
