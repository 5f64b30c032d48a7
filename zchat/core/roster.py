"""Who is called what: one nick is one user at a time, and no other may look like it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort

from zchat.errors import Refused
from zchat.protocol import names

__all__ = ["Roster"]


class Roster:
    """The nicks in use, by what makes two the same and by what makes two look alike."""

    def __init__(self) -> None:
        self._users: dict[str, str] = {}  # nick key → user id
        self._looks: dict[str, dict[str, str]] = {}  # skeleton → user id → nick
        self._nicks: list[str] = []  # sorted, for lists a page at a time

    def __len__(self) -> int:
        return len(self._users)

    def user(self, nick: str) -> str | None:
        """The id of the user with this nick. Raises `Refused` ``bad-name``."""
        return self._users.get(names.nick_key(nick))

    def after(self, nick: str, limit: int) -> list[tuple[str, str]]:
        """Up to ``limit`` nicks past this one, in order, each with its user's id."""
        start = bisect_right(self._nicks, nick)
        return [(n, self._users[names.nick_key(n)]) for n in self._nicks[start : start + limit]]

    def objection(self, nick: str, user: str) -> Refused | None:
        """Why ``user`` may not be called ``nick``: ``nick-taken``, ``nick-confusable``, or None."""
        if self._users.get(names.nick_key(nick), user) != user:
            return Refused("nick-taken", nick=nick)
        for skeleton in sorted(names.skeletons(nick)):
            for other, like in self._looks.get(skeleton, {}).items():
                if other != user:
                    return Refused("nick-confusable", nick=nick, like=like)
        return None

    def claim(self, nick: str, user: str) -> None:
        """``user`` is called ``nick`` from now on; nobody objected."""
        self._users[names.nick_key(nick)] = user
        insort(self._nicks, nick)
        for skeleton in names.skeletons(nick):
            self._looks.setdefault(skeleton, {})[user] = nick

    def release(self, nick: str) -> None:
        """Nobody is called ``nick`` any more."""
        user = self._users.pop(names.nick_key(nick))
        del self._nicks[bisect_left(self._nicks, nick)]
        for skeleton in names.skeletons(nick):
            holders = self._looks[skeleton]
            del holders[user]
            if not holders:
                del self._looks[skeleton]
