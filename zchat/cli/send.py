"""``zchat send`` and ``zchat whisper``: say something and be gone; done means acknowledged."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Annotated, Any, Final, TypeAlias

import typer

from . import exits
from .deliveries import Deliveries
from .options import DEFAULT_ADDRESS, Connect, Nick, examples
from .stdin import lines, pieces
from .version import AGENT

__all__ = ["register", "send", "whisper"]

_BLANK: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f]*")
"""Nothing that a broker would keep: of controls it keeps newline and tab."""

Text: TypeAlias = Annotated[
    str | None,
    typer.Argument(metavar="TEXT", help="What to say; without it, each line of stdin."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        epilog=examples(
            "zchat send ops 'the build is green'",
            "make 2>&1 | zchat send ops --nick builder",
        )
    )(send)
    app.command(
        epilog=examples(
            "zchat whisper bob 'coffee?'",
            "zchat whisper bob --nick alice < letter.txt",
        )
    )(whisper)


def send(
    room: Annotated[str, typer.Argument(metavar="ROOM", help="The room to tell.")],
    text: Text = None,
    nick: Nick = None,
    connect: Connect = DEFAULT_ADDRESS,
) -> None:
    """Say TEXT to a room, or each line of stdin. Exits 0 only when all are acknowledged.

    Blank lines are skipped; a line that is too long becomes several messages.
    """
    exits.run(_send(connect, nick, room, text))


def whisper(
    to: Annotated[str, typer.Argument(metavar="NICK", help="The user to tell.")],
    text: Text = None,
    nick: Nick = None,
    connect: Connect = DEFAULT_ADDRESS,
) -> None:
    """Say TEXT to one user alone, or each line of stdin. Exits 0 only when all are acknowledged."""
    exits.run(_whisper(connect, nick, to, text))


async def _send(address: str, nick: str | None, name: str, text: str | None) -> None:
    import zchat

    async with zchat.connect(address, nick=nick, rooms=(name,), agent=AGENT) as chat:
        (room,) = chat.rooms.values()
        await _deliver(room.say, text, chat.max_text)


async def _whisper(address: str, nick: str | None, to: str, text: str | None) -> None:
    import zchat

    async with zchat.connect(address, nick=nick, agent=AGENT) as chat:

        async def say(text: str) -> int:
            return await chat.whisper(to, text)

        await _deliver(say, text, chat.max_text)


async def _deliver(
    say: Callable[[str], Coroutine[Any, Any, int]], text: str | None, most: int
) -> None:
    """Say it, or all of stdin. A text that was given whole is refused where it is too long."""
    if text is not None:
        await say(text)
        return
    async with Deliveries() as deliveries:
        async for piece in _messages(most):
            await deliveries.add(say(piece))


async def _messages(most: int) -> AsyncIterator[str]:
    async for line in lines():
        for piece in pieces(line, most):
            if not _BLANK.fullmatch(piece):
                yield piece
