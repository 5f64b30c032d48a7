"""The command line explains itself, at once."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from .conftest import zchat

COMMANDS = [
    "broker", "client", "send", "whisper", "tail", "history", "rooms", "users", "ping", "demo",
    "journal export", "journal check",
]  # fmt: skip

HEAVY = ("zmq", "prompt_toolkit", "cryptography", "sqlite3", "rich")


@pytest.mark.parametrize("command", ["", "journal", *COMMANDS])
def test_every_command_has_help_with_an_example(command: str) -> None:
    """A person would have to guess; a grammar alone does not show what one does with it."""
    done = zchat(*command.split(), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(rf"Examples:\n +.*zchat {command}", done.stdout)


def test_every_command_is_in_the_list() -> None:
    listed = zchat("--help").stdout
    assert [name for name in COMMANDS if f"\n  {name.split()[0]} " not in listed] == []


def test_help_loads_nothing_heavy() -> None:
    """Shell completion runs this at each Tab; sockets and editors take three times as long."""
    program = "import sys, zchat.cli.app; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert [name for name in HEAVY if name in loaded] == []


def test_versions() -> None:
    """A report of a defect begins with these."""
    done = zchat("--version")
    assert re.fullmatch(r"zchat \d+\.\d+\.\d+\nprotocol 1\nlibzmq \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize(
    "args",
    [
        ("--frobnicate",),
        ("frobnicate",),
        ("send",),
        ("history", "ops", "-n", "many"),
        ("history", "ops", "-n", "-1"),
        ("history", "ops", "--before", "9223372036854775808"),
        ("ping", "--timeout", "soon"),
        ("ping", "--timeout", "inf"),
        ("broker", "--log-level", "loud"),
        ("broker", "--config", "/nonexistent/zchat.toml"),
        ("broker", "--bind", "localhost:5555"),
        ("broker", "--bind", "tcp://127.0.0.1:99999"),
        ("broker", "--bind", "tcp://0.0.0.0:0"),
        ("broker", "--journal", "paper:"),
        ("ping", "--connect", "nowhere"),
        ("ping", "--connect", "tcp://%eth0:5555"),
        ("client", "--connect", "http://127.0.0.1:5555"),
        ("send", "ops", "hi", "--connect", "tcp://127.0.0.1"),
        ("rooms", "--connect", "tcp://127.0.0.1:x"),
    ],
    ids=" ".join,
)
def test_a_mistake_is_one_sentence_and_2(
    args: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Bad input gets a traceback, a page of usage, or silence."""
    done = zchat(*args, ZCHAT_DATA=str(tmp_path_factory.mktemp("data")))
    assert done.returncode == 2, done.stderr
    assert re.fullmatch(r"zchat: [^\n]{10,}\n", done.stderr), done.stderr
    assert done.stdout == ""


def test_completion_is_offered() -> None:
    done = zchat(_ZCHAT_COMPLETE="complete_bash", COMP_WORDS="zchat hi", COMP_CWORD="1")
    assert done.stdout.split() == ["history"]
