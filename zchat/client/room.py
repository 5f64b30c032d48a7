"""A room as an application holds it: what a chat can do, said of one room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zchat.protocol import replies

from .history import History

if TYPE_CHECKING:
    from .api import Chat

__all__ = ["Room"]


class Room:
    """A room this application is in; what `Chat` can do, said of one room."""

    def __init__(self, chat: Chat, name: str, subject: str, members: int, position: int) -> None:
        self.chat = chat
        """The chat it belongs to."""
        self.name = name
        """Its canonical name."""
        self.subject = subject
        """Its headline when it was joined."""
        self.members = members
        """How many were in it when it was joined."""
        self.since = position
        """The position of joining."""

    async def say(self, text: str, *, action: bool = False) -> int:
        """Say something; it is kept when this returns its position."""
        return await self.chat.say(self.name, text, action=action)

    async def set_subject(self, text: str) -> int:
        """Set the headline; an empty one removes it."""
        return await self.chat.set_subject(self.name, text)

    async def leave(self) -> int:
        """Leave it. Returns the position of leaving."""
        return await self.chat.leave(self.name)

    async def history(
        self, *, before: int | None = None, after: int | None = None, limit: int = 100
    ) -> History:
        """Up to ``limit`` of its events, as `Chat.history`."""
        return await self.chat.history(self.name, before=before, after=after, limit=limit)

    async def users(self) -> list[replies.Person]:
        """Who is in it, by nick."""
        return await self.chat.list_users(self.name)
