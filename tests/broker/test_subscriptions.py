from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable

import pytest
import zmq

from tests.broker import stranger
from tests.broker.shell import Shell

ROOM, OTHER, DEAD = 0x01020304, 0x01020305, 0x7F000001


def topic(number: int) -> bytes:
    return number.to_bytes(4, "big")


@pytest.fixture(autouse=True)
def _living(shell: Shell) -> None:
    shell.living |= {ROOM, OTHER}


def test_a_living_topic_is_granted_and_told(shell: Shell) -> None:
    """The broker publishes the head of what is granted: no slow joiner waits in the dark."""
    reader = shell.peer(zmq.SUB, topics=(topic(ROOM),))
    shell.until(lambda: shell.granted)
    assert shell.granted == [ROOM]
    shell.publish(topic(ROOM) + b"head")
    assert reader.poll(5_000)
    assert reader.recv() == topic(ROOM) + b"head"


@pytest.mark.parametrize(
    "asked", [b"", topic(ROOM)[:1], topic(ROOM)[:3], topic(ROOM) + b"\0", topic(DEAD)]
)
def test_nothing_but_a_living_topic_is_granted(shell: Shell, asked: bytes) -> None:
    """Whoever asks for a prefix would draw the traffic of rooms he is not in."""
    spy = shell.peer(zmq.SUB, topics=(asked,))
    shell.until(lambda: shell.subscriptions.refused)
    reader = shell.peer(zmq.SUB, topics=(topic(ROOM),))
    shell.until(lambda: shell.granted)
    assert shell.granted == [ROOM]
    for number in (ROOM, OTHER, DEAD):
        shell.publish(topic(number) + b"secret")
    assert reader.poll(5_000)
    # The last of a FIFO that both connections share a thread for: had it been sent to the
    # spy, it would have been sent before the reader's next one.
    shell.publish(topic(ROOM) + b"end")
    assert reader.recv() == topic(ROOM) + b"secret"
    assert reader.recv() == topic(ROOM) + b"end"
    assert not spy.poll(100)


def test_a_cancelled_topic_is_heard_no_more(shell: Shell) -> None:
    stream = shell.stranger("SUB")
    stream.sendall(stranger.frame(b"\1" + topic(ROOM)) + stranger.frame(b"\1" + topic(OTHER)))
    shell.until(lambda: len(shell.granted) == 2)
    stream.sendall(stranger.frame(b"\0" + topic(ROOM)) + stranger.frame(b"\1" + topic(OTHER)))
    shell.until(lambda: len(shell.granted) == 3)
    shell.publish(topic(ROOM) + b"no")
    shell.publish(topic(OTHER) + b"yes")
    expected = stranger.frame(topic(OTHER) + b"yes")
    got = b""
    while len(got) < len(expected):
        got += stream.recv(4096)
    assert got == expected


@pytest.mark.parametrize("junk", [b"", b"\2abcd", b"hello", b"\1", b"\1abc", b"\0abcde"])
def test_junk_closes_its_sender_and_harms_nobody(shell: Shell, junk: bytes) -> None:
    """XSUB may send anything upstream; what is no subscription confuses libzmq's pairing."""
    stream = shell.stranger("XSUB")
    stream.sendall(stranger.frame(junk) * shell.settings.max_junk)
    shell.until(lambda: shell.connections.subscribers.accepted and not len(shell.connections))
    reader = shell.peer(zmq.SUB, topics=(topic(ROOM),))
    shell.until(lambda: shell.granted)
    shell.publish(topic(ROOM) + b"head")
    assert reader.poll(5_000)


def test_a_grant_never_goes_to_another_than_asked(make_shell: Callable[..., Shell]) -> None:
    """After junk libzmq grants to the wrong peer, so nobody gets anything until it ran empty."""
    shell = make_shell(max_junk=1_000_000)
    shell.living.add(ROOM)
    spy = shell.stranger("XSUB")
    honest = shell.stranger("SUB")
    shell.until(lambda: len(shell.connections) == 2)

    def confuse() -> None:
        """Have junk, a frame of the spy's and one of the honest peer's wait together."""
        spy.sendall(stranger.frame(b"junk") + stranger.frame(b"\1" + topic(DEAD)))
        assert shell.publisher.socket.poll(5_000)
        honest.sendall(stranger.frame(b"\1" + topic(ROOM)))

    shell.until(lambda: shell.subscriptions.mispaired, doing=confuse)
    # Who was passed over is closed, and so comes back, rather than stay deaf.
    shell.until(lambda: len(shell.connections) < 2)
    assert heard(shell, spy) == b""


def heard(shell: Shell, stream: socket.socket) -> bytes:
    """All that a stranger gets of what is published now."""
    for number in (ROOM, OTHER, DEAD):
        shell.publish(topic(number) + b"secret")
    got = b""
    stream.settimeout(0.3)
    with contextlib.suppress(ConnectionError, TimeoutError):
        while piece := stream.recv(4096):
            got += piece
    return got


def test_a_flood_of_subscriptions_closes_its_sender(make_shell: Callable[..., Shell]) -> None:
    """100,000 ungranted ones by one peer slowed everybody's disconnect to 180 ms."""
    shell = make_shell(max_unfinished_bytes=2**30)  # or the guard would be first
    shell.living.add(ROOM)
    reader = shell.peer(zmq.SUB, topics=(topic(ROOM),))
    shell.until(lambda: shell.granted)
    stream = shell.stranger("SUB")
    stream.setblocking(False)
    flood = memoryview(
        b"".join(stranger.frame(b"\1" + topic(DEAD + number)) for number in range(100_000))
    )
    slowest, sent = 0.0, 0

    def pour() -> None:
        nonlocal slowest, sent
        try:
            sent += stream.send(flood[sent:])
        except BlockingIOError:
            pass
        except OSError:
            sent = len(flood)
        start = time.perf_counter()
        shell.turn()
        shell.publish(topic(ROOM) + b"tick")
        slowest = max(slowest, time.perf_counter() - start)

    subscribers = shell.connections.subscribers
    shell.until(lambda: subscribers.accepted == 2 and len(shell.connections) == 1, doing=pour)
    shell.until(lambda: shell.subscriptions.empty, doing=pour)
    assert shell.subscriptions.refused < 100_000
    assert slowest < 0.1
    shell.publish(topic(ROOM) + b"after")
    assert reader.poll(5_000)
