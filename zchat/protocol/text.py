"""What others wrote, made safe to show: the one gate between a text and a terminal (P7).

It decides nothing about what may be said or kept; it only makes visible what a terminal
would obey.
"""

from __future__ import annotations

from typing import Final

__all__ = ["displayable"]

_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"

_UNSEEN: Final = (
    (0x00, 0x1F, "C0 controls: ESC begins every escape sequence"),
    (0x7F, 0x9F, "DEL and C1: U+009B is an ESC [ in one character"),
    (0x200B, 0x200B, "zero width space; the joiners after it are part of writing and stay"),
    (0x2028, 0x202E, "line ends, and embeddings and overrides of direction"),
    (0x2060, 0x206F, "invisible operators, and isolates of direction"),
    (0xD800, 0xDFFF, "half characters, which no encoder takes"),
    (0xFEFF, 0xFEFF, "byte order mark"),
    (0xFFF9, 0xFFFB, "interlinear annotation"),
    (0xE0000, 0xE001F, "language tags; the tags after them spell flags and stay"),
)
"""First, last, and what they do to whoever shows them."""

_VISIBLE: Final[dict[int, str]] = {
    code: _REPLACEMENT for first, last, _ in _UNSEEN for code in range(first, last + 1)
} | {
    # The picture of a C0 control says which one it was: an ESC is seen as ␛.
    **{code: chr(0x2400 + code) for code in range(0x20)},
    ord("\n"): "⏎",
    ord("\t"): " ",
}


def displayable(text: str) -> str:
    """The text as one line in which nothing is a command to a terminal.

    Controls become pictures, what else is invisible becomes U+FFFD, a line end ``⏎`` and a
    tab a space. Text of any language, joiners and emoji included, stays as it is.
    """
    if text.isprintable():  # the usual case, in one call
        return text
    return text.translate(_VISIBLE)
