"""Opens the broker's ROUTER and XPUB with every bound set; reads and sends nothing on them.

libzmq's defaults trust the peer: no limit on a frame, no heartbeat, anybody subscribes to
anything. `SocketSettings` says what each becomes, and why.
"""

from __future__ import annotations

import ctypes
import os
import re
import resource
from dataclasses import dataclass
from errno import EACCES, EADDRINUSE, EADDRNOTAVAIL, ENODEV
from itertools import count
from typing import NamedTuple

import zmq

from zchat.config import Settings
from zchat.errors import PortInUse, UsageError

__all__ = ["Bound", "SocketSettings", "open_context", "open_publisher", "open_router"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketSettings:
    """What a connection may ask of the broker's sockets. Times are ms, sizes bytes."""

    max_request_bytes: int = 65 * 1024
    """One frame into the ROUTER: 64 KiB of requests, and what CURVE wraps around them."""
    max_subscription_bytes: int = 400
    """One frame into the XPUB: a subscription is 5 bytes, CURVE's handshake needs 320."""
    router_receive_hwm: int = 64
    """Frames of one connection that wait unread; then TCP tells the sender to wait. It is
    what one client keeps in flight, and 4 MiB at the very worst."""
    router_send_hwm: int = 256
    """Frames of replies that wait for one reader; past it a send fails and we know."""
    publisher_receive_hwm: int = 200
    """Subscriptions of one connection that wait unread: more than a person's rooms."""
    publisher_send_hwm: int = Settings().publisher_hwm
    """Publications that wait for one reader; `zchat.config.Settings` says why so many."""
    backlog: int = 1_024
    """TCP connections that wait to be accepted: everybody comes back at once after a restart."""
    heartbeat_interval_ms: int = 10_000
    """How often each side asks whether the other is there (default of libzmq: never)."""
    heartbeat_timeout_ms: int = 20_000
    """How long an answer may take before the connection is half-open, and closed."""
    handshake_ms: int = 10_000
    """How long a TCP connection may take to speak ZMTP (libzmq: 30 s)."""
    publisher_receive_buffer: int = 32 * 1024
    """What the kernel keeps of one subscriber's frames: so much still reaches us from a
    connection we have shut."""
    max_subscriptions: int = 2_048
    """Subscriptions and cancellations one connection may send in its life, granted or not:
    libzmq walks what is left of them when it goes, 1.8 µs each, in our thread. Over it the
    connection is closed; libzmq's SUB comes back by itself with those it still wants."""
    max_junk: int = 4
    """Frames that are no subscription to a topic, before the connection is closed. No
    honest client sends one."""
    max_unfinished_bytes: int = 256 * 1024
    """Bytes received beyond what was delivered: an unfinished message. An honest one is
    a single frame, so it is never over ``max_request_bytes``."""
    guard_growth_bytes: int = 8 * 1024 * 1024
    """Growth of this process's memory at which all connections are looked at."""
    guard_round_ms: int = 60_000
    """How often each is looked at besides, a few at a time."""
    curve: bool = False
    """Whether CURVE wraps each frame; its bytes are counted when received is compared with
    delivered."""
    io_threads: int = 1
    """Threads of libzmq that move bytes; one carries about a gigabyte a second."""
    max_sockets: int = 1_023
    """Sockets of this process's context. Connections are no sockets; it is libzmq's default."""


class Bound(NamedTuple):
    """A socket that listens."""

    socket: zmq.Socket[bytes]
    monitor: zmq.Socket[bytes]
    """Says who connected and who went; watched from before the first connection."""
    endpoint: str
    """Where it really listens, with the port the system chose for 0 or ``*``."""
    first_id: int
    """ROUTER: the number of its first routing id; each connection's is one more."""

    def close(self) -> None:
        """Stop listening and end every connection; what was not sent yet is dropped."""
        self.socket.disable_monitor()
        self.monitor.close()
        self.socket.close()


def open_context(settings: SocketSettings) -> zmq.Context[zmq.Socket[bytes]]:
    """The one context of a broker: make it before any other socket of the process.

    Raises the soft limit of open files to the hard one, since libzmq may abort the
    process when it runs out of them.
    """
    raise_file_limit()
    seed_routing_ids()
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context(settings.io_threads)
    context.set(zmq.MAX_SOCKETS, settings.max_sockets)
    return context


def raise_file_limit() -> int:
    """Let this process open as many files as it ever may; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError):  # macOS names "infinity" and refuses it
        return soft
    return hard


def seed_routing_ids() -> None:
    """Make the routing ids of this process's ROUTERs unpredictable.

    libzmq 4.3.5 draws a ROUTER's first id from the C library's ``rand()`` and never seeds
    it, so all processes count from the same number; a predictable id would let a stranger
    disturb the process.
    """
    ctypes.CDLL(None).srand(ctypes.c_uint(int.from_bytes(os.urandom(4), "little")))


def open_router(
    context: zmq.Context[zmq.Socket[bytes]], address: str, settings: SocketSettings
) -> Bound:
    """A ROUTER that listens at ``address``, ``tcp://HOST:PORT``; port 0 or ``*`` is any free one.

    Raises `PortInUse`, or `UsageError` with what is wrong about the address.
    """
    socket = _bounded(context, zmq.ROUTER, address, settings)
    socket.set(zmq.MAXMSGSIZE, settings.max_request_bytes)
    socket.set(zmq.RCVHWM, settings.router_receive_hwm)
    socket.set(zmq.SNDHWM, settings.router_send_hwm)
    # A full or gone peer is an error (EAGAIN, EHOSTUNREACH) and not a reply lost in silence.
    socket.set(zmq.ROUTER_MANDATORY, 1)
    return _listening(socket, address, _first_id(socket))


def open_publisher(
    context: zmq.Context[zmq.Socket[bytes]], address: str, settings: SocketSettings
) -> Bound:
    """An XPUB in manual mode that listens at ``address``; raises as `open_router` does."""
    socket = _bounded(context, zmq.XPUB, address, settings)
    socket.set(zmq.MAXMSGSIZE, settings.max_subscription_bytes)
    socket.set(zmq.RCVHWM, settings.publisher_receive_hwm)
    socket.set(zmq.SNDHWM, settings.publisher_send_hwm)
    socket.set(zmq.RCVBUF, settings.publisher_receive_buffer)
    # Nobody hears anything unless `zchat.broker.subscriptions` grants it.
    socket.set(zmq.XPUB_MANUAL, 1)
    return _listening(socket, address, 0)


_numbers = count(1)


def _bounded(
    context: zmq.Context[zmq.Socket[bytes]], kind: int, address: str, settings: SocketSettings
) -> zmq.Socket[bytes]:
    host = _host(address)
    socket = context.socket(kind)
    socket.set(zmq.LINGER, 0)
    socket.set(zmq.BACKLOG, settings.backlog)
    socket.set(zmq.HEARTBEAT_IVL, settings.heartbeat_interval_ms)
    socket.set(zmq.HEARTBEAT_TIMEOUT, settings.heartbeat_timeout_ms)
    # What we ask of the peer: close when we are silent for so long.
    socket.set(zmq.HEARTBEAT_TTL, settings.heartbeat_interval_ms + settings.heartbeat_timeout_ms)
    socket.set(zmq.HANDSHAKE_IVL, settings.handshake_ms)
    # With it, libzmq takes an IPv4 address for IPv6: only where the address is one, or any.
    socket.set(zmq.IPV6, int(host == "*" or host.startswith("[")))
    return socket


def _first_id(router: zmq.Socket[bytes]) -> int:
    """Learn the first id by being the first connection; nobody else can reach it yet."""
    inside = f"inproc://zchat-first-{next(_numbers)}"
    router.bind(inside)
    with router.context.socket(zmq.DEALER) as dealer:
        dealer.connect(inside)
        dealer.send(b"")
        routing_id, _ = router.recv_multipart()
    router.unbind(inside)
    return int.from_bytes(routing_id[1:], "big")


def _listening(socket: zmq.Socket[bytes], address: str, first_id: int) -> Bound:
    bound = Bound(socket, _monitor(socket), address, first_id)
    try:
        socket.bind(address)
    except zmq.ZMQError as error:
        bound.close()
        raise _explained(address, error) from error
    endpoint = socket.get(zmq.LAST_ENDPOINT)
    assert isinstance(endpoint, bytes)
    return bound._replace(endpoint=endpoint.rstrip(b"\0").decode())


def _monitor(socket: zmq.Socket[bytes]) -> zmq.Socket[bytes]:
    inside = f"inproc://zchat-monitor-{next(_numbers)}"
    socket.monitor(inside, zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED)
    monitor: zmq.Socket[bytes] = socket.context.socket(zmq.PAIR)
    # libzmq's own thread waits where a monitor is full, and nothing would move any more.
    monitor.set(zmq.RCVHWM, 0)
    monitor.set(zmq.LINGER, 0)
    monitor.connect(inside)
    return monitor


def _host(address: str) -> str:
    # libzmq itself takes port 99999 for 34463.
    parts = re.fullmatch(r"tcp://(\[[^\]\s]+\]|[^\s:/;\[\]]+):(\*|\d{1,5})", address)
    if parts is None or (parts[2] != "*" and int(parts[2]) > 65_535):
        raise UsageError(
            f"{address!r} is no address to listen at; write tcp://HOST:PORT, "
            "as in tcp://127.0.0.1:5555 or tcp://[::1]:5555, with a port up to 65535"
        )
    return parts[1]


def _explained(address: str, error: zmq.ZMQError) -> PortInUse | UsageError:
    if error.errno == EADDRINUSE:
        return PortInUse(address)
    if error.errno in (EADDRNOTAVAIL, ENODEV):
        return UsageError(
            f"cannot listen at {address}: that is no address of this machine; "
            "use one of its own, or * for all"
        )
    if error.errno == EACCES:
        return UsageError(
            f"cannot listen at {address}: this user may not use that port; choose one from 1024"
        )
    return UsageError(f"cannot listen at {address}: {zmq.strerror(error.errno or 0)}")
