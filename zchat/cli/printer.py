"""The one way from a line to stdout: everything is cleaned here, and coloured where that is wanted."""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Mapping, Sequence
from typing import Final, TextIO

from zchat.protocol.text import displayable

from . import output
from .render import Shown, Span, json_line, spans

__all__ = ["Printer", "painted", "wants_colour"]

_NICKS: Final = (32, 33, 34, 35, 36, 92, 93, 94, 95, 96)
"""SGR foregrounds that are read on light and on dark; red is kept for what is wrong."""

_STYLES: Final = {"plain": "", "dim": "2", "room": "1", "whisper": "35", "warning": "31"}


def wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether to colour what goes to ``stream``: a terminal that can, and no NO_COLOR (no-color.org)."""
    return not environ.get("NO_COLOR") and environ.get("TERM") != "dumb" and stream.isatty()


def painted(line: Sequence[Span], *, colour: bool) -> str:
    """The line as it may go to a terminal. A nick has the same colour everywhere and always."""
    if not colour:
        return "".join(displayable(span.text) for span in line)
    return "".join(_painted(span) for span in line)


def _painted(span: Span) -> str:
    text = displayable(span.text)
    if span.style == "nick":
        sgr = str(_NICKS[zlib.crc32(span.text.casefold().encode()) % len(_NICKS)])
    else:
        sgr = _STYLES[span.style]
    return f"\x1b[{sgr}m{text}\x1b[0m" if sgr else text


class Printer:
    """Prints what happens, each a line at once, as text or as JSON."""

    def __init__(
        self, *, as_json: bool = False, on_terminal: bool = False, silent: bool = False
    ) -> None:
        """``on_terminal``: stdout is what the person types in, too. ``silent``: print nothing."""
        self.me = ""
        """Whose client this is: a user id."""
        self._as_json = as_json
        self._on_terminal = on_terminal
        self._silent = silent
        self._colour = wants_colour(sys.stdout, os.environ)

    def show(self, shown: Shown) -> None:
        """Print an event, a room or a user."""
        if self._as_json:
            self._print(json_line(shown))
        else:
            self._print(painted(spans(shown, self.me), colour=self._colour))

    def tell(self, sentence: str) -> None:
        """Say something to the person; a program that reads JSON is told on stderr."""
        if self._as_json:
            output.complain(sentence)
        else:
            self._print(painted([Span(f"-- {sentence}", "dim")], colour=self._colour))

    def complain(self, error: Exception) -> None:
        """Say what went wrong: beside what is typed, or on stderr."""
        if self._on_terminal:
            self._print(painted([Span(f"!! {error}", "warning")], colour=self._colour))
        else:
            output.complain(str(error))

    def _print(self, line: str) -> None:
        if not self._silent:
            output.line(line)
