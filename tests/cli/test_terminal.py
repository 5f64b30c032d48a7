"""At a real (pseudo) terminal: what comes in never tears what is being typed."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from zchat.testing.process import BrokerProcess

from .conftest import DEADLINE_S, environment, zchat


class Screen:
    """A program at a terminal of 80 × 24, and what it has drawn there."""

    def __init__(self, *args: str, to: str, state: Path) -> None:
        self.pid, self._fd = pty.fork()
        if not self.pid:
            env = environment(to, XDG_STATE_HOME=str(state), NO_COLOR="1")
            os.execve(sys.executable, [sys.executable, "-m", "zchat", *args], env)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.raw = ""

    def type(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def wait_for(self, text: str) -> None:
        """Until this is on one line of the screen."""
        deadline = time.monotonic() + DEADLINE_S
        while not any(text in line for line in self.lines()):
            assert self._read(deadline), f"{text!r} is not on the screen:\n" + self.picture()

    def lines(self) -> list[str]:
        return drawn(self.raw)

    def picture(self) -> str:
        return "\n".join(self.lines()).rstrip()

    def end(self) -> int:
        deadline = time.monotonic() + DEADLINE_S
        while self._read(deadline):
            pass
        assert time.monotonic() < deadline, f"it did not end:\n{self.picture()}"
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._fd)

    def _read(self, deadline: float) -> bool:
        readable, _, _ = select.select([self._fd], [], [], max(0.0, deadline - time.monotonic()))
        try:
            piece = os.read(self._fd, 65_536) if readable else b""
        except OSError:  # the program closed the terminal
            return False
        if b"\x1b[6n" in piece:  # it asks where the cursor is
            os.write(self._fd, b"\x1b[1;1R")
        self.raw += piece.decode(errors="replace")
        return bool(piece)


def drawn(raw: str) -> list[str]:
    """What a terminal shows after this: enough of one for what prompt_toolkit sends."""
    rows: list[list[str]] = [[]]
    row = column = 0
    for token in re.finditer(r"\x1b\[[?\d;]*[A-Za-z]|\x1b.|\r|\n|\x08|[^\x1b]", raw):
        text = token[0]
        number = int(re.sub(r"\D", "", text.partition(";")[0]) or 1)
        if text == "\r":
            column = 0
        elif text == "\n":
            row += 1
        elif text == "\x08":
            column -= 1
        elif len(text) == 1:
            while len(rows) <= row:
                rows.append([])
            rows[row] += [" "] * (column - len(rows[row]) + 1)
            rows[row][column] = text
            column += 1
        elif text[-1] == "A":
            row = max(0, row - number)
        elif text[-1] == "B":
            row += number
        elif text[-1] == "C":
            column += number
        elif text[-1] == "D":
            column = max(0, column - number)
        elif text[-1] == "K":
            del rows[row][column:]
        elif text[-1] == "J":
            del rows[row][column:]
            del rows[row + 1 :]
        while len(rows) <= row:
            rows.append([])
    return ["".join(each).rstrip() for each in rows]


@pytest.fixture
def screen(broker: BrokerProcess, tmp_path: Path) -> Iterator[Callable[..., Screen]]:
    opened: list[Screen] = []

    def open_(*args: str) -> Screen:
        opened.append(Screen(*args, to=broker.address, state=tmp_path))
        return opened[-1]

    yield open_
    for each in opened:
        each.close()


def test_an_incoming_line_does_not_tear_the_one_being_typed(
    screen: Callable[..., Screen], broker: BrokerProcess
) -> None:
    """One would send half a sentence with somebody else's in the middle."""
    al = screen("client", "--nick", "al", "--room", "torn")
    al.wait_for("al@torn>")
    al.type("half a sent")
    al.wait_for("al@torn> half a sent")
    zchat("send", "torn", "something else", "--nick", "bo", to=broker.address)
    al.wait_for("#torn <bo> something else")
    al.wait_for("bo left")
    al.wait_for("al@torn> half a sent")
    al.type("ence\r")
    al.wait_for("#torn <al> half a sentence")
    assert al.picture().count("half a sent") == 1
    al.type("\x04")
    assert al.end() == 0


def test_a_nick_is_asked_for_and_another_where_it_is_taken(
    screen: Callable[..., Screen],
) -> None:
    """A newcomer's first minute would end with a usage error."""
    first = screen("client", "--nick", "taken")
    first.wait_for("taken@lobby>")
    second = screen("client")
    second.wait_for("your nick:")
    second.type("\x15taken\r")
    second.wait_for("the nick 'taken' is taken")
    second.wait_for("another nick:")
    second.type("\x15free\r")
    second.wait_for("free@lobby>")
    second.type("/quit\r")
    assert second.end() == 0


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_who_gives_no_nick_leaves(key: str, screen: Callable[..., Screen]) -> None:
    """Ctrl-D at the first question ended in a traceback."""
    nobody = screen("client")
    nobody.wait_for("your nick:")
    nobody.type("\x15" + key)
    assert nobody.end() == 130
    assert "Traceback" not in nobody.raw


def test_completion(screen: Callable[..., Screen]) -> None:
    al = screen("client", "--nick", "completer", "--room", "tabs")
    al.wait_for("completer@tabs>")
    al.type("/wh\t")
    al.wait_for("> /whisper")
    al.type("com\t")
    al.wait_for("> /whisper completer")
    al.type("\x03/qu\t")
    al.wait_for("> /quit")
    al.type("\r")
    assert al.end() == 0


def test_ctrl_c_empties_the_line_then_leaves(screen: Callable[..., Screen]) -> None:
    """A reflex of everybody who uses a shell would end the conversation."""
    al = screen("client", "--nick", "interrupter")
    al.wait_for("interrupter@lobby>")
    al.type("never mind\x03")
    al.type("said\r")
    al.wait_for("<interrupter> said")
    al.type("\x03")
    assert al.end() == 130
    assert "Traceback" not in al.raw


def test_lines_of_the_last_time_are_remembered(screen: Callable[..., Screen]) -> None:
    for keys in ("remember me\r", "\x1b[A\r"):
        al = screen("client", "--nick", "again")
        al.wait_for("again@lobby>")
        al.type(keys)
        al.wait_for("<again> remember me")
        al.type("/quit\r")
        assert al.end() == 0


def test_the_demo_answers(screen: Callable[..., Screen]) -> None:
    demo = screen("demo")
    demo.wait_for("your nick:")
    demo.type("\x15me\r")
    demo.wait_for("me@lobby>")
    demo.type("hello\r")
    demo.wait_for("<alice> welcome")
    demo.type("/whisper bob hi\r")
    demo.wait_for("whisper bob → you: got your whisper")
    demo.type("/quit\r")
    assert demo.end() == 0
