"""Lines of stdin as they come, whether it is a pipe, a file or a terminal. It prints nothing."""

from __future__ import annotations

import asyncio
import codecs
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from concurrent.futures import CancelledError
from threading import Thread
from typing import Final

__all__ = ["lines", "pieces"]

CHUNK_BYTES: Final = 65_536
WAITING_CHUNKS: Final = 4
"""Chunks read ahead; then whoever writes to us waits, as the kernel tells it to."""
MAX_LINE: Final = 1_048_576
"""Characters of a line; a longer one comes in parts, so that no file without line ends fills memory."""


async def lines(descriptor: int = 0) -> AsyncGenerator[str]:
    """Each line without its end, as text; bytes that are no UTF-8 become U+FFFD."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    async for chunk in _chunks(descriptor):
        *whole, rest = (rest + decoder.decode(chunk)).split("\n")
        for line in whole:
            yield line.removesuffix("\r")
        if len(rest) > MAX_LINE:
            yield rest
            rest = ""
    rest += decoder.decode(b"", final=True)
    if rest:
        yield rest


async def _chunks(descriptor: int) -> AsyncIterator[bytes]:
    """What is read, by a thread: epoll takes no files, and a terminal may block for ever."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[bytes] = asyncio.Queue(WAITING_CHUNKS)

    def read() -> None:
        chunk = b"?"
        while chunk:
            try:
                # Not sys.stdin: its lock, held by a thread that waits, would abort our exit.
                chunk = os.read(descriptor, CHUNK_BYTES)
            except OSError:  # closed, or the terminal is gone
                chunk = b""
            arrived = waiting.put(chunk)
            try:
                asyncio.run_coroutine_threadsafe(arrived, loop).result()
            except RuntimeError:  # the loop is closed: nobody listens any more
                arrived.close()
                return
            except CancelledError:  # it is closing, and we waited for room
                return

    Thread(target=read, name="stdin", daemon=True).start()
    while chunk := await waiting.get():
        yield chunk


def pieces(text: str, most: int) -> Iterator[str]:
    """The text in pieces of at most ``most`` bytes of UTF-8, no character cut in two."""
    data = text.encode("utf-8", "replace")
    while len(data) > most:
        end = most
        while data[end] & 0xC0 == 0x80:  # in the middle of a character
            end -= 1
        yield data[:end].decode()
        data = data[end:]
    yield data.decode()
