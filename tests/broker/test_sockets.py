from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import zmq

from zchat.broker.sockets import (
    Bound,
    SocketSettings,
    open_context,
    open_publisher,
    open_router,
    raise_file_limit,
)
from zchat.errors import PortInUse, UsageError

SETTINGS = SocketSettings()

Context = zmq.Context[zmq.Socket[bytes]]
Open = Callable[[Context, str, SocketSettings], Bound]


@pytest.fixture
def context() -> Iterator[Context]:
    with open_context(SETTINGS) as context:
        yield context


@pytest.mark.parametrize("open_socket", [open_router, open_publisher])
@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        ("tcp://127.0.0.1:0", "tcp://127.0.0.1:"),
        ("tcp://127.0.0.1:*", "tcp://127.0.0.1:"),
        ("tcp://*:0", "tcp://[::]:"),
    ],
)
def test_tells_where_it_really_listens(
    context: Context, open_socket: Open, address: str, endpoint: str
) -> None:
    """Otherwise port 0 could be opened and never found."""
    bound = open_socket(context, address, SETTINGS)
    host, _, port = bound.endpoint.rpartition(":")
    # A machine without IPv6 listens on all of IPv4 instead.
    assert host + ":" in (endpoint, endpoint.replace("[::]", "0.0.0.0"))
    assert int(port) > 0
    bound.close()


@pytest.mark.parametrize("open_socket", [open_router, open_publisher])
@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("5555", "write tcp://HOST:PORT"),
        ("tcp://127.0.0.1", "write tcp://HOST:PORT"),
        ("tcp://127.0.0.1:99999", "a port up to 65535"),
        ("tcp://:5555", "write tcp://HOST:PORT"),
        ("tcp://1.2.3.4;127.0.0.1:0", "write tcp://HOST:PORT"),
        ("udp://127.0.0.1:5555", "write tcp://HOST:PORT"),
        ("tcp://203.0.113.1:5555", "no address of this machine"),
        ("tcp://256.1.1.1:5555", "no address of this machine"),
    ],
)
def test_a_bad_address_gets_a_sentence(
    context: Context, open_socket: Open, address: str, sentence: str
) -> None:
    """And leaves no socket behind, or the context would never close."""
    with pytest.raises(UsageError) as caught:
        open_socket(context, address, SETTINGS)
    assert address in str(caught.value)
    assert sentence in str(caught.value)


def test_a_port_in_use_is_named(context: Context) -> None:
    bound = open_router(context, "tcp://127.0.0.1:0", SETTINGS)
    with pytest.raises(PortInUse, match=bound.endpoint):
        open_publisher(context, bound.endpoint, SETTINGS)
    bound.close()


def test_no_default_that_trusts_the_peer_is_left(context: Context) -> None:
    """Libzmq's own: no limit on frames, no heartbeat, lingering for ever, gone peers ignored."""
    router = open_router(context, "tcp://127.0.0.1:0", SETTINGS)
    publisher = open_publisher(context, "tcp://127.0.0.1:0", SETTINGS)
    for bound, largest, waiting in ((router, 66_560, 64), (publisher, 400, 200)):
        assert bound.socket.get(zmq.MAXMSGSIZE) == largest
        assert bound.socket.get(zmq.RCVHWM) == waiting
        assert bound.socket.get(zmq.HEARTBEAT_IVL) == 10_000
        assert bound.socket.get(zmq.HANDSHAKE_IVL) == 10_000
        assert bound.socket.get(zmq.LINGER) == 0
    with pytest.raises(zmq.ZMQError, match="Host unreachable"):
        router.socket.send_multipart([b"\0gone", b""])
    router.close()
    publisher.close()


def test_the_file_limit_is_the_hard_one() -> None:
    assert raise_file_limit() == resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def test_routing_ids_of_two_processes_differ() -> None:
    """Unseeded, every process would count from the number C prescribes for seed 1."""
    program = (
        "from zchat.broker.sockets import *\n"
        "settings = SocketSettings()\n"
        "with open_context(settings) as context:\n"
        "    bound = open_router(context, 'tcp://127.0.0.1:0', settings)\n"
        "    print(bound.first_id)\n"
        "    bound.close()\n"
    )
    unseeded = program.replace("open_context(settings)", "__import__('zmq').Context()")
    first, second, predicted, again = (
        int(subprocess.check_output([sys.executable, "-c", text]))
        for text in (program, program, unseeded, unseeded)
    )
    assert predicted == again
    assert len({first, second, predicted}) == 3
