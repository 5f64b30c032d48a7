"""What must hold, in the middle and in the end: the promises P1, P2, P3 and P4, and law 2."""

from __future__ import annotations

from collections import Counter

import msgspec

from zchat.broker import restart
from zchat.client.events import Gap, SessionLost
from zchat.core import Record
from zchat.errors import OutcomeUnknown
from zchat.protocol import events as e
from zchat.protocol import names
from zchat.protocol.replies import Done

from .people import Person
from .world import World


class Promises:
    """Judges one world."""

    def __init__(self, world: World, people: list[Person]) -> None:
        self.world = world
        self.people = people
        self._retired: list[Person] = []

    def retire(self, person: Person) -> None:
        """Somebody is gone; what they were promised still holds."""
        self._retired.append(person)

    @property
    def everybody(self) -> list[Person]:
        """Those who are here and those who were."""
        return [*self.people, *self._retired]

    def hold_now(self) -> None:
        """What must hold at any moment."""
        self.acknowledged_is_kept_once()
        self.one_user_per_nick()
        self.record_follows_from_the_journal()
        for person in self.everybody:
            self.seen_once_and_in_order(person)
            self.nothing_of_others_seen(person)

    def hold_in_the_end(self) -> None:
        """And once nothing is under way."""
        self.hold_now()
        for person in self.people:
            if person.session.closed is None:
                self.saw_everything(person)
        self.nobody_waits()

    # P1

    def acknowledged_is_kept_once(self) -> None:
        """Every acknowledged message is in the journal exactly once, and no other one twice."""
        kept = Counter(
            event.text
            for event in self.world.journal.tail(0)
            if isinstance(event, e.Posted | e.Whispered)
        )
        twice = [text for text, count in kept.items() if count > 1]
        assert not twice, f"appended more than once: {twice}"
        for person in self.everybody:
            for ticket, text in person.said:
                if isinstance(ticket.result, Done) and text not in self.world.trimmed:
                    assert kept[text] == 1, (
                        f"acknowledged and lost: {text!r} at {ticket.result.position}"
                    )

    def nobody_waits(self) -> None:
        """Every request has an answer, and `OutcomeUnknown` only who lost a session."""
        for person in self.people:
            for ticket, text in person.said:
                assert ticket.settled or person.session.closed, f"never answered: {text!r}"
                if isinstance(ticket.error, OutcomeUnknown):
                    assert person.lives > 1 or person.session.closed, (
                        f"unknown for no reason: {text!r}"
                    )

    # P2

    def seen_once_and_in_order(self, person: Person) -> None:
        """No event twice; the messages of each stream in the order of positions."""
        seen: set[int] = set()
        last: dict[str, int] = {}
        for item in person.seen:
            if isinstance(item, SessionLost):
                last.pop("@", None)
            elif isinstance(item, e.Event):
                assert item.position not in seen, f"{person.name} saw {item} twice"
                seen.add(item.position)
                if isinstance(item, e.Posted):
                    before = last.get(item.room, 0)
                    assert before < item.position, f"{person.name} saw {item} after {before}"
                    last[item.room] = item.position

    def saw_everything(self, person: Person) -> None:
        """What a member's streams hold since they joined was delivered, or is in one explicit gap."""
        delivered = {item.position for item in person.seen if isinstance(item, e.Event)}
        gaps = [item for item in person.seen if isinstance(item, Gap)]
        for stream, timeline in person.session.streams.timelines.items():
            for event in self._stream(person, stream):
                if event.position <= timeline.since or event.position in delivered:
                    continue
                assert any(
                    gap.stream == stream and (gap.after or 0) < event.position <= gap.until
                    for gap in gaps
                ), f"{person.name} never saw {event} in {stream}"

    def is_current(self, person: Person) -> bool:
        """Whether each stream has come to its end."""
        if person.session.closed is not None:
            return True
        record = self.world.record
        return all(
            timeline.mine >= record.head(self._name(person, stream))
            for stream, timeline in person.session.streams.timelines.items()
        )

    def _stream(self, person: Person, stream: str) -> list[e.Event]:
        return self.world.journal.read(self._name(person, stream), after=0, limit=1_000_000).events

    @staticmethod
    def _name(person: Person, stream: str) -> str:
        return (
            e.inbox_stream(person.session.streams.user) if stream == "@" else e.room_stream(stream)
        )

    # P3

    def nothing_of_others_seen(self, person: Person) -> None:
        """Nobody was given a whisper that is neither theirs nor to them, nor anything secret."""
        for item in person.seen:
            if isinstance(item, e.Whispered):
                assert person.name[:3] in item.text or item.to in person.users, (
                    f"{person.name} was given {item}"
                )
            if isinstance(item, e.Event):
                assert item.session == "", f"{item} names its session"

    # P4

    def one_user_per_nick(self) -> None:
        """No two users have the same nick or one that looks like it; every one is found by it."""
        if self.world.broker is None:
            return
        record = self.world.record
        holders: dict[str, str] = {}
        for id_, user in record.users.items():
            assert record.roster.user(user.nick) == id_
            for look in names.skeletons(user.nick):
                assert holders.setdefault(look, id_) == id_, f"two users look like {user.nick}"

    # Law 2

    def record_follows_from_the_journal(self) -> None:
        """Folded anew, from the start and from the last snapshot, the record is the same."""
        if self.world.broker is None:
            return
        live = _content(self.world.record)
        again = restart.fold(self.world.journal, "lobby")
        assert _content(again) == live, "folded from the snapshot it is another"
        if not self.world.trimmed:
            assert _content(self.world.folded_anew()) == live, "folded from the start it is another"


def _content(record: Record) -> object:
    """The record without its position, which counts void events that the journal forgot."""
    content = msgspec.msgpack.decode(record.snapshot())
    del content["position"]
    return content
