"""One of three people who talk for ever: python examples/chatter.py alice|bob|carol

Each knows the whole play. The time of day says which line it is, so nobody has to lead, and
whoever was cut off comes in again at the right place. Set ``ZCHAT_CONNECT`` to the broker's address.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time

import zchat

PACE_S = 1.5
PLAY = (
    # who      room or @nick  what
    ("alice", "general", "good morning! who is awake?"),
    ("bob", "general", "me, and the kettle"),
    ("carol", "general", "three of us then"),
    ("alice", "ops", "the night build is green"),
    ("bob", "ops", "at last. what was it?"),
    ("alice", "ops", "a test that waited for a clock"),
    ("carol", "ops", "it is always the clock"),
    ("carol", "@alice", "it is bob's birthday, have you got the cake?"),
    ("alice", "@carol", "in the fridge, behind the salad"),
    ("bob", "general", "why is everybody so quiet?"),
    ("carol", "general", "no reason at all"),
    ("bob", "@alice", "do you know what they are up to?"),
    ("alice", "@bob", "no idea, look behind the salad"),
    ("bob", "general", "CAKE"),
)


async def speak(chat: zchat.Chat, me: str) -> None:
    """Say each of my lines when its time comes."""
    rooms = {name: await chat.join(name) for name in ("general", "ops")}
    while True:
        await asyncio.sleep(PACE_S - time.time() % PACE_S)
        who, where, text = PLAY[int(time.time() / PACE_S) % len(PLAY)]
        if who != me:
            continue
        try:
            if where.startswith("@"):
                await chat.whisper(where[1:], text)
            else:
                await rooms[where].say(text)
        except (zchat.Refused, zchat.OutcomeUnknown) as error:
            print(f"-- {error}", flush=True)  # e.g. bob is not here yet; the play goes on


async def listen(chat: zchat.Chat) -> None:
    """Print what is heard: the messages of both rooms, and one's own whispers."""
    async for event in chat.events():
        match event:
            case zchat.Posted():
                print(f"#{event.room:<8} {event.nick}: {event.text}", flush=True)
            case zchat.Whispered():
                print(f"*whisper* {event.nick} to {event.to_nick}: {event.text}", flush=True)


async def main(me: str) -> None:
    """Be ``me`` until told to stop."""
    address = os.environ.get("ZCHAT_CONNECT", "tcp://127.0.0.1:5555")
    async with zchat.connect(address, nick=me) as chat, asyncio.TaskGroup() as both:
        both.create_task(listen(chat))
        both.create_task(speak(chat, me))


def named(words: list[str]) -> str:
    """Who to be, of the command line's words; ends the program where that is nobody in the play."""
    cast = sorted({who for who, _, _ in PLAY})
    if len(words) != 1 or words[0] not in cast:
        sys.exit(f"say who to be: python examples/chatter.py {'|'.join(cast)}")
    return words[0]


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # `docker stop` is a goodbye, too
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(named(sys.argv[1:])))
