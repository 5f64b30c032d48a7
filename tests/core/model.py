"""The chat as one would write it on a napkin: people, rooms, and who hears what. No positions, no keys."""

from __future__ import annotations

from dataclasses import dataclass, field

from zchat.protocol import names

__all__ = ["Model", "Person"]


@dataclass
class Person:
    """Somebody with a session."""

    nick: str
    rooms: set[str] = field(default_factory=set)
    here: bool = True  # their connection stands
    away: bool = False  # and the rooms were told when it broke
    hears: bool = True  # they have this broker's keys


def alike(one: str, other: str) -> bool:
    return bool(names.skeletons(one) & names.skeletons(other))


class Model:
    """Who is here, under which nick, in which rooms, and which rooms are remembered."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.spoken: set[str] = set()

    @property
    def rooms(self) -> set[str]:
        occupied = {room for person in self.people.values() for room in person.rooms}
        return {"lobby"} | self.spoken | occupied

    def nick(self, who: str, nick: str) -> str:
        """What a claim of a nick comes to: a refusal's code, or nothing."""
        others = [person.nick for name, person in self.people.items() if name != who]
        if any(names.nick_key(other) == names.nick_key(nick) for other in others):
            return "nick-taken"
        return "nick-confusable" if any(alike(other, nick) for other in others) else ""

    def join(self, who: str, room: str) -> str:
        if room not in self.rooms and any(alike(other, room) for other in self.rooms):
            return "room-confusable"
        self.people[who].rooms.add(room)
        return "joined"

    def may(self, who: str, room: str) -> str:
        """Why somebody may not act in a room, or nothing."""
        if room not in self.rooms:
            return "no-such-room"
        return "" if room in self.people[who].rooms else "not-a-member"

    def hearers(self, *rooms: str) -> set[str]:
        """Who hears what happens in these rooms."""
        return {
            name
            for name, person in self.people.items()
            if person.hears and person.rooms.intersection(rooms)
        }

    def called(self, nick: str) -> str | None:
        """Who has this nick."""
        key = names.nick_key(nick)
        found = [n for n, person in self.people.items() if names.nick_key(person.nick) == key]
        return found[0] if found else None
