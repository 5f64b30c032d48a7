"""A room as an application holds it: it asks its chat, and always for itself."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import AsyncMock, call, create_autospec

import pytest

from zchat.client.api import Chat
from zchat.client.room import Room

SAID: dict[str, tuple[tuple[str, ...], dict[str, Any], Any]] = {
    "say": (("tea?",), {"action": True}, call.say("tea", "tea?", action=True)),
    "set_subject": (("brewing",), {}, call.set_subject("tea", "brewing")),
    "leave": ((), {}, call.leave("tea")),
    "history": (
        (), {"after": 3, "limit": 9}, call.history("tea", before=None, after=3, limit=9)),
    "users": ((), {}, call.list_users("tea")),
}  # fmt: skip


@pytest.mark.parametrize("what", SAID)
def test_what_one_asks_a_room_its_chat_is_asked_of_it(what: str) -> None:
    """The room of another name would be written to."""
    chat = create_autospec(Chat, instance=True)
    args, kwargs, asked = SAID[what]
    method: AsyncMock = getattr(Room(chat, "tea", "", 1, 10), what)
    answer = asyncio.run(method(*args, **kwargs))
    assert chat.mock_calls == [asked]
    assert answer is getattr(chat, asked[0]).return_value
