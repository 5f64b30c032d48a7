"""Where a command's words cannot go: a full disk, a stream that is closed. One sentence, and the code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from zchat.testing.process import BrokerProcess

from .conftest import environment, objects, zchat

FULL = Path("/dev/full")
STREAMS = ("<&-", ">&-", "2>&-", "<&- >&- 2>&-")


def through_a_shell(line: str, to: str) -> tuple[int, str]:
    """Exit code and stderr of ``zchat`` with redirections that only a shell can do."""
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -m zchat {line}', sys.executable],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False,
        env=environment(to),
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("command", ["rooms", "ping", "--version", "history filled", "client"])
def test_a_full_disk_is_a_sentence_and_1(command: str, broker: BrokerProcess) -> None:
    """A nightly ``zchat history > backup`` would say nothing, or a traceback, and be incomplete."""
    zchat("send", "filled", "hello", to=broker.address)
    code, said = through_a_shell(f"{command} > {FULL}", broker.address)
    assert code == 1
    assert said == (
        "zchat: the output cannot be written (No space left on device); "
        "what it was meant for is incomplete\n"
    )


@pytest.mark.parametrize("closed", STREAMS)
def test_a_closed_stream_is_an_empty_one(closed: str, broker: BrokerProcess) -> None:
    """A service without stdout would send a message and then fail; a socket would be its stdin."""
    room = f"closed{STREAMS.index(closed)}"
    for command in (f"send {room} hello", f"send {room}", "rooms"):
        assert through_a_shell(f"{command} {closed}", broker.address) == (0, "")
    found = objects(zchat("history", room, "--json", to=broker.address))
    assert [each["text"] for each in found] == ["hello"]


@pytest.mark.parametrize("args", [(), ("journal",)])
def test_no_words_at_all_show_the_help(args: tuple[str, ...]) -> None:
    """The first thing a newcomer types was answered with one line of two thousand letters."""
    done = zchat(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == zchat(*args, "--help").stdout
