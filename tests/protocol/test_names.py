"""What may be a name, when two names are one, and when they look alike."""

from __future__ import annotations

import contextlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zchat.errors import Refused
from zchat.protocol.names import MAX_NAME, nick, nick_key, room_name, skeletons

anything = st.text(min_size=1, max_size=MAX_NAME + 2)
likely = st.text(st.sampled_from("abAB09._-éÉ世ñßאﬁＡａ"), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("text", "shown", "key"),
    [
        ("alice", "alice", "alice"),
        ("Alice", "Alice", "alice"),
        ("ALICE_2", "ALICE_2", "alice_2"),
        ("a.b-c", "a.b-c", "a.b-c"),
        ("9lives", "9lives", "9lives"),
        ("Zoë", "Zoë", "zoë"),
        ("Zoe\u0308", "Zoë", "zoë"),      # composed
        ("Ａlice", "Alice", "alice"),     # full width
        ("世界", "世界", "世界"),
        ("ΣΊΣΥΦΟΣ", "ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("x" * MAX_NAME, "x" * MAX_NAME, "x" * MAX_NAME),
    ],
)  # fmt: skip
def test_a_nick(text: str, shown: str, key: str) -> None:
    assert (nick(text), nick_key(text)) == (shown, key)


@pytest.mark.parametrize(
    ("text", "name"),
    [("general", "general"), ("#General", "general"), ("C-Ops", "c-ops"), ("#Küche", "küche")],
)
def test_a_room(text: str, name: str) -> None:
    """A room's name is its key: the same room typed two ways would be two rooms."""
    assert room_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "a b", "#", "##x", "@bob", "/join", ".hidden", "-rf", "a/b", "a:b", "a,b", "a*", "<b>",
        "a\n", "a\x00", "\x1b[31mred", "a\u202eb", "a\u200bb", "\u200d", "\ufeffa", "👍", "a\ud800",
        "x" * (MAX_NAME + 1), "\u0301", "a\u00a0b", "“a”", "½",
    ],
)  # fmt: skip
@pytest.mark.parametrize("make", [nick, nick_key, room_name], ids=lambda make: make.__name__)
def test_no_name(make: object, text: str) -> None:
    """It would need quoting, hide, turn the line round, or drive the terminal."""
    assert callable(make)
    with pytest.raises(Refused) as caught:
        make(text)
    assert caught.value.code == "bad-name"
    assert str(caught.value).isprintable()


@given(text=anything | likely)
def test_a_name_is_made_once(text: str) -> None:
    """A broker that restarts would read another name than it wrote."""
    with contextlib.suppress(Refused):
        assert nick(nick(text)) == nick(text)
        assert nick_key(nick_key(text)) == nick_key(text)
        assert nick_key(nick(text)) == nick_key(text)
    with contextlib.suppress(Refused):
        assert room_name(room_name(text)) == room_name(text)


@given(text=anything | likely)
def test_any_text_is_a_name_or_refused(text: str) -> None:
    """Anything else would be a traceback in the broker's loop."""
    for make in (nick, nick_key, room_name):
        with contextlib.suppress(Refused):
            assert 0 < len(make(text)) <= MAX_NAME


@given(text=likely)
def test_case_width_and_composition_do_not_tell_apart(text: str) -> None:
    """``Bob`` beside ``bob`` could answer for him."""
    try:
        key = nick_key(text)
    except Refused:
        return
    variants = (
        text.swapcase(),
        unicodedata.normalize("NFD", text),
        "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    )
    for variant in variants:
        if variant.lower() == text.lower() or unicodedata.normalize("NFKC", variant) == text:
            with contextlib.suppress(Refused):  # a variant may be too long, never another
                assert nick_key(variant) == key


LOOK_ALIKES = [
    ("alice", "аlice"),   # Cyrillic а
    ("alice", "aIice"),   # capital i for l
    ("bill", "bi1l"),
    ("ALICE", "ALlCE"),
    ("bob", "b0b"),
    ("bob", "Ьob"),       # Cyrillic soft sign
    ("modern", "rnodern"),
    ("carol", "caro1"),
    ("oscar", "οscar"),   # Greek omicron
    ("paypal", "раураl"),
    ("scope", "ѕсоре"),
]  # fmt: skip

DIFFERENT = [
    ("alice", "alicia"), ("alice", "malice"), ("bob", "bab"), ("bob", "rob"), ("carol", "karol"),
    ("dave", "dan"), ("eve", "steve"), ("zoë", "zoe"), ("anna", "hanna"), ("user1", "user2"),
    ("世界", "世間"), ("mike", "nike"), ("guest-1", "guest-2"), ("tim", "tom"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), LOOK_ALIKES)
def test_look_alikes_are_seen(one: str, other: str) -> None:
    """Somebody would take a whisper's sender for somebody else."""
    assert skeletons(one) & skeletons(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_ordinary_names_are_different(one: str, other: str) -> None:
    """Honest people would be sent away."""
    assert not skeletons(one) & skeletons(other)


@given(one=likely)
def test_a_name_looks_like_itself_in_any_case(one: str) -> None:
    assert skeletons(one) & skeletons(one.lower())
