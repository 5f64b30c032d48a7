"""Asks the kernel about a TCP descriptor that libzmq owns; never reads, writes or closes it.

libzmq closes a descriptor when it likes, and the system gives its number to the next
connection or file: each function here takes a number that is nobody's any more.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import sys
import termios
from contextlib import suppress
from typing import Final, NamedTuple

__all__ = ["COUNTS_RECEIVED", "Peer", "peer_of", "received", "shut", "unread"]

COUNTS_RECEIVED: Final = sys.platform == "linux"
"""Whether this system counts the bytes received on a connection for us."""

_TCP_INFO_RECEIVED: Final = 128  # tcpi_bytes_received, RFC 4898 tcpEStatsAppHCThruOctetsReceived
_TCP_INFO_SIZE: Final = _TCP_INFO_RECEIVED + 8


class Peer(NamedTuple):
    """The other end of a TCP connection."""

    address: str
    """An IPv4 address is written as one, also where an IPv6 socket accepted it."""
    port: int


def peer_of(fd: int) -> Peer | None:
    """Who is at the other end; None if the descriptor is no connection any more."""
    with suppress(OSError), _Borrowed(fd) as tcp:
        address, port = tcp.getpeername()[:2]
        return Peer(address.removeprefix("::ffff:") if "." in address else address, port)
    return None


def shut(fd: int, peer: Peer) -> None:
    """End the connection if it is still the one to ``peer``: libzmq then sees it closed."""
    if peer_of(fd) == peer:
        with suppress(OSError), _Borrowed(fd) as tcp:
            tcp.shutdown(socket.SHUT_RDWR)


def received(fd: int) -> int:
    """Bytes of payload the kernel has received on it, ever; 0 if it is no connection any more."""
    with suppress(OSError, struct.error), _Borrowed(fd) as tcp:
        info = tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_SIZE)
        count: int = struct.unpack_from("=Q", info, _TCP_INFO_RECEIVED)[0]
        return count
    return 0


def unread(fd: int) -> int:
    """Bytes the kernel holds that libzmq has not read yet."""
    with suppress(OSError):
        count: int = struct.unpack("=i", fcntl.ioctl(fd, termios.FIONREAD, bytes(4)))[0]
        return count
    return 0


class _Borrowed(socket.socket):
    """A socket object that leaves its descriptor open."""

    def __init__(self, fd: int) -> None:
        # Family, type and protocol are given, or Python asks the kernel for each.
        super().__init__(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=fd)

    def __exit__(self, *_: object) -> None:
        self.detach()
