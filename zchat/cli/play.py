"""The two people of ``zchat demo``: what they say by themselves, and what they answer you."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import zchat
from zchat.client import Chat
from zchat.protocol.events import Joined, Posted, Whispered

from .client import converse
from .conversation import Conversation
from .printer import Printer
from .version import AGENT

__all__ = ["farewell", "perform", "take_part"]

PAUSE_S: Final = 0.2
"""Between two lines of the scene."""
READING_S: Final = 1.0
"""Before they answer, where somebody reads along."""

GARDEN: Final = "garden"
"""The other room they are in."""

BEFORE: Final = (
    ("alice", "somebody new is coming by today"),
    ("bob", "then let us leave something in the history for them to find"),
)
"""What they said before you came."""

WELCOME: Final = "welcome! what we said before you came is there: a room keeps its history"
WHISPER: Final = "this is a whisper: it reaches you, and nobody else in the room can read it"
THANKS: Final = "got your whisper"

SCENE: Final = (
    ("you", "hello, I am new here"),
    ("alice", WELCOME),
    ("bob", "/me waves"),
    ("bob", f"/whisper you {WHISPER}"),
    ("you", "/whisper bob got it, thank you"),
    ("alice", "it is nice outside, come to the garden"),
    ("you", "/join garden"),
    ("alice", "/join garden"),
    ("alice", "/subject tea at four"),
    ("bob", "/join garden"),
    ("bob", "if somebody pulled the broker's plug now, all of this would still be there"),
    ("bob", "/me looks for the plug"),
    ("you", "/me hides the plug"),
    ("you", "goodbye, and thank you"),
)
"""What happens where nobody is there to type: your lines, too."""

HINTS: Final = (
    "a line is a message to the room; with a slash it is a command: /help lists them",
    "write to bob alone: /whisper bob hello",
    "we have another room: /join garden",
    "say what you do: /me sits down    and put up a headline: /subject tea at four",
    "open a second terminal and be somebody else, too: zchat client --connect {address} --nick eve",
    "that is all I have to show; /quit when you like, and then begin your own: zchat broker",
)
"""What alice answers to your messages, one after the other."""


class Cast(NamedTuple):
    """The two."""

    alice: Chat
    bob: Chat


@asynccontextmanager
async def _cast(address: str) -> AsyncIterator[Cast]:
    """Both of them in the lobby, where they have talked already."""
    async with (
        zchat.connect(address, nick="alice", agent=AGENT) as alice,
        zchat.connect(address, nick="bob", agent=AGENT) as bob,
    ):
        cast = Cast(alice, bob)
        for chat in cast:
            await chat.join(chat.lobby)
        for name, text in BEFORE:
            chat = getattr(cast, name)
            await chat.rooms[chat.lobby].say(text)
        yield cast


async def perform(address: str) -> None:
    """Play the scene, and print it as you would see it."""
    printer = Printer()
    printer.tell(f"a broker of your own listens on {address} while this runs; you are in its lobby")
    async with _cast(address) as cast, zchat.connect(address, nick="you", agent=AGENT) as you:
        silent = Printer(silent=True)
        parts = {
            "you": Conversation(you, printer),
            "alice": Conversation(cast.alice, silent),
            "bob": Conversation(cast.bob, silent),
        }
        for part in parts.values():
            await part.enter((you.lobby,))
        async with asyncio.TaskGroup() as tasks:
            listening = [tasks.create_task(part.listen()) for part in parts.values()]
            for name, line in SCENE:
                await asyncio.sleep(PAUSE_S)
                if name == "you" and line.startswith("/"):
                    printer.tell(f"you type: {line}")
                await parts[name].typed(line)
            for part in parts.values():
                await part.settle()
            for task in listening:
                task.cancel()
    farewell(printer)


def farewell(printer: Printer) -> None:
    """Say how to go on."""
    printer.tell("that was zchat; now begin your own: zchat broker")
    printer.tell("and in two other terminals: zchat client --nick …")


async def take_part(address: str) -> None:
    """Have them answer you, who type at this terminal."""
    printer = Printer()
    printer.tell(f"a broker of your own listens on {address} while this runs")
    printer.tell("alice and bob are in its lobby; who are you?")
    async with _cast(address) as cast:
        for chat in cast:
            await chat.join(GARDEN)
        async with asyncio.TaskGroup() as tasks:
            both = [
                tasks.create_task(_alice(cast.alice, address)),
                tasks.create_task(_bob(cast.bob)),
            ]
            await converse(address, None, (), as_json=False, terminal=True)
            for task in both:
                task.cancel()


async def _alice(chat: Chat, address: str) -> None:
    hints = iter(HINTS)
    greeted: set[str] = set()
    async for event in chat.events():
        match event:
            case Joined(user=user) if _stranger(event) and user not in greeted:
                greeted.add(user)
                answer: str | None = WELCOME
            case Posted() if _stranger(event):
                answer = next(hints, None)
            case _:
                answer = None
        if answer is not None and isinstance(event, Joined | Posted):
            await asyncio.sleep(READING_S)
            await chat.rooms[event.room].say(answer.format(address=address))


async def _bob(chat: Chat) -> None:
    greeted: set[str] = set()
    async for event in chat.events():
        match event:
            case Joined(user=user, nick=nick) if _stranger(event) and user not in greeted:
                greeted.add(user)
                await asyncio.sleep(2 * READING_S)
                await chat.rooms[event.room].say("waves", action=True)
                await asyncio.sleep(READING_S)
                await chat.whisper(nick, WHISPER)
            case Whispered(nick=nick) if _stranger(event):
                await asyncio.sleep(READING_S)
                await chat.whisper(nick, THANKS)


def _stranger(event: Joined | Posted | Whispered) -> bool:
    return event.nick not in Cast._fields
