"""What makes this client the owner of its session: ids and tokens, and the hello they go in. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from zchat.protocol import requests as q
from zchat.protocol.replies import Welcome

__all__ = ["Credentials"]

TOKEN_BYTES: Final = 32


class Credentials:
    """The session, if there is one, and the tokens that own it."""

    def __init__(self, nick: str | None, agent: str, fresh: Callable[[int], bytes]) -> None:
        self.session = ""
        """The session's id; empty until a broker has given one."""
        self.nick = nick
        """The nick to claim with a new session; none for a guest's."""
        self._agent = agent
        self._fresh = fresh
        self._token = fresh(TOKEN_BYTES)  # owns the session, or shall own the one being begun
        self._next: bytes | None = None  # shall own it after the resume under way

    def hello(self, id_: int) -> q.Hello:
        """The hello for a new connection. Until it is answered, it names the same tokens again."""
        resume, token = None, self._token
        if self.session:
            resume = q.Resume(session=self.session, token=self._token)
            if self._next is None:
                self._next = self._fresh(TOKEN_BYTES)
            token = self._next
        return q.Hello(
            id=id_,
            protocol=q.PROTOCOL,
            token=token,
            nick=self.nick,
            resume=resume,
            agent=self._agent,
        )

    def welcomed(self, welcome: Welcome) -> None:
        """The last hello was answered: its token owns the session."""
        self.session, self.nick = welcome.session, welcome.nick
        self._token, self._next = self._next or self._token, None

    def forget(self) -> None:
        """The session is over; the next hello begins another."""
        self.session, self._token, self._next = "", self._fresh(TOKEN_BYTES), None
