"""What may be a nick or a room's name, when two are the same, and when they look alike.

Rules: RFC 8265 (PRECIS usernames) for letters and for comparing; UTS 39 skeletons for
look-alikes; and, of ASCII, only letters, digits and ``. _ -``, so that a name never needs quoting.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import Final

from zchat.errors import Refused

__all__ = ["MAX_NAME", "nick", "nick_key", "room_name", "skeletons"]

MAX_NAME: Final = 32
"""Characters of a name: a column of a member list (IRC networks allow 16 to 31)."""

_ASCII: Final = re.compile(
    r"[A-Za-z0-9_](?:[A-Za-z0-9._-]|[^\x00-\x7f])*|[^\x00-\x7f](?:[A-Za-z0-9._-]|[^\x00-\x7f])*"
)


@lru_cache(maxsize=4096)
def nick(text: str) -> str:
    """The nick as it is shown: case kept, width and composition normalised.

    Raises `Refused` ``bad-name``.
    """
    return _enforce(text, "UsernameCasePreserved")


@lru_cache(maxsize=4096)
def nick_key(text: str) -> str:
    """What two nicks have in common that are the same nick. Raises `Refused` ``bad-name``."""
    return _enforce(text, "UsernameCaseMapped")


@lru_cache(maxsize=4096)
def room_name(text: str) -> str:
    """The canonical name of a room, which is its own key; a leading ``#`` is forgiven.

    Raises `Refused` ``bad-name``.
    """
    return _enforce(text.removeprefix("#"), "UsernameCaseMapped")


def _enforce(text: str, profile: str) -> str:
    from precis_i18n import get_profile

    if not 0 < len(text) <= MAX_NAME:
        raise _bad(text, f"a name has 1 to {MAX_NAME} characters")
    try:
        name: str = get_profile(profile).enforce(text)
    except UnicodeEncodeError:  # how precis_i18n reports every violation
        spaced = any(character.isspace() for character in text)
        reason = "a name has no spaces" if spaced else "it has a character no name may have"
        raise _bad(text, reason) from None
    if len(name) > MAX_NAME:
        raise _bad(text, f"a name has 1 to {MAX_NAME} characters")
    # A combining mark in front would sit on whatever is shown before the name.
    if not _ASCII.fullmatch(name) or unicodedata.category(name[0]).startswith("M"):
        raise _bad(text, "use letters, digits and . _ -, and begin with a letter, a digit or _")
    return name


def _bad(text: str, reason: str) -> Refused:
    shown = text[: MAX_NAME + 8].encode("utf-8", "replace").decode()
    return Refused("bad-name", name=shown, reason=reason)


def skeletons(name: str) -> frozenset[str]:
    """What a name looks like: two names that share one of these look alike (UTS 39, section 4).

    As written and in lower case, because ``ALICE`` is ``alice`` by its letters and
    ``allce`` by its looks. Never stored: a newer table may change it.
    """
    return frozenset({_skeleton(name), _skeleton(name.lower())})


@lru_cache(maxsize=4096)
def _skeleton(text: str) -> str:
    """Stricter than UTS 39 in one thing: taken around a case fold, so ``0`` meets ``o`` by ``O``."""
    return _prototypes(_prototypes(text).casefold())


def _prototypes(text: str) -> str:
    table = _confusables()
    decomposed = unicodedata.normalize("NFD", text)
    mapped = "".join(table.get(character, character) for character in decomposed)
    return unicodedata.normalize("NFD", mapped)


@cache
def _confusables() -> dict[str, str]:
    """Character → prototype, from the pairs that ``confusable_homoglyphs`` ships.

    Its table is UTS 39's confusables.txt read in both directions, right-to-left entries
    wrapped in U+200E. There every source names one prototype and a prototype is never a
    source, so the pairs form stars: a character that only meets a longer string has that
    for its prototype, and for a star of single characters any fixed member serves.
    """
    from confusable_homoglyphs.confusables import confusables_data

    near: dict[str, list[str]] = {
        source.strip("\u200e"): [target["c"].strip("\u200e") for target in targets]
        for source, targets in confusables_data.items()
    }
    table: dict[str, str] = {}
    for source, targets in near.items():
        star = {source}
        for target in targets:
            star.update(one for one in (target, *near.get(target, ())) if len(one) == 1)
        longer = [target for target in targets if len(target) > 1]
        table[source] = min(longer) if longer and len(targets) == 1 else min(star, key=_plainness)
    return table


def _plainness(character: str) -> tuple[bool, bool, bool, str]:
    """Which of several look-alikes stands for all: a lower-case letter, ASCII, if there is one."""
    return (not character.islower(), not character.isalpha(), not character.isascii(), character)
