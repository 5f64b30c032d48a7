"""The broker's loop: every server-side socket, one thread, one turn after another.

It moves bytes between the sockets and the pure `zchat.core.Broker` and owns the clock, the
signals and the journal. No rule of the chat is here.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import re
import socket
import time
from collections.abc import Callable
from typing import Final, Self

import msgspec
import zmq

from zchat.config import Settings
from zchat.core import Broker, Effects, Now
from zchat.errors import JournalError, Refused, UsageError
from zchat.journal import Journal
from zchat.protocol.names import room_name

from . import restart
from .connections import Connections
from .guard import Guard
from .intake import Intake
from .logbook import Logbook, MessageLog
from .sockets import SocketSettings, open_context, open_publisher, open_router
from .subscriptions import Subscriptions
from .turn import turn

__all__ = ["Server"]

log = logging.getLogger("zchat.broker")

TICK_MS: Final = 50
"""The guard looks at least this often, traffic or not: 0.2 % of a core at rest."""
LINGER_MS: Final = 1_000
"""How long a stopping broker gives its last notices to leave."""


def clock() -> Now:
    """This moment, for the core."""
    return Now(time.monotonic_ns() // 1_000_000, time.time_ns() // 1_000_000)


class Server:
    """A broker that listens. Made with its journal, which it closes; run with `run`."""

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        *,
        agent: str,
        sockets: SocketSettings | None = None,
        message_log: MessageLog | None = None,
        clock: Callable[[], Now] = clock,
    ) -> None:
        """Bind, and fold the record. Raises `PortInUse`, `UsageError`, `JournalError`."""
        for address in (settings.bind, settings.publish):
            check_exposure(address, insecure=settings.insecure)
        sockets = sockets or SocketSettings(publisher_send_hwm=settings.publisher_hwm)
        self._clock = clock
        self._journal = journal
        self._logbook = Logbook()
        self._message_log = message_log
        self._context = open_context(sockets)
        with contextlib.ExitStack() as undo:
            undo.callback(self._context.destroy, linger=0)
            router = open_router(self._context, settings.bind, sockets)
            publisher = open_publisher(self._context, settings.publish, sockets)
            record = restart.fold(journal, _lobby(settings.lobby))
            undo.pop_all()
        self.endpoint = router.endpoint
        """Where requests are answered, with the port really bound."""
        self.publishes_at = publisher.endpoint
        """Where publications go out."""
        self._router, self._xpub = router.socket, publisher.socket
        self._broker = Broker(
            msgspec.structs.replace(settings, publish=_advertised(publisher.endpoint)),
            record,
            epoch=journal.epoch,
            agent=agent,
            fresh=os.urandom,
            now=clock(),
        )
        self._connections = Connections(router, publisher, sockets)
        self._intake = Intake(self._connections)
        self._subscriptions = Subscriptions(self._connections, self._broker.topics.living)
        self._guard = Guard(self._connections)
        self._snapshot_at = record.position
        self._stop_asked, self._stop_asking = socket.socketpair()
        self._stop_asked.setblocking(False)
        self._stop_asking.setblocking(False)
        self._poller = zmq.Poller()
        for readable in (
            self._router, self._xpub, *self._connections.monitors, self._stop_asked, journal.fileno(),
        ):  # fmt: skip
            if readable is not None:
                self._poller.register(readable, zmq.POLLIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def stop_fd(self) -> int:
        """A byte written here stops `run`: for ``signal.set_wakeup_fd``."""
        return self._stop_asking.fileno()

    def stop(self) -> None:
        """End `run` soon, from any thread: clients are told and nothing acknowledged is lost."""
        with contextlib.suppress(BlockingIOError):
            self._stop_asking.send(b"\0")

    def run(self) -> None:
        """Serve until `stop`, then drain."""
        while not self._stopping():
            self._turn()
        log.info("= stopping: %d connections are told to come back", len(self._broker.clients))
        self._broker.drain(self._broker.settings.retry_ms)
        self._turn()
        self._keep()

    def close(self) -> None:
        """Release sockets and journal. Nothing acknowledged is lost."""
        if not self._context.closed:
            self._guard.close()
            self._context.destroy(linger=LINGER_MS)
            self._stop_asked.close()
            self._stop_asking.close()
            self._journal.close()
            if self._message_log is not None:
                self._message_log.close()

    # One turn.

    def _turn(self) -> None:
        broker, now = self._broker, self._clock()
        for gone in self._connections.pump(now.monotonic):
            broker.disconnected(gone.routing_id, now)
        for routing_id, frame in self._intake.drain(
            broker.settings.max_turn, broker.settings.max_turn_bytes
        ):
            connection = self._connections.find(routing_id)
            if connection is not None:
                broker.receive(routing_id, connection.address, frame, now)
        broker.granted(self._subscriptions.drain(), now)
        broker.handle_timers(now)
        effects, trouble = turn(broker, self._journal, now)
        self._send(effects)
        self._write_down(effects, trouble, now)
        self._guard.check(now.monotonic)
        if broker.record.position - self._snapshot_at >= broker.settings.snapshot_events:
            self._keep()

    def _send(self, effects: Effects) -> None:
        for frame in effects.publications:
            # PUB never blocks: past a reader's high-water mark it drops, and they backfill.
            self._xpub.send(frame, zmq.NOBLOCK)
        for routing_id, frame in effects.replies:
            try:
                self._router.send(routing_id, zmq.SNDMORE | zmq.NOBLOCK)
                self._router.send(frame, zmq.NOBLOCK)
            except zmq.Again:
                # It sends but does not read: it resumes when it does.
                self._connections.close(routing_id)
            except zmq.ZMQError as error:
                if error.errno != zmq.EHOSTUNREACH:  # it left
                    raise
        for routing_id in effects.closes:
            log.warning("! a connection that floods with what is refused is closed")
            self._connections.close(routing_id)

    def _write_down(self, effects: Effects, trouble: JournalError | None, now: Now) -> None:
        self._logbook.events(effects.events)
        self._logbook.refusals(effects.refusals, now.monotonic)
        if self._message_log is not None and effects.events:
            self._message_log.events(effects.events)
        if trouble is not None:
            self._logbook.trouble(trouble, now.monotonic)

    def _keep(self) -> None:
        """Save a snapshot; without one the next start only takes longer."""
        self._snapshot_at = self._broker.record.position
        try:
            restart.keep(self._journal, self._broker.record)
        except JournalError as error:
            log.warning("! no snapshot was saved: %s", error)

    def _stopping(self) -> bool:
        """Wait until there is something to do; whether that is to stop."""
        for readable, _ in self._poller.poll(self._patience_ms()):
            if readable == self._stop_asked.fileno() or readable is self._stop_asked:
                return True
        return False

    def _patience_ms(self) -> int:
        if self._broker.busy or not (self._intake.empty and self._subscriptions.empty):
            return 0
        due = self._broker.next_timer()
        if due is None:
            return TICK_MS
        return min(TICK_MS, max(0, due - self._clock().monotonic))


def check_exposure(address: str, *, insecure: bool) -> None:
    """Refuse an address that others can reach, unless that was asked for.

    Raises `UsageError` with what is at stake.
    """
    tcp = re.fullmatch(r"tcp://(.*):[^:]*", address)
    if insecure or tcp is None:  # what is no address at all is refused where it is bound
        return
    host = tcp[1].strip("[]")
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return
    if host != "localhost":
        raise UsageError(
            f"{address} can be reached from other machines, and what passes there is neither "
            "encrypted nor proven; bind to tcp://127.0.0.1, or say --insecure if everybody on "
            "that network may read and forge"
        )


def _lobby(name: str) -> str:
    """The lobby's canonical name. Raises `UsageError`: nobody could enter another."""
    try:
        return room_name(name)
    except Refused as refused:
        raise UsageError(f"the lobby needs another name: {refused}") from None


def _advertised(endpoint: str) -> str:
    """The endpoint as clients are told it: ``*`` where any address of this machine will do."""
    return re.sub(r"^tcp://(0\.0\.0\.0|\[::\]):", "tcp://*:", endpoint)
