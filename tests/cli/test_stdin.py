"""Lines come in whole, whatever stands on the other side of stdin."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import aclosing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zchat.cli import stdin
from zchat.cli.stdin import lines, pieces


async def read(descriptor: int) -> list[str]:
    async with aclosing(lines(descriptor)) as source:
        return [line async for line in source]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"a\nb\n", ["a", "b"]),
        (b"a\n\nb", ["a", "", "b"]),
        (b"dos\r\n", ["dos"]),
        ("Grüße".encode() * 20_000, ["Grüße" * 20_000]),
        (b"\xffbad\xc3", ["\ufffdbad\ufffd"]),
    ],
)
def test_a_file_is_read_to_its_end(data: bytes, expected: list[str], tmp_path: Path) -> None:
    """Epoll refuses files; a last line without end, or a cut character, would be lost."""
    (tmp_path / "in").write_bytes(data)
    with (tmp_path / "in").open("rb") as file:
        assert asyncio.run(read(file.fileno())) == expected


def test_a_line_arrives_before_the_next_is_written() -> None:
    """A person at the other end of a pipe would wait for an answer for ever."""

    async def talk() -> list[str]:
        out, into = os.pipe()
        got = []
        async with aclosing(lines(out)) as source:
            for line in ("one", "two"):
                os.write(into, f"{line}\n".encode())
                got.append(await anext(source))
            os.close(into)
            got += [line async for line in source]
        os.close(out)
        return got

    assert asyncio.run(talk()) == ["one", "two"]


def test_a_line_without_end_fills_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``zchat send ops < /dev/zero`` would take the machine down."""
    monkeypatch.setattr(stdin, "MAX_LINE", 100_000)
    (tmp_path / "in").write_bytes(b"x" * 1_000_000)
    with (tmp_path / "in").open("rb") as file:
        got = asyncio.run(read(file.fileno()))
    assert "".join(got) == "x" * 1_000_000
    assert max(map(len, got)) < 100_000 + stdin.CHUNK_BYTES + 1


def test_a_closed_stdin_is_an_empty_one() -> None:
    """``zchat client <&-`` ended in a traceback."""
    assert asyncio.run(read(9_999)) == []


@given(st.text(), st.integers(4, 40))
def test_pieces_fit_and_are_whole(text: str, most: int) -> None:
    """The broker refuses what is too long, and half a character is none."""
    found = list(pieces(text, most))
    assert "".join(found) == text
    assert all(len(piece.encode()) <= most for piece in found)


def test_a_reader_that_waits_for_room_ends_quietly(tmp_path: Path) -> None:
    """Ctrl-C in a long ``zchat send`` would end in the traceback of a thread."""
    file = tmp_path / "long"
    file.write_bytes(b"line\n" * 200_000)  # more chunks than are read ahead

    async def read_one(descriptor: int) -> None:
        async for _ in lines(descriptor):
            break
        waiting: set[asyncio.Task[object]] = set()
        while not waiting:  # what is there still after three steps has no room
            before = asyncio.all_tasks() - {asyncio.current_task()}
            for _ in range(3):
                await asyncio.sleep(0)
            waiting = before & asyncio.all_tasks()

    with file.open("rb") as opened:
        asyncio.run(read_one(opened.fileno()))
        for thread in threading.enumerate():
            if thread.name == "stdin":
                thread.join(30)
