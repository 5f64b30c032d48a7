"""Nothing a user writes reaches a terminal as a control sequence (P7)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zchat.protocol.text import displayable

NAUGHTY = {
    "a colour": ("\x1b[31mred", "␛[31mred"),
    "a colour in one C1 character": ("\x9b31mred", "�31mred"),
    "the window's title": ("\x1b]0;root\x07", "␛]0;root␇"),
    "a hyperlink": ("\x1b]8;;http://x\x1b\\here\x1b]8;;\x1b\\", "␛]8;;http://x␛\\here␛]8;;␛\\"),
    "the clipboard (OSC 52)": ("\x1b]52;c;cm0=\x07", "␛]52;c;cm0=␇"),
    "a device question": ("\x05\x1b[c", "␅␛[c"),
    "a line end that forges a line": ("hi\n<root> reboot", "hi⏎<root> reboot"),
    "a return that overwrites": ("evil\rgood", "evil␍good"),
    "backspaces that erase": ("a\b\b\bb", "a␈␈␈b"),
    "a bell": ("\a", "␇"),
    "NUL and DEL": ("\0\x7f", "␀�"),
    "a tab": ("a\tb", "a b"),
    "an override of direction": ("\u202egnp.exe", "�gnp.exe"),
    "isolates": ("\u2066a\u2069", "�a�"),
    "a line separator": ("a\u2028b\u2029c", "a�b�c"),
    "zero width space and BOM": ("a\u200bb\ufeff", "a�b�"),
    "half a character": ("\ud800x", "�x"),
    "shift out of the character set": ("\x0e\x0f", "␎␏"),
}


@pytest.mark.parametrize(("text", "shown"), NAUGHTY.values(), ids=NAUGHTY)
def test_what_a_terminal_would_obey_is_shown_instead(text: str, shown: str) -> None:
    """Somebody could rename my window, fill my clipboard, or speak in another's name."""
    assert displayable(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "Grüße, Ελλάδα, Привет, 你好, שלום, مرحبا, हिन्दी",
        "👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️ e\u0301",
        "می\u200cخواهم",
        "non-breaking\u00a0space",
    ],
)
def test_writing_stays_as_it_is(text: str) -> None:
    """Cleaning that breaks Persian, families or flags would be worse than none."""
    assert displayable(text) == text


@given(st.text(st.characters()))
def test_whatever_the_text(text: str) -> None:
    """A character that nobody thought of gets through."""
    shown = displayable(text)
    assert len(shown) == len(text)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(c) for c in shown} & {
        "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
    }  # fmt: skip
    assert displayable(shown) == shown
    shown.encode()
