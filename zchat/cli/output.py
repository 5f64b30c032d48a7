"""Where a command's words go: results to stdout, what is wrong to stderr. A line at a time."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from zchat.protocol.text import displayable

__all__ = ["OutputClosed", "complain", "finish", "line"]


class OutputClosed(Exception):
    """Nobody reads stdout any more, as after ``| head``: the command ends, quietly."""


def line(text: str, *, flush: bool = True) -> None:
    """Print one line. Raises `OutputClosed`."""
    try:
        print(text, flush=flush)
    except BrokenPipeError:
        raise OutputClosed from None


def complain(sentence: str) -> None:
    """Say what is wrong, where no program reads it by mistake."""
    with suppress(BrokenPipeError):
        print(f"zchat: {displayable(sentence)}", file=sys.stderr, flush=True)


def finish() -> None:
    """Bring out what is still buffered. Raises `OutputClosed`."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter would try once more at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputClosed from None
