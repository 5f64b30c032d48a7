"""One person's conversation in lines: the room they talk in, and what each typed line does.

It knows neither terminal nor stdin: lines come in by `typed`, and what there is to see goes
to a `Printer`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from contextlib import suppress
from typing import Final, NamedTuple

from zchat.client import Chat
from zchat.client.events import ChatEvent, Connected, Disconnected, Gap, RoomLost
from zchat.errors import OutcomeUnknown, ProtocolError, Refused, Unreachable, UsageError
from zchat.protocol.events import (
    Event,
    Posted,
    Renamed,
    SessionEnded,
    SubjectChanged,
    Whispered,
)
from zchat.protocol.names import room_name
from zchat.protocol.replies import INBOX

from .deliveries import Deliveries
from .past import past
from .ping import answering
from .printer import Printer
from .render import Back
from .slash import COMMANDS, Typed, parse

__all__ = ["Conversation", "Ending"]

PAST_ON_JOIN: Final = 10
"""Messages shown of what was said before one came."""
FEW: Final = 200
"""Members of a room whose nicks are learnt when it is entered: one page of them."""
MOST_MISSED: Final = 1_000
"""Missed messages of a room that are counted."""
PAST_ASKED: Final = 20
"""Messages that ``/history`` shows."""
REACHABLE_S: Final = 2.0
"""How long a broker that one wants to go to may take to answer; without one, one stays."""
OWN_LAST_S: Final = 2.0
"""How long one waits to see one's own last message, which is acknowledged already."""


class Ending(NamedTuple):
    """The conversation is over."""

    address: str | None
    """The broker to go to now, if there is one."""


class Conversation:
    """What one person says and sees on one broker."""

    def __init__(self, chat: Chat, printer: Printer) -> None:
        self.chat = chat
        """The connection."""
        self.room: str | None = None
        """The room that a message goes to."""
        self.undelivered = 0
        """Messages that the broker did not acknowledge."""
        self._printer = printer
        self._events = chat.events()
        self._deliveries = Deliveries()
        self.nicks: set[str] = set()
        """Who was seen here: for completion."""
        self._seen_to: dict[str, int] = {}  # stream → position of the last message seen
        self._away = False
        self._gap = False  # since one was away
        self._unseen: set[int] = set()  # acknowledged and not seen
        self._early: set[int] = set()  # seen and not acknowledged
        self._saw = asyncio.Event()
        self._entering = asyncio.Lock()
        printer.me = chat.user

    # What is seen.

    async def listen(self) -> None:
        """Print everything that happens, until the chat is closed."""
        async for happened in self._events:
            async with self._entering:
                await self._hear(happened)

    async def _hear(self, happened: ChatEvent) -> None:
        match happened:
            case Disconnected():
                self._away, self._gap = True, False
            case Gap():
                self._gap = True
            case Connected(nick=nick, resumed=resumed) if self._away:
                self._away = False
                missed = await self._missed()
                self._printer.show(Back(nick=nick, resumed=resumed, missed=missed, gap=self._gap))
                return
            case Event():
                self._note(happened)
        self._printer.show(happened)
        if isinstance(happened, RoomLost):
            self._out_of(happened.room)

    def _note(self, event: Event) -> None:
        """What one remembers of an event: who is there, and how far one has seen."""
        self.nicks.add(event.nick)
        match event:
            case Renamed(nick=nick, to=to):
                self.nicks -= {nick}
                self.nicks |= {to}
            case SessionEnded(nick=nick):
                self.nicks -= {nick}
            case SubjectChanged(room=room, text=text) if room in self.chat.rooms:
                self.chat.rooms[room].subject = text
            case Posted() | Whispered():
                where = event.room if isinstance(event, Posted) else INBOX
                self._seen_to[where] = event.position
                if event.user == self.chat.user:
                    self._see(event.position)

    def _see(self, position: int) -> None:
        # A message of one's own may be seen before it is acknowledged.
        if position in self._unseen:
            self._unseen.remove(position)
        else:
            self._early.add(position)
        self._saw.set()

    async def _missed(self) -> int:
        """How many messages others said since the last one seen, of `MOST_MISSED` a stream."""
        missed = 0
        begins = {INBOX: 0} | {name: room.since for name, room in self.chat.rooms.items()}
        for stream, begin in begins.items():
            with suppress(Refused):  # of a room one is no longer in
                after = self._seen_to.get(stream, begin)
                found = await past(self.chat, stream, MOST_MISSED, after=after)
                missed += sum(
                    isinstance(each, Posted | Whispered) and each.user != self.chat.user
                    for each in found
                )
        return missed

    # What is typed.

    async def enter(self, rooms: tuple[str, ...]) -> None:
        """Begin: the broker's welcome, then these rooms, of which one talks in the first.

        To be called before `listen`. Raises `Refused`.
        """
        await self._hear(await anext(self._events))
        for name in reversed(rooms):
            await self._join(name)

    async def typed(self, line: str) -> Ending | None:
        """Do what a line says. What goes wrong is told, and the conversation goes on."""
        try:
            understood = parse(line)
            return None if understood is None else await self._do(understood)
        except (Refused, UsageError, Unreachable, ProtocolError, OutcomeUnknown) as error:
            self._printer.complain(error)
            return None

    async def settle(self) -> None:
        """Wait for the acknowledgement of all that was said, and to see it."""
        await self._deliveries.settle()
        with suppress(TimeoutError):
            async with asyncio.timeout(OWN_LAST_S):
                while self._unseen:
                    self._saw.clear()
                    await self._saw.wait()

    async def _do(self, understood: Typed) -> Ending | None:
        chat = self.chat
        match understood.command, understood.arguments:
            case "say", (text,):
                await self._deliver(self._say(text), text)
            case "me", (text,):
                await self._deliver(self._say(text, action=True), text)
            case "whisper", (nick, text):
                await self._deliver(chat.whisper(nick, text), text)
            case "join", (name,):
                await self._join(name)
            case "leave", (name,):
                await self._leave(name)
            case "nick", (nick,):
                await chat.rename(nick)
            case "rooms", _:
                for room in await chat.list_rooms():
                    self._printer.show(room)
            case "users", (name,):
                everybody = name == "*" or not (name or self.room)
                for person in await chat.list_users(None if everybody else name or self.room):
                    self._printer.show(person)
            case "subject", (text,):
                await self._subject(text)
            case "history", (count,):
                await self._history(count)
            case "help", (name,):
                self._help(name)
            case "connect", (address,):
                await asyncio.to_thread(answering, address, REACHABLE_S)
                return Ending(address)
            case "quit", _:
                return Ending(None)
        return None

    async def _say(self, text: str, *, action: bool = False) -> int:
        return await self.chat.rooms[self._here()].say(text, action=action)

    async def _deliver(self, delivery: Awaitable[int], text: str) -> None:
        if not self.chat.connected:
            # The line is gone from the prompt, and its echo comes only with the broker.
            self._printer.tell(f"kept until the broker is back: {text}")
        await self._deliveries.add(self._delivered(delivery))

    async def _delivered(self, delivery: Awaitable[int]) -> None:
        try:
            position = await delivery
        except (Refused, UsageError, OutcomeUnknown) as error:
            self.undelivered += 1
            self._printer.complain(error)
        else:
            if position in self._early:
                self._early.remove(position)
            else:
                self._unseen.add(position)

    async def _join(self, name: str) -> None:
        known = set(self.chat.rooms)
        async with self._entering:  # what happens meanwhile is shown after what was before
            room = await self.chat.join(name)
            self.room = room.name
            if room.name in known:
                self._printer.tell(f"you talk in #{room.name}")
                return
            subject = f": {room.subject}" if room.subject else ""
            self._printer.tell(f"you are in #{room.name}{subject}")
            if room.members <= FEW:
                self.nicks |= {person.nick for person in await room.users()}
            for event in await past(self.chat, room.name, PAST_ON_JOIN, before=room.since):
                self._printer.show(event)

    async def _leave(self, name: str) -> None:
        room = self.chat.rooms.get(room_name(name) if name else self._here())
        if room is None:
            raise Refused("not-a-member", room=name)
        await self.settle()  # who has left hears nothing of the room, not even oneself
        await room.leave()
        self._out_of(room.name)

    def _out_of(self, name: str) -> None:
        """One is in that room no more; talk on in another, if there is one."""
        if name == self.room:
            self.room = next((each for each in self.chat.rooms if each != name), None)
            where = f"you talk in #{self.room} now" if self.room else "you are in no room now"
            self._printer.tell(where)

    async def _subject(self, text: str) -> None:
        room = self.chat.rooms[self._here()]
        if text:
            await room.set_subject(text)
        else:
            self._printer.tell(f"#{room.name}: {room.subject or 'no subject'}")

    async def _history(self, count: str) -> None:
        if not re.fullmatch("[0-9]{0,9}", count):
            raise UsageError("write /history N, with a number")
        for event in await past(self.chat, self._here(), int(count or PAST_ASKED)):
            self._printer.show(event)

    def _help(self, name: str) -> None:
        for command in COMMANDS:
            if name.lstrip("/") in ("", command.name, *command.aliases):
                aliases = "".join(f", /{alias}" for alias in command.aliases)
                self._printer.tell(f"{command!s:22} {command.purpose}{aliases}")
        if not name:
            self._printer.tell("a line is a message to the room; //text says /text")

    def _here(self) -> str:
        """The room one talks in. Raises `UsageError` where there is none."""
        if self.room is None:
            raise UsageError("you are in no room; write /join ROOM")
        return self.room
