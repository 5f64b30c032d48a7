"""Scenes in an event loop of their own, and what they are made of."""

from __future__ import annotations

import asyncio
import functools
import uuid
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any, ParamSpec

from zchat.client.api import Chat
from zchat.client.events import ChatEvent
from zchat.protocol.events import Posted, Whispered

P = ParamSpec("P")
DEADLINE_S = 30.0


def in_a_loop(scene: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Play a scene in a loop of its own, within a deadline, and see that no task outlives it."""

    @functools.wraps(scene)
    def play(*args: P.args, **kwargs: P.kwargs) -> None:
        async def whole() -> None:
            async with asyncio.timeout(DEADLINE_S):
                await scene(*args, **kwargs)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, f"tasks outlive the chat: {left}"

        asyncio.run(whole())

    return play


def name() -> str:
    """A nick or room nobody else has."""
    return "n" + uuid.uuid4().hex[:10]


async def until(chat: Chat, wanted: Callable[[ChatEvent], bool]) -> list[ChatEvent]:
    """What a chat tells, up to the first event that is wanted."""
    told: list[ChatEvent] = []
    async with aclosing(chat.events()) as events:  # type: ignore[type-var]
        async for event in events:
            told.append(event)
            if wanted(event):
                return told
    raise AssertionError(f"it ended after {told}")


def saying(text: str) -> Callable[[ChatEvent], bool]:
    return lambda event: isinstance(event, Posted | Whispered) and event.text == text


def texts(events: list[Any]) -> list[str]:
    return [event.text for event in events if isinstance(event, Posted | Whispered)]
