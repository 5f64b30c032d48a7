"""What a typed line means: a message, or a slash command with its arguments. Runs nothing."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Final

from zchat.errors import UsageError

__all__ = ["COMMANDS", "Command", "Typed", "parse"]


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command: its grammar is the text of its own help."""

    name: str
    """What is typed behind the slash."""
    usage: str
    """Its arguments: ``[X]`` may be missing, ``TEXT`` is all the rest of the line."""
    purpose: str
    """What it does, for a person."""
    aliases: tuple[str, ...] = ()
    """Other names."""

    def __str__(self) -> str:
        return f"/{self.name} {self.usage}".rstrip()


@dataclass(frozen=True, slots=True)
class Typed:
    """One typed line, understood."""

    command: str
    """A command's name, or ``say``."""
    arguments: tuple[str, ...]
    """As many as the command's grammar has; one that was left out is empty."""


COMMANDS: Final = (
    Command("join", "ROOM", "enter a room, or make it the one you talk in"),
    Command("leave", "[ROOM]", "leave a room"),
    Command("rooms", "", "list the rooms there are"),
    Command("users", "[ROOM]", "list who is in a room; * for everybody"),
    Command("whisper", "NICK TEXT", "tell one user alone", ("w", "msg")),
    Command("me", "TEXT", "say what you do"),
    Command("subject", "[TEXT]", "show or set the room's headline"),
    Command("history", "[N]", "show the last N messages"),
    Command("nick", "NICK", "be called otherwise"),
    Command("connect", "ADDRESS", "go to another broker"),
    Command("help", "[COMMAND]", "show this"),
    Command("quit", "", "say goodbye", ("exit", "bye")),
)
"""Every slash command, in the order of the help."""

_BY_NAME: Final = {
    name: command for command in COMMANDS for name in (command.name, *command.aliases)
}


def parse(line: str) -> Typed | None:
    """What a line means; None where there is nothing in it.

    ``//text`` says ``/text``. Raises `UsageError` with the nearest command for an unknown
    one, or with the grammar where an argument is missing or too many.
    """
    line = line.rstrip("\r\n")
    if not line.strip():
        return None
    if line.startswith("//"):
        return Typed("say", (line[1:],))
    if not line.startswith("/"):
        return Typed("say", (line,))
    name, _, rest = line[1:].partition(" ")
    command = _BY_NAME.get(name.lower())
    if command is None:
        raise UsageError(f"there is no /{name}; {_hint(name.lower())}")
    return Typed(command.name, _arguments(command, rest.strip()))


def _arguments(command: Command, rest: str) -> tuple[str, ...]:
    found: list[str] = []
    for word in command.usage.split():
        if word.strip("[]") == "TEXT":
            argument, rest = rest, ""
        else:
            argument, _, rest = rest.partition(" ")
            rest = rest.lstrip()
        if not argument and not word.startswith("["):
            raise UsageError(f"write {command}")
        found.append(argument)
    if rest:
        raise UsageError(f"write {command}, and no more")
    return tuple(found)


def _hint(name: str) -> str:
    near = [each for each in _BY_NAME if name and each.startswith(name)]
    near = near or difflib.get_close_matches(name, _BY_NAME, 1, 0.5)
    return f"did you mean /{near[0]}?" if near else "/help lists what there is"
