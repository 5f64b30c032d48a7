"""``zchat rooms`` and ``zchat users``: what is there, and who."""

from __future__ import annotations

from typing import Annotated

import typer

from . import exits
from .options import DEFAULT_ADDRESS, Connect, Json, Nick, examples
from .version import AGENT

__all__ = ["register", "rooms", "users"]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog=examples("zchat rooms", "zchat rooms --json | jq -r .room"))(rooms)
    app.command(epilog=examples("zchat users", "zchat users ops --json | jq -r .nick"))(users)


def rooms(json: Json = False, nick: Nick = None, connect: Connect = DEFAULT_ADDRESS) -> None:
    """List the rooms of the broker: name, how many users, subject."""
    exits.run(_rooms(connect, nick, as_json=json))


def users(
    room: Annotated[
        str | None,
        typer.Argument(metavar="ROOM", help="Whose members to list; without it, everybody."),
    ] = None,
    json: Json = False,
    nick: Nick = None,
    connect: Connect = DEFAULT_ADDRESS,
) -> None:
    """List who is on the broker, or in a room."""
    exits.run(_users(connect, nick, room, as_json=json))


async def _rooms(address: str, nick: str | None, *, as_json: bool) -> None:
    import zchat

    from .printer import Printer

    async with zchat.connect(address, nick=nick, agent=AGENT) as chat:
        printer = Printer(as_json=as_json)
        for room in await chat.list_rooms():
            printer.show(room)


async def _users(address: str, nick: str | None, room: str | None, *, as_json: bool) -> None:
    import zchat

    from .printer import Printer

    async with zchat.connect(address, nick=nick, agent=AGENT) as chat:
        printer = Printer(as_json=as_json)
        for person in await chat.list_users(room):
            if person.user != chat.user:
                printer.show(person)
