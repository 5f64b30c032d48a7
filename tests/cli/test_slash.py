"""A typed line means one thing, or is told what it could have meant."""

from __future__ import annotations

import pytest

from zchat.cli.slash import COMMANDS, parse
from zchat.errors import UsageError


@pytest.mark.parametrize(
    ("line", "command", "arguments"),
    [
        ("hello", "say", ("hello",)),
        ("  indented code", "say", ("  indented code",)),
        ("half / half", "say", ("half / half",)),
        ("//etc/passwd", "say", ("/etc/passwd",)),
        ("/me waves  twice", "me", ("waves  twice",)),
        ("/join ops", "join", ("ops",)),
        ("/JOIN ops ", "join", ("ops",)),
        ("/leave", "leave", ("",)),
        ("/leave ops", "leave", ("ops",)),
        ("/whisper bob are you there?", "whisper", ("bob", "are you there?")),
        ("/w bob hi", "whisper", ("bob", "hi")),
        ("/msg  bob  hi", "whisper", ("bob", "hi")),
        ("/subject", "subject", ("",)),
        ("/subject tea at four", "subject", ("tea at four",)),
        ("/history 5", "history", ("5",)),
        ("/users", "users", ("",)),
        ("/rooms", "rooms", ()),
        ("/nick al", "nick", ("al",)),
        ("/connect tcp://127.0.0.1:1", "connect", ("tcp://127.0.0.1:1",)),
        ("/help me", "help", ("me",)),
        ("/quit", "quit", ()),
    ],
)
def test_a_line_is_understood(line: str, command: str, arguments: tuple[str, ...]) -> None:
    typed = parse(line)
    assert typed is not None
    assert (typed.command, typed.arguments) == (command, arguments)


@pytest.mark.parametrize("line", ["", "   ", "\t", "\r\n"])
def test_an_empty_line_is_nothing(line: str) -> None:
    """Enter on an empty line would send a message that the broker refuses."""
    assert parse(line) is None


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/jion ops", "there is no /jion; did you mean /join?"),
        ("/wisper bob hi", "there is no /wisper; did you mean /whisper?"),
        ("/hist", "there is no /hist; did you mean /history?"),
        ("/xyzzy", "there is no /xyzzy; /help lists what there is"),
        ("/", "there is no /; /help lists what there is"),
        ("/ hi", "there is no /; /help lists what there is"),
        ("/nick", "write /nick NICK"),
        ("/whisper bob", "write /whisper NICK TEXT"),
        ("/me", "write /me TEXT"),
        ("/join a b", "write /join ROOM, and no more"),
        ("/quit now", "write /quit, and no more"),
    ],
)
def test_a_mistake_is_told_with_what_to_write(line: str, sentence: str) -> None:
    """A mistyped command would be said to the whole room, or be met by silence."""
    with pytest.raises(UsageError) as caught:
        parse(line)
    assert str(caught.value) == sentence


def test_the_contract_is_there() -> None:
    """Scripts and fingers know these words."""
    contract = "nick join leave rooms users whisper w msg me subject history help quit connect"
    known = {name for command in COMMANDS for name in (command.name, *command.aliases)}
    assert set(contract.split()) <= known


def test_a_name_means_one_command() -> None:
    names = [name for command in COMMANDS for name in (command.name, *command.aliases)]
    assert len(names) == len(set(names))
