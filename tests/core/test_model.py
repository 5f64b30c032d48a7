"""Whatever people do, in whatever order: the broker is what a napkin says it is (`model`).

Each step is played on both, and they must agree on its outcome, on who heard of it, and on who is
where afterwards.
"""

from __future__ import annotations

from collections.abc import Set

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.core.model import Model, Person
from tests.core.stage import Stage

WHO = st.sampled_from(["ann", "ben", "cat"])
NICKS = st.sampled_from(["alice", "Alice", "a1ice", "bob", "b0b", "zoe"])
ROOMS = st.sampled_from(["lobby", "ops", "0ps", "den"])
GRACE = 30_000


class Chat(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage(rekey_ms=0, rate=10**6, burst=10**6)
        self.model = Model()
        for name in ("ann", "ben", "cat"):
            self.stage.peer(name)
        self.head = 0

    def present(self, who: str) -> Person | None:
        """Them, if they can ask anything; that they cannot is checked on the way."""
        person = self.model.people.get(who)
        if person is not None and person.here:
            return person
        assert self.stage.play(f"{who} say lobby psst") in ("no-session", "session-ended")
        return None

    def happens(
        self, line: str, outcome: str, told: str = "", hearers: Set[str] = frozenset()
    ) -> None:
        """A line is played: it comes to this, and those who did not ask hear exactly that."""
        self.stage.hush()
        assert self.stage.play(line) == outcome
        who, *_ = line.split()
        self.heard({name: [told] for name in hearers - {who}}, but=who)

    def heard(self, expected: dict[str, list[str]], but: str = "") -> None:
        for name, peer in self.stage.peers.items():
            if name != but:
                assert sorted(peer.heard()) == sorted(expected.get(name, [])), name

    @rule(who=WHO, nick=NICKS)
    def hello(self, who: str, nick: str) -> None:
        if who in self.model.people:
            return
        refused = self.model.nick(who, nick)
        self.happens(f"{who} hello {nick}", refused or "welcome")
        if not refused:
            self.model.people[who] = Person(nick)

    @rule(who=WHO, nick=NICKS)
    def nick(self, who: str, nick: str) -> None:
        if person := self.present(who):
            refused = self.model.nick(who, nick)
            hearers = set[str]() if refused else self.model.hearers(*person.rooms)
            self.happens(f"{who} nick {nick}", refused or "done", f"renamed {person.nick} {nick}", hearers)  # fmt: skip
            person.nick = person.nick if refused else nick

    @rule(who=WHO, room=ROOMS)
    def join(self, who: str, room: str) -> None:
        if person := self.present(who):
            hearers = set[str]() if room in person.rooms else self.model.hearers(room)
            self.happens(f"{who} join {room}", self.model.join(who, room), f"joined {person.nick} {room}", hearers)  # fmt: skip

    @rule(who=WHO, room=ROOMS)
    def leave(self, who: str, room: str) -> None:
        if person := self.present(who):
            refused = self.model.may(who, room)
            hearers = set[str]() if refused else self.model.hearers(room)
            self.happens(f"{who} leave {room}", refused or "done", f"left {person.nick} {room}", hearers)  # fmt: skip
            person.rooms.discard(room)

    @rule(who=WHO, room=ROOMS, word=st.sampled_from(["say", "act", "subject"]))
    def speak(self, who: str, room: str, word: str) -> None:
        if person := self.present(who):
            refused = self.model.may(who, room)
            kind = {"say": "message", "act": "action"}.get(word, word)
            hearers = set[str]() if refused else self.model.hearers(room)
            self.happens(f"{who} {word} {room} hi", refused or "done", f"{kind} {person.nick} {room} hi", hearers)  # fmt: skip
            if not refused:
                self.model.spoken.add(room)

    @rule(who=WHO, nick=NICKS)
    def whisper(self, who: str, nick: str) -> None:
        if person := self.present(who):
            to = self.model.called(nick)
            hearers = {to} if to and self.model.people[to].hears else set()
            named = self.model.people[to].nick if to else ""
            self.happens(f"{who} whisper {nick} hi", "done" if to else "no-such-user", f"whisper {person.nick} {named} hi", hearers)  # fmt: skip

    @rule(who=WHO)
    def bye(self, who: str) -> None:
        if person := self.present(who):
            hearers = self.model.hearers(*person.rooms)
            self.happens(f"{who} bye", "done", f"quit {person.nick} bye", hearers)
            del self.model.people[who]

    @rule(who=WHO)
    def drop(self, who: str) -> None:
        if person := self.present(who):
            hearers = self.model.hearers(*person.rooms)
            self.happens(f"{who} drop", "dropped", f"away {person.nick}", hearers)
            person.here, person.away = False, True

    @rule(who=WHO)
    def resume(self, who: str) -> None:
        person = self.model.people.get(who)
        if person is None:
            return
        hearers = self.model.hearers(*person.rooms) if person.away else set()
        self.happens(f"{who} resume", "welcome", f"back {person.nick}", hearers)
        person.here, person.away, person.hears = True, False, True

    @rule()
    def time_passes(self) -> None:
        """Whoever has no connection is gone."""
        self.stage.hush()
        self.stage.wait(GRACE)
        lost = {name: p for name, p in self.model.people.items() if not p.here}
        for name in lost:
            del self.model.people[name]
        for name in set(self.stage.peers) - set(self.model.people):
            self.stage.peer(name).heard()  # of their own end
        self.heard(
            {
                name: [f"quit {p.nick} lost" for p in lost.values() if p.rooms & person.rooms]
                for name, person in self.model.people.items()
                if person.hears
            }
        )

    @rule()
    def crash(self) -> None:
        self.stage.crash()
        for person in self.model.people.values():
            person.here = person.hears = False

    @invariant()
    def both_agree_on_who_is_where(self) -> None:
        state = self.stage.state()
        assert {nick: rooms for nick, (rooms, _) in state["users"].items()} == {
            person.nick: sorted(person.rooms) for person in self.model.people.values()
        }
        assert {name: spoken for name, (_, _, spoken) in state["rooms"].items()} == {
            room: room in self.model.spoken for room in self.model.rooms
        }

    @invariant()
    def positions_only_grow(self) -> None:
        positions = [event.position for event in self.stage.journal.tail(0)]
        assert positions == sorted(set(positions))
        assert self.head <= self.stage.journal.head()
        self.head = self.stage.journal.head()

    @invariant()
    def every_request_is_answered_once(self) -> None:
        for peer in self.stage.peers.values():
            assert peer.strays == []
            assert peer.answers.keys() == peer.requests.keys()


TestChat = Chat.TestCase
TestChat.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
