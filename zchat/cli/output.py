"""Where a command's words go: results to stdout, what is wrong to stderr. A line at a time."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from zchat.errors import ZchatError
from zchat.protocol.text import displayable

__all__ = ["OutputClosed", "OutputFailed", "complain", "finish", "line", "open_missing", "page"]


class OutputClosed(Exception):
    """Nobody reads stdout any more, as after ``| head``: the command ends, quietly."""


class OutputFailed(ZchatError):
    """What was to be printed is lost; ``reason`` is the system's, as where a disk is full."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)

    def __str__(self) -> str:
        return f"the output cannot be written ({self.reason}); what it was meant for is incomplete"


def open_missing() -> None:
    """Put the null device where a standard stream is closed, as after ``>&-`` or in a service.

    Otherwise the next file or socket would take its number, and be read or written for it.
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(descriptor, "w" if descriptor else "r", closefd=False))  # noqa: SIM115


def line(text: str, *, flush: bool = True) -> None:
    """Print one line. Raises `OutputClosed` or `OutputFailed`."""
    try:
        print(text, flush=flush)
    except OSError as error:
        raise _ending(error) from None


def complain(sentence: str) -> None:
    """Say what is wrong, where no program reads it by mistake."""
    page(f"zchat: {displayable(sentence)}")


def page(text: str) -> None:
    """Show a help text that nobody asked for, beside the results. It is our own, and many lines."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def finish() -> None:
    """Bring out what is still buffered. Raises `OutputClosed` or `OutputFailed`."""
    try:
        sys.stdout.flush()
    except OSError as error:
        raise _ending(error) from None


def _ending(error: OSError) -> OutputClosed | OutputFailed:
    """How a command ends whose output could not be written."""
    with suppress(OSError):
        # The interpreter would try once more at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return OutputClosed()
    return OutputFailed(error.strerror or str(error))
