"""Clients who write down what they were promised, to be held against the journal at the end.

A `Member` is one user of the real client library; `Crowd` is several of them in the rooms `ROOMS`.
They decide nothing about the broker: who kills it, and when, is the test's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count, zip_longest
from pathlib import Path
from random import Random
from typing import Any, Final

import zchat
from zchat.client.api import Chat
from zchat.client.events import Connected, Disconnected, Gap, RoomLost, SessionLost
from zchat.journal import SqliteJournal, check
from zchat.protocol.events import Event, Posted, Whispered, inbox_stream, room_stream

__all__ = ["DEADLINE_S", "ROOMS", "Crowd", "Member", "gathered", "kept", "messages"]

ROOMS: Final = ("red", "blue")
LAST: Final = "last words"
DEADLINE_S: Final = 60.0
"""How long what must happen may take on a busy machine before it has not happened."""


class Member:
    """One user: what was asked, what was acknowledged, and what was heard."""

    def __init__(self, chat: Chat, happened: asyncio.Event) -> None:
        self.chat = chat
        self.asked = 0
        """Messages begun."""
        self.acknowledged: dict[str, int] = {}
        """Text → position, as the broker reported it."""
        self.heard: list[Posted | Whispered] = []
        """The messages of `Chat.events`, in the order they came."""
        self.events: list[Event] = []
        """Everything else that happened to others or to this user."""
        self.links: list[Connected | Disconnected] = []
        """How the connection fared."""
        self.last_words: set[str] = set()
        """The streams of the journal in which this user heard the last words."""
        self._happened = happened

    @property
    def unanswered(self) -> int:
        """Messages under way: asked, and not acknowledged, on a living connection."""
        return self.asked - len(self.acknowledged) if self.chat.connected else 0

    def __str__(self) -> str:
        state = "connected" if self.chat.connected else "not connected"
        last = self.heard[-1].position if self.heard else 0
        return f"{self.chat.nick} {state}, {self.unanswered} unanswered, heard up to {last}"

    async def says(self, where: str, text: str) -> None:
        """Say it in the room ``where``, or whisper it to ``@nick``; wait until it is acknowledged."""
        self.asked += 1
        self._happened.set()
        to = self.chat.whisper if where.startswith("@") else self.chat.say
        self.acknowledged[text] = await to(where.removeprefix("@"), text)
        self._happened.set()

    async def listen(self) -> None:
        """Write down what happens until the chat ends. Fails where something was lost for good."""
        async for event in self.chat.events():
            match event:
                case Gap() | SessionLost() | RoomLost():
                    raise AssertionError(f"{self.chat.nick} lost something: {event}")
                case Connected() | Disconnected():
                    self.links.append(event)
                case Posted() | Whispered():
                    self.heard.append(event)
                    if event.text.startswith(LAST):
                        self.last_words.update(event.streams())
                case _:
                    self.events.append(event)
            self._happened.set()

    def heard_last_words(self) -> bool:
        """Whether the last message of every stream was heard, whatever came in between."""
        return self.streams().keys() <= self.last_words

    def streams(self) -> dict[str, int]:
        """The streams of the journal this user hears, each with the position it begins after."""
        rooms = {room_stream(room.name): room.since for room in self.chat.rooms.values()}
        return rooms | {inbox_stream(self.chat.user): 0}


class Crowd:
    """Members in the same rooms, who can be waited for."""

    def __init__(self, members: Sequence[Member], happened: asyncio.Event) -> None:
        self.members = members
        self._happened = happened
        self._quiet = False

    @classmethod
    @asynccontextmanager
    async def at(
        cls, address: str, size: int, rooms: Iterable[str] = ROOMS
    ) -> AsyncIterator[Crowd]:
        """``size`` users who have joined; they leave at the end. A listener's failure is raised."""
        happened = asyncio.Event()
        async with AsyncExitStack() as undo:
            chats = await gathered(
                undo.enter_async_context(
                    zchat.connect(address, nick=f"member-{n}", rooms=rooms, timeout=DEADLINE_S)
                )
                for n in range(size)
            )
            crowd = cls([Member(chat, happened) for chat in chats], happened)
            listeners = [asyncio.create_task(member.listen()) for member in crowd.members]
            for listener in listeners:
                listener.add_done_callback(lambda _: happened.set())
            crowd._listeners = listeners
            yield crowd
            await gathered(chat.close() for chat in chats)
        await gathered(listeners)

    _listeners: Sequence[asyncio.Task[None]] = ()

    @property
    def asked(self) -> int:
        """Messages begun by anybody."""
        return sum(member.asked for member in self.members)

    @property
    def acknowledged(self) -> dict[str, int]:
        """Text → position of everything acknowledged to anybody."""
        return {text: at for member in self.members for text, at in member.acknowledged.items()}

    @property
    def answered(self) -> int:
        """How many messages were acknowledged."""
        return sum(len(member.acknowledged) for member in self.members)

    @property
    def heard(self) -> int:
        """How many messages were heard, each by each."""
        return sum(len(member.heard) for member in self.members)

    @property
    def unanswered(self) -> int:
        """How many messages are under way on living connections."""
        return sum(member.unanswered for member in self.members)

    @property
    def connected(self) -> int:
        """How many hear the broker just now."""
        return sum(member.chat.connected for member in self.members)

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait for something to be so. Fails after `DEADLINE_S`, or with whoever listens."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                while not holds():
                    for listener in self._listeners:
                        if listener.done():
                            listener.result()
                    self._happened.clear()
                    await self._happened.wait()
        except TimeoutError:
            raise AssertionError(
                "waited in vain: " + "; ".join(map(str, self.members[:8]))
            ) from None

    async def until_answered(self, further: int) -> None:
        """Wait until so many more messages have been acknowledged."""
        goal = self.answered + further
        await self.until(lambda: self.answered >= goal)

    async def talk(self, dice: Random, at_once: int) -> None:
        """Everybody says and whispers, ``at_once`` messages under way each, until `hush`."""
        self._quiet = False
        await gathered(
            self._babble(member, f"{n}.{stammer}", Random(dice.random()))
            for n, member in enumerate(self.members)
            for stammer in range(at_once)
        )

    def hush(self) -> None:
        """Nobody begins another message."""
        self._quiet = True

    async def _babble(self, member: Member, name: str, dice: Random) -> None:
        others = [f"@{other.chat.nick}" for other in self.members if other is not member]
        for n in count():
            if self._quiet:
                return
            where = dice.choice((*member.chat.rooms, dice.choice(others)))
            await member.says(where, f"{where} {name}.{n} {self.answered}")

    async def last_words(self) -> None:
        """A last message in every room and to everybody; until each has heard theirs.

        What came twice, or late, was heard before it.
        """
        first, number = self.members[0], self.asked
        for member in self.members:
            member.last_words.clear()
        await gathered(
            first.says(where, f"{LAST} {number} {where}")
            for where in (*first.chat.rooms, *(f"@{each.chat.nick}" for each in self.members))
        )
        for member in self.members:
            await self.until(member.heard_last_words)


async def gathered(doings: Iterable[Coroutine[Any, Any, Any] | asyncio.Task[Any]]) -> list[Any]:
    """All of them at once; the first failure is raised."""
    return list(await asyncio.gather(*doings))


def messages(data: Path) -> list[Posted | Whispered]:
    """What was said, as the journal in ``data`` has it. Fails if the journal is not whole."""
    report = check(data)
    assert report.ok, report.findings
    journal = SqliteJournal.reading(data)
    try:
        return [each for each in journal.tail(0) if isinstance(each, Posted | Whispered)]
    finally:
        journal.close()


def kept(data: Path, crowd: Crowd) -> int:
    """How many messages there are. Fails unless P1 and P2 hold for each of them.

    Each stands in the journal once, at the position that was reported, and every member heard
    those of their streams once and in its order.
    """
    said = messages(data)
    positions = {event.text: event.position for event in said}
    assert len(positions) == len(said), "a message stands in the journal twice"
    acknowledged = crowd.acknowledged
    astray = {text: at for text, at in acknowledged.items() if positions.get(text) != at}
    assert not astray, f"acknowledged, and not at its position: {astray}"
    for member in crowd.members:
        for stream, since in member.streams().items():
            due = [(e.position, e.text) for e in said if e.of(stream) and e.position > since]
            got = [(e.position, e.text) for e in member.heard if e.of(stream)]
            for n, (ought, heard) in enumerate(zip_longest(due, got)):
                assert ought == heard, f"{member.chat.nick}, {stream}, no. {n}: {heard} for {ought}"
    return len(said)
