from __future__ import annotations

import socket
import subprocess
import sys

import pytest
import zmq

from tests.broker import stranger
from tests.broker.shell import Shell
from zchat.broker.connections import Connection

CLIENT = """
import sys, zmq
dealer = zmq.Context().socket(zmq.DEALER)
dealer.connect(sys.argv[1])
dealer.send(b"hello")
print(dealer.recv(), flush=True)
dealer.recv()
"""


def found(shell: Shell, routing_id: bytes) -> Connection:
    connection = shell.connections.find(routing_id)
    assert connection is not None
    return connection


def test_a_killed_client_is_gone_at_once(shell: Shell) -> None:
    """Otherwise it would stay in its rooms until a heartbeat is missed, half a minute later."""
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, shell.router.endpoint], stdout=subprocess.PIPE
    )
    shell.until(lambda: shell.arrived)
    routing_id, body = shell.arrived[0]
    assert body == b"hello"
    shell.router.socket.send_multipart([routing_id, b"hello yourself"])
    assert client.stdout is not None
    assert client.stdout.readline()
    client.kill()
    client.wait()
    client.stdout.close()
    assert shell.connections.monitors[0].poll(1_000), "the monitor wakes the loop"
    took = shell.until(lambda: shell.gone)
    assert shell.gone == [(routing_id, "127.0.0.1")]
    assert took < 1
    assert len(shell.connections) == 0
    assert shell.connections.find(routing_id) is None


def test_a_closed_connection_is_told_as_gone_once(shell: Shell) -> None:
    shell.peer(zmq.DEALER, RECONNECT_IVL=-1).send(b"hello")
    shell.until(lambda: shell.arrived)
    routing_id, _ = shell.arrived[0]
    shell.connections.close(routing_id)
    shell.connections.close(routing_id)
    shell.connections.close(b"nobody")
    shell.until(lambda: shell.gone)
    shell.turn(50)
    assert shell.gone == [(routing_id, "127.0.0.1")]
    assert shell.connections.find(routing_id) is None


def test_a_descriptor_used_again_belongs_to_the_newcomer(shell: Shell) -> None:
    """A closed descriptor's number goes to the next connection, often within a millisecond."""
    descriptors, ids = [], []
    for _ in range(5):
        peer = shell.peer(zmq.DEALER)
        peer.send(b"x")
        shell.until(lambda: shell.arrived)
        routing_id = shell.arrived.pop()[0]
        descriptors.append(found(shell, routing_id).fd)
        ids.append(routing_id)
        peer.close()
        shell.until(lambda: shell.gone)
        assert shell.gone.pop().routing_id == routing_id
    assert len(set(descriptors)) < 5, "no descriptor was used again: nothing was tested"
    assert len(set(ids)) == 5


def test_unread_words_of_one_who_left_are_not_the_newcomers(shell: Shell) -> None:
    """When nothing was read until both have come, two ids come through one descriptor."""

    def say(word: bytes) -> socket.socket:
        stream = shell.stranger("DEALER")
        stream.sendall(stranger.frame(word))
        assert shell.router.socket.poll(5_000)
        return stream

    for _ in range(20):
        say(b"first").close()
        assert shell.connections.monitors[0].poll(5_000)
        with say(b"second"):
            shell.until(lambda: b"second" in [body for _, body in shell.arrived])
            ids = {body: routing_id for routing_id, body in shell.arrived}
            fd = found(shell, ids[b"second"]).fd
            if b"first" in ids:
                assert shell.connections.bind(ids[b"first"], fd) is None
                assert shell.connections.find(ids[b"first"]) is None
                assert shell.connections.find(ids[b"second"]) is not None
                return
        shell.until(lambda: len(shell.connections) == 0)
        shell.arrived.clear()
    pytest.skip("this system did not use a descriptor twice")


@pytest.mark.parametrize(
    "claimed", [b"alice", b"\0", b"\xff\xfe", b"abcde", b"\0abcd", b"\0" + bytes(254)]
)
def test_a_claimed_routing_id_closes_its_connection(shell: Shell, claimed: bytes) -> None:
    """Routing ids are the broker's: whoever claims one wants somebody else's replies."""
    stream = shell.stranger("DEALER", Identity=claimed)
    stream.sendall(stranger.frame(b"hello"))
    shell.until(lambda: shell.connections.requesters.accepted and len(shell.connections) == 0)
    assert shell.arrived == []
    assert shell.gone == []


def test_the_id_of_a_living_client_cannot_be_taken(shell: Shell) -> None:
    """Libzmq ignores the second one in silence; the first one's replies stay its own."""
    honest = shell.peer(zmq.DEALER)
    honest.send(b"hello")
    shell.until(lambda: shell.arrived)
    routing_id, _ = shell.arrived.pop()
    thief = shell.stranger("DEALER", Identity=routing_id)
    thief.sendall(stranger.frame(b"mine"))
    shell.until(lambda: len(shell.connections) == 2)
    shell.router.socket.send_multipart([routing_id, b"yours"])
    assert honest.poll(5_000)
    assert honest.recv() == b"yours"
    honest.send(b"again")
    shell.until(lambda: shell.arrived)
    assert shell.arrived == [(routing_id, b"again")]


def test_a_peer_cannot_name_the_descriptor_it_comes_from(shell: Shell) -> None:
    """Metadata is the peer's to write: ``__fd`` would make us shut somebody else's connection."""
    honest = shell.peer(zmq.DEALER)
    honest.send(b"hello")
    shell.until(lambda: shell.arrived)
    fd = found(shell, shell.arrived.pop()[0]).fd
    # No Identity either: a client of another making need not send one.
    liar = shell.stranger("DEALER", __fd=str(fd).encode())
    liar.sendall(stranger.frame(b"I am it"))
    shell.until(lambda: shell.arrived)
    assert found(shell, shell.arrived[0][0]).fd != fd


def test_several_frames_in_one_message_close_the_connection(shell: Shell) -> None:
    """Read two by two, the third would pass for a routing id, and so for anybody's request."""
    honest = shell.peer(zmq.DEALER)
    honest.send(b"hello")
    shell.until(lambda: shell.arrived)
    routing_id, _ = shell.arrived.pop()
    bad = shell.peer(zmq.DEALER, RECONNECT_IVL=-1)
    bad.send_multipart([b"", routing_id, b"I am honest", b"", b""])
    accepted = shell.connections.requesters
    shell.until(lambda: accepted.accepted == 2 and len(shell.connections) == 1)
    honest.send(b"again")
    shell.until(lambda: shell.arrived)
    assert shell.arrived == [(routing_id, b"again")]


def test_a_frame_over_the_limit_closes_the_connection(shell: Shell) -> None:
    stream = shell.stranger("DEALER")
    stream.sendall(stranger.frame(bytes(shell.settings.max_request_bytes + 1)))
    shell.until(lambda: shell.connections.requesters.accepted and len(shell.connections) == 0)
    assert shell.arrived == []


def test_connections_are_counted_by_address(shell: Shell) -> None:
    peers = [shell.peer(zmq.DEALER), shell.peer(zmq.DEALER), shell.peer(zmq.SUB)]
    shell.until(lambda: shell.connections.count("127.0.0.1") == 3)
    assert shell.connections.count("192.0.2.1") == 0
    for peer in peers:
        peer.close()
    shell.until(lambda: shell.connections.count("127.0.0.1") == 0)


def test_a_drain_is_bounded_and_fair(shell: Shell) -> None:
    """One that sends hundreds must not keep one that sends a single request waiting."""
    flood, single = shell.peer(zmq.DEALER), shell.peer(zmq.DEALER)
    for number in range(500):
        flood.send(b"%d" % number)
    single.send(b"single")
    received: list[bytes] = []
    while len(received) < 501:
        assert shell.router.socket.poll(5_000)
        batch = shell.intake.drain(10)
        assert len(batch) <= 10
        received += [body for _, body in batch]
    assert [body for body in received if body != b"single"] == [b"%d" % n for n in range(500)]
    assert received.index(b"single") < 490
