"""A stage: the pure broker and a journal in memory, joined by lists, with a clock turned by hand.

A script is lines of ``who word …``: ``alice say ops tea?``. `Stage.play` lets them happen one after
the other, `Stage.together` in one turn.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import msgspec

from tests.core.peer import Peer, line
from zchat.broker import restart
from zchat.broker.turn import turn
from zchat.config import Settings
from zchat.core import Broker, Effects, Now
from zchat.journal.memory import MemoryJournal
from zchat.protocol import codec
from zchat.protocol import events as e
from zchat.protocol import requests as q

__all__ = ["AT", "Stage"]

AT = 1_790_000_000_000
"""UTC at the beginning of every stage, in ms."""


class Stage:
    """One broker, its journal, its clients and their time."""

    def __init__(self, journal: MemoryJournal | None = None, **settings: Any) -> None:
        self.settings = Settings(**settings)
        self.journal = journal or MemoryJournal(stride=3, epoch="e1")
        self.dice = random.Random(1)
        self.now = Now(1_000, AT)
        self.peers: dict[str, Peer] = {}
        self.connected: dict[bytes, Peer] = {}
        self.effects: list[Effects] = []
        self._start()

    def _start(self) -> None:
        self.broker = Broker(
            self.settings,
            restart.fold(self.journal, self.settings.lobby),
            epoch=self.journal.epoch,
            agent="zchat",
            fresh=self.dice.randbytes,
            now=self.now,
        )

    def crash(self) -> None:
        """The process is killed and started anew; only the journal remains."""
        self.journal = self.journal.reopen()
        self.connected.clear()
        for peer in self.peers.values():
            peer.connections += 1
        self._start()

    # Time.

    def settle(self) -> None:
        """Turns until nothing is left to do without waiting."""
        while True:
            self.broker.handle_timers(self.now)
            self.turn()
            due = self.broker.next_timer()
            if not self.broker.busy and (due is None or due > self.now.monotonic):
                return

    def turn(self) -> Effects:
        """One turn; what it sends arrives at once."""
        effects, _ = turn(self.broker, self.journal, self.now)
        self.effects.append(effects)
        for frame in effects.publications:
            for peer in self.peers.values():
                peer.overhear(frame)
        for routing_id, frame in effects.replies:
            if routing_id in self.connected:
                self.connected[routing_id].take(frame)
        return effects

    def wait(self, ms: int) -> None:
        """Let time pass, stopping at every deadline on the way."""
        end = self.now.monotonic + ms
        while (due := self.broker.next_timer()) is not None and due <= end:
            self._pass(max(due, self.now.monotonic) - self.now.monotonic)
            self.settle()
        self._pass(end - self.now.monotonic)
        self.settle()

    def _pass(self, ms: int) -> None:
        self.now = Now(self.now.monotonic + ms, self.now.utc + ms)

    # People.

    def peer(self, name: str, address: str = "10.0.0.1") -> Peer:
        return self.peers.setdefault(name, Peer(name, address))

    def user(self, name: str, *rooms: str) -> Peer:
        """Somebody who has said hello under their own name and joined these rooms."""
        assert self.play(f"{name} hello {name}") == "welcome"
        for room in rooms:
            assert self.play(f"{name} join {room}") == "joined"
        return self.peer(name)

    def drop(self, name: str) -> None:
        """A client's connection breaks; its next request comes on another."""
        peer = self.peer(name)
        self.connected.pop(peer.routing_id, None)
        self.broker.disconnected(peer.routing_id, self.now)
        peer.connections += 1

    # Asking.

    def send(self, peer: Peer, *requests: q.Request) -> None:
        """One frame arrives; no turn is taken."""
        self.connected[peer.routing_id] = peer
        frame = codec.encode_requests(requests)
        self.broker.receive(peer.routing_id, peer.address, frame, self.now)

    def begin(self, words: str, **fields: Any) -> tuple[Peer, q.Request | None]:
        """One line of a script arrives; no turn is taken."""
        name, _, rest = words.partition(" ")
        peer = self.peer(name)
        if rest == "drop":
            self.drop(name)
            return peer, None
        if rest == "resume":
            peer.connections += 1
            request = peer.resumption(**fields)
        else:
            request = peer.write(rest, **fields)
        self.send(peer, request)
        return peer, request

    def play(self, words: str, **fields: Any) -> str:
        """One line of a script, and what it came to."""
        peer, request = self.begin(words, **fields)
        self.settle()
        return "dropped" if request is None else peer.outcome(request)

    def together(self, *lines: str) -> list[str]:
        """Lines that are all decided before any is committed, and what each came to."""
        begun = [self.begin(words) for words in lines]
        self.settle()
        return ["dropped" if r is None else peer.outcome(r) for peer, r in begun]

    def answer(self, words: str, **fields: Any) -> Any:
        """One line of a script, and the reply or the refusal it got."""
        peer, request = self.begin(words, **fields)
        self.settle()
        assert request is not None
        return peer.answers[request.id]

    def forge(self, *events: e.Event) -> None:
        """Events that another broker appended to the same journal."""
        self.journal.submit(events)
        self.settle()

    # Looking.

    def hush(self) -> None:
        """Forget what was heard so far."""
        for peer in self.peers.values():
            peer.heard()

    def written(self) -> list[str]:
        """Every event in the journal, as lines."""
        return [line(event) for event in self.journal.tail(0)]

    def state(self) -> dict[str, Any]:
        """The record as its users see it: no ids, no positions."""
        record = self.broker.record
        nicks = {id_: user.nick for id_, user in record.users.items()}
        return {
            "users": {
                user.nick: (
                    sorted(user.rooms),
                    [
                        (record.sessions[s].away, record.sessions[s].serials.last)
                        for s in user.sessions
                    ],
                )
                for user in record.users.values()
            },
            "rooms": {
                name: (sorted(nicks[id_] for id_ in room.members), room.subject, room.spoken)
                for name, room in record.rooms.items()
            },
            "streams": sorted(
                "u." + nicks[s[2:]] if s.startswith("u.") else s for s in record.heads
            ),
        }

    def snapshot(self) -> Any:
        """The record with everything in it."""
        return msgspec.msgpack.decode(self.broker.record.snapshot())


def outcomes(stage: Stage, script: Iterable[str]) -> list[str]:
    """What each line of a script came to."""
    return [stage.play(words) for words in script]
