"""``zchat client``: chat in lines, at a terminal or through a pipe."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Annotated, Final

import typer

from zchat.errors import Refused

from . import exits
from .options import DEFAULT_ADDRESS, Connect, Json, Nick, examples
from .ping import answering
from .stdin import lines
from .version import AGENT

if TYPE_CHECKING:
    from zchat.client import Chat

    from .conversation import Conversation
    from .printer import Printer

__all__ = ["at_terminal", "client", "converse", "register"]

NICK_REFUSED: Final = ("nick-taken", "nick-confusable", "bad-name")
"""Refusals that another nick mends."""
PATIENCE_S: Final = 5.0
"""How long the broker may take to answer for the first time."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "zchat client --nick alice",
            "zchat client --nick alice --room ops --room lobby",
            "echo 'hello all' | zchat client --nick bob --plain",
            "zchat client --nick bot --json < answers | ./bot > answers",
        )
    )(client)


def client(
    nick: Nick = None,
    room: Annotated[
        list[str] | None,
        typer.Option(
            "--room", metavar="ROOM", help="A room to enter; may be repeated.  [default: the lobby]"
        ),
    ] = None,
    connect: Connect = DEFAULT_ADDRESS,
    plain: Annotated[
        bool, typer.Option("--plain", help="Read lines and print lines, also on a terminal.")
    ] = False,
    json: Json = False,
) -> int:
    """Chat. A line is a message to the room you are in; /help lists the slash commands.

    At the end of its input it waits until all it said is acknowledged, says goodbye, and
    exits 0; 1 where a message was refused.
    """
    terminal = at_terminal() and not plain
    return exits.run(converse(connect, nick, tuple(room or ()), as_json=json, terminal=terminal))


def at_terminal() -> bool:
    """Whether a person types and reads here."""
    return sys.stdin.isatty() and sys.stdout.isatty()


async def converse(
    address: str, nick: str | None, rooms: tuple[str, ...], *, as_json: bool, terminal: bool
) -> int:
    """Talk on one broker after another until the person leaves; the exit code.

    Raises `Unreachable`, `Refused` where one is not let in, and `Closed`.
    """
    from .conversation import Conversation
    from .printer import Printer

    printer = Printer(as_json=as_json, on_terminal=terminal)
    if terminal and nick is None:
        # Nobody should say who they are to a broker that is not there.
        await asyncio.to_thread(answering, address, PATIENCE_S)
        nick = await _asked("your nick: ", offer_login=True)
    code = 0
    piped = lines()  # one for all brokers: it may have read ahead
    going_to: str | None = address
    while going_to is not None:
        async with _admitted(going_to, nick, printer, terminal=terminal) as chat:
            conversation = Conversation(chat, printer)
            async with _keyboard(conversation) if terminal else nullcontext(piped) as source:
                going_to = await _talk(conversation, rooms or (chat.lobby,), source)
            nick = nick and chat.nick
            code = code or (exits.REFUSED if conversation.undelivered else 0)
        rooms = ()
    return code


@asynccontextmanager
async def _admitted(
    address: str, nick: str | None, printer: Printer, *, terminal: bool
) -> AsyncIterator[Chat]:
    """A chat under this nick or, where it is refused at a terminal, under another."""
    import zchat

    async with AsyncExitStack() as stack:
        while True:
            try:
                chat = await stack.enter_async_context(
                    zchat.connect(address, nick=nick, agent=AGENT)
                )
                break
            except Refused as refused:
                if not terminal or refused.code not in NICK_REFUSED:
                    raise
                printer.complain(refused)
                nick = await _asked("another nick: ")
        yield chat


async def _talk(
    conversation: Conversation, rooms: tuple[str, ...], source: AsyncIterator[str]
) -> str | None:
    """Do what is typed until it ends, while printing what happens; where to go next."""
    await conversation.enter(rooms)
    async with asyncio.TaskGroup() as both:
        listening = both.create_task(conversation.listen())
        going_to = await _do(conversation, source)
        await conversation.settle()
        listening.cancel()
    return going_to


async def _do(conversation: Conversation, source: AsyncIterator[str]) -> str | None:
    async for line in source:
        ending = await conversation.typed(line)
        if ending is not None:
            return ending.address
    return None


@asynccontextmanager
async def _keyboard(conversation: Conversation) -> AsyncIterator[AsyncIterator[str]]:
    """The lines of the terminal, which is given back at the end."""
    from .terminal import lines as typed

    async with aclosing(typed(conversation)) as source:
        yield source


async def _asked(sentence: str, *, offer_login: bool = False) -> str:
    from .terminal import ask_nick

    return await ask_nick(sentence, offer_login=offer_login)
