"""The broker's sockets on free loopback ports, with everything that watches them, turned by hand."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import zmq

from tests.broker import stranger
from zchat.broker.connections import Connections, Gone
from zchat.broker.guard import Guard
from zchat.broker.intake import Intake
from zchat.broker.sockets import SocketSettings, open_context, open_publisher, open_router
from zchat.broker.subscriptions import Subscriptions

DEADLINE = 20.0


class Shell:
    """A broker without a turn loop: a test turns it until what it waits for is true."""

    def __init__(self, **settings: Any) -> None:
        self.settings = replace(SocketSettings(), **settings)
        self.context = open_context(self.settings)
        self.router = open_router(self.context, "tcp://127.0.0.1:0", self.settings)
        self.publisher = open_publisher(self.context, "tcp://127.0.0.1:0", self.settings)
        self.connections = Connections(self.router, self.publisher, self.settings)
        self.intake = Intake(self.connections)
        self.living: set[int] = set()
        self.subscriptions = Subscriptions(self.connections, self.living.__contains__)
        self.guard = Guard(self.connections)
        self.arrived: list[tuple[bytes, bytes]] = []
        self.granted: list[int] = []
        self.gone: list[Gone] = []
        self._poller = zmq.Poller()
        for watched in (
            self.router.socket,
            self.publisher.socket,
            *self.connections.monitors,
        ):
            self._poller.register(watched, zmq.POLLIN)
        self._peers: list[zmq.Socket[bytes]] = []
        self._strangers: list[socket.socket] = []

    @property
    def now_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def turn(self, wait_ms: int = 0) -> None:
        self._poller.poll(wait_ms)
        self.arrived += self.intake.drain(256)
        self.granted += self.subscriptions.drain(256)
        self.gone += self.connections.pump(self.now_ms)
        self.guard.check(self.now_ms)

    def until(self, condition: Callable[[], object], doing: Callable[[], object] = int) -> float:
        """Turn until the condition holds; the seconds it took. Fails past the deadline."""
        start = time.monotonic()
        while not condition():
            assert time.monotonic() < start + DEADLINE, "waited in vain"
            doing()
            self.turn(10)
        return time.monotonic() - start

    def peer(self, kind: int, *, topics: tuple[bytes, ...] = (), **options: bytes | int) -> Any:
        peer = self.context.socket(kind)
        peer.set(zmq.LINGER, 0)
        for name, value in options.items():
            peer.set(getattr(zmq, name), value)
        for topic in topics:
            peer.set(zmq.SUBSCRIBE, topic)
        requests = kind in (zmq.DEALER, zmq.REQ)
        peer.connect((self.router if requests else self.publisher).endpoint)
        self._peers.append(peer)
        return peer

    def stranger(self, kind: str, **properties: bytes) -> socket.socket:
        """A peer of ours that speaks ZMTP by hand, its handshake done."""
        stream = stranger.meet(self.port(kind), Socket_Type=kind.encode(), **properties)
        self._strangers.append(stream)
        return stream

    def port(self, kind: str) -> int:
        bound = self.router if kind == "DEALER" else self.publisher
        return int(bound.endpoint.rpartition(":")[2])

    def publish(self, data: bytes) -> None:
        self.publisher.socket.send(data)

    def close(self) -> None:
        self.guard.close()
        for stream in self._strangers:
            stream.close()
        for peer in self._peers:
            peer.close()
        for bound in (self.router, self.publisher):
            bound.close()
        self.context.term()
