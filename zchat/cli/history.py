"""``zchat history`` and ``zchat tail``: read a room, once or for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from zchat.protocol.events import Event

from . import exits
from .options import DEFAULT_ADDRESS, Connect, Json, Nick, examples
from .version import AGENT

if TYPE_CHECKING:
    from zchat.client import Chat

__all__ = ["history", "register", "tail"]

LAST: Final = 2**63 - 1
"""The last position there can be (docs/protocol.md)."""

RoomName: TypeAlias = Annotated[str, typer.Argument(metavar="ROOM", help="The room to read.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        epilog=examples(
            "zchat history ops -n 100",
            "zchat history ops --before 4711",
            "zchat history ops --after 0 --json | jq -r .text",
        )
    )(history)
    app.command(
        epilog=examples(
            "zchat tail ops",
            "zchat tail ops -n 0 --json | jq -r 'select(.kind == \"message\") | .text'",
        )
    )(tail)


def history(
    room: RoomName,
    count: Annotated[int, typer.Option("-n", min=0, metavar="N", help="How many messages.")] = 20,
    before: Annotated[
        int | None, typer.Option(min=0, max=LAST, metavar="P", help="Only before this position.")
    ] = None,
    after: Annotated[
        int | None,
        typer.Option(min=0, max=LAST, metavar="P", help="The first ones after this position."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Who came and went, too.")] = False,
    json: Json = False,
    nick: Nick = None,
    connect: Connect = DEFAULT_ADDRESS,
) -> None:
    """Print what was said in a room, oldest first: the last messages, unless told otherwise."""
    exits.run(_history(connect, nick, room, count, before, after, everything, as_json=json))


def tail(
    room: RoomName,
    count: Annotated[
        int, typer.Option("-n", min=0, metavar="N", help="How many messages to begin with.")
    ] = 10,
    json: Json = False,
    nick: Nick = None,
    connect: Connect = DEFAULT_ADDRESS,
) -> None:
    """Print what is said in a room, and go on printing until Ctrl-C."""
    exits.run(_tail(connect, nick, room, count, as_json=json))


async def _history(
    address: str,
    nick: str | None,
    room: str,
    count: int,
    before: int | None,
    after: int | None,
    everything: bool,
    *,
    as_json: bool,
) -> None:
    import zchat

    from .past import past
    from .printer import Printer

    async with zchat.connect(address, nick=nick, agent=AGENT) as chat:
        await _enter(chat, room)
        printer = Printer(as_json=as_json)
        printer.me = chat.user
        for event in await past(
            chat, room, count, before=before, after=after, everything=everything
        ):
            printer.show(event)


async def _enter(chat: Chat, room: str) -> None:
    """Join a room that exists: only members read, and reading makes no room."""
    await chat.list_users(room)  # refused where there is no such room
    await chat.join(room)


async def _tail(address: str, nick: str | None, room: str, count: int, *, as_json: bool) -> None:
    import zchat

    from .past import past
    from .printer import Printer

    async with zchat.connect(address, nick=nick, rooms=(room,), agent=AGENT) as chat:
        printer = Printer(as_json=as_json)
        printer.me = chat.user
        before = await past(chat, room, count)
        for event in before:
            printer.show(event)
        shown = {event.position for event in before}
        happenings = chat.events()
        await anext(happenings)  # the welcome
        async for happened in happenings:
            if not (isinstance(happened, Event) and happened.position in shown):
                printer.show(happened)
