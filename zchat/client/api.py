"""The client as an application holds it: ``async with connect(…) as chat``.

A thin asyncio shell around `Session`, which has the rules, and `Link`, which has the sockets::

    async with zchat.connect("tcp://127.0.0.1:5555", nick="ada") as chat:
        room = await chat.join("general")
        await room.say("hello")
        async for event in chat.events():
            ...
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Iterable
from types import TracebackType
from typing import Any, Final, Self, TypeVar, cast

import zmq

from zchat.errors import Closed, Lagging, Unreachable, ZchatError
from zchat.protocol import replies
from zchat.protocol import requests as q
from zchat.protocol.names import room_name

from .address import DEFAULT, parse, publications
from .events import ChatEvent, RoomLost
from .history import History, page
from .link import Link, shared_context
from .pipeline import Ticket
from .room import Room
from .session import LinkState, Session

__all__ = ["Chat", "connect"]

TURN: Final = 200
"""Frames read at once before the application gets its turn."""
GOODBYE_S: Final = 2.0
"""How long leaving waits for its bye to be answered."""

R = TypeVar("R", bound=replies.Reply)


def connect(
    address: str = DEFAULT,
    *,
    nick: str | None = None,
    rooms: Iterable[str] = (),
    timeout: float = 5.0,
    lag: str = "wait",
    agent: str = "",
) -> Chat:
    """A chat with the broker at ``address``, to be entered with ``async with``.

    Without ``nick`` the broker gives a guest's. ``rooms`` are joined on entering. ``timeout``
    (seconds) is how long the first welcome may take. When the application leaves 10,000
    events unread, nothing more is fetched until it reads on (``lag="wait"``), or
    `Chat.events` raises `Lagging` (``lag="raise"``); nothing is lost by either.

    Raises `UsageError` for an address that is none. Entering raises `Unreachable` when nobody
    answers, and `Refused` when the nick cannot be had.
    """
    return Chat(parse(address), nick, tuple(rooms), timeout, lag == "raise", agent)


class Chat:
    """One user's chat. It reconnects, resumes and backfills by itself; make it with `connect`.

    A method that is cancelled leaves the chat as it was, but what it asked may still happen.
    Methods raise `Refused` when the broker says no, `OutcomeUnknown` when the session ended
    before the answer, and `Closed` when the chat is over.
    """

    def __init__(
        self,
        endpoint: str,
        nick: str | None,
        rooms: tuple[str, ...],
        timeout: float,
        raises_lag: bool,
        agent: str,
    ) -> None:
        self.address = endpoint
        """Where the broker answers."""
        self.rooms: dict[str, Room] = {}
        """The rooms this application has joined, by name."""
        self._first_rooms = rooms
        self._timeout = timeout
        self._raises_lag = raises_lag
        self._session = Session(nick=nick, fresh=os.urandom, agent=agent)
        self._link: Link | None = None
        self._futures: dict[Ticket, asyncio.Future[replies.Reply]] = {}
        self._woken = asyncio.Event()
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    # Who and where.

    @property
    def nick(self) -> str:
        """What this user is called."""
        return self._session.nick

    @property
    def user(self) -> str:
        """The id under which others see this user."""
        return self._welcome.user

    @property
    def lobby(self) -> str:
        """The room that is always there."""
        return self._welcome.lobby

    @property
    def max_text(self) -> int:
        """The longest text the broker takes, in bytes of UTF-8."""
        return self._welcome.max_text

    @property
    def connected(self) -> bool:
        """Whether the broker can be heard just now."""
        return self._session.state is LinkState.UP

    @property
    def _welcome(self) -> replies.Welcome:
        assert self._session.welcome is not None, "a chat is used inside its `async with`"
        return self._session.welcome

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name=f"zchat {self.address}")
        try:
            await self._welcomed()
            for room in self._first_rooms:
                await self.join(room)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Say bye, wait for the answer 2 seconds at most, and let go of the sockets."""
        if self._task is None:
            return
        task, self._task = self._task, None
        try:
            if self._session.closed is None and self.connected and not task.done():
                with contextlib.suppress(ZchatError, TimeoutError):
                    await asyncio.wait_for(self._ask(q.Bye, replies.Done), GOODBYE_S)
        finally:
            self._session.close()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            self._settle()
            await self._announce()

    # What one can do.

    async def join(self, room: str) -> Room:
        """Enter a room; the first one opens it."""
        joined = await self._ask(q.Join, replies.Joined, room=room)
        name = joined.room.stream
        self.rooms[name] = Room(self, name, joined.subject, joined.members, joined.position)
        return self.rooms[name]

    async def leave(self, room: str) -> int:
        """Leave a room. Returns the position of leaving."""
        position = await self._append(q.Leave, room=room)
        self.rooms.pop(room_name(room), None)
        return position

    async def say(self, room: str, text: str, *, action: bool = False) -> int:
        """Say something in a room one is in; it is kept when this returns its position."""
        return await self._append(q.Say, room=room, text=text, action=action)

    async def whisper(self, nick: str, text: str, *, action: bool = False) -> int:
        """Say something to one other user; it is kept when this returns its position."""
        return await self._append(q.Whisper, nick=nick, text=text, action=action)

    async def rename(self, nick: str) -> int:
        """Be called otherwise. Returns the position of the change."""
        return await self._append(q.Nick, nick=nick)

    async def set_subject(self, room: str, text: str) -> int:
        """Set a room's headline; an empty one removes it."""
        return await self._append(q.Subject, room=room, text=text)

    async def history(
        self,
        stream: str,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = 100,
    ) -> History:
        """Up to ``limit`` events of a room one is in, or of one's inbox (``@``), oldest first.

        With ``after``, the first ones past that position; else the last ones before ``before``,
        or of all. As many pages as it takes are asked for.
        """
        return await page(self._ask, stream, before=before, after=after, limit=limit)

    async def list_rooms(self) -> list[replies.RoomInfo]:
        """Every room there is, by name."""
        rooms: list[replies.RoomInfo] = []
        while True:
            after = rooms[-1].room if rooms else ""
            listed = await self._ask(q.Rooms, replies.Listed, after=after)
            rooms += listed.rooms
            if not listed.more:
                return rooms

    async def list_users(self, room: str | None = None) -> list[replies.Person]:
        """Who is in a room, or everybody on the broker, by nick."""
        users: list[replies.Person] = []
        while True:
            after = users[-1].nick if users else ""
            present = await self._ask(q.Users, replies.Present, room=room, after=after)
            users += present.users
            if not present.more:
                return users

    async def ping(self) -> float:
        """How long the broker takes to answer, in ms."""
        started = time.monotonic()
        await self._ask(q.Ping, replies.Pong)
        return (time.monotonic() - started) * 1000

    async def events(self) -> AsyncIterator[ChatEvent]:
        """What happens, in order and each event once, until the chat is closed.

        One application reads it, in one place. It ends when `close` is called; when the chat
        ended otherwise, it raises why.
        """
        session = self._session
        while True:
            if self._raises_lag and not session.wants_publications:
                raise Lagging(len(session.streams.events))
            taken = session.take_events(1)
            if taken:
                self._woken.set()  # there is room for more
                if isinstance(taken[0], RoomLost):
                    self.rooms.pop(taken[0].room, None)
                yield taken[0]
                continue
            if session.closed is not None:
                if isinstance(session.closed, Closed):
                    return
                raise session.closed
            async with self._changed:
                await self._changed.wait_for(lambda: session.streams.events or session.closed)

    # How it is done.

    async def _append(self, request: type[q.Appending], **fields: Any) -> int:
        return (await self._ask(request, replies.Done, **fields)).position

    async def _ask(
        self,
        request: type[q.Request],
        answer: type[R],  # noqa: ARG002  # what the caller may take the result for
        **fields: Any,
    ) -> R:
        """Ask the broker; wait for room in the pipeline and for the answer."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._session.full)
        ticket = self._session.request(request, **fields)
        future: asyncio.Future[replies.Reply] = asyncio.get_running_loop().create_future()
        self._futures[ticket] = future
        self._woken.set()
        if self._session.closed is not None:  # nobody else will
            self._settle()
        return cast("R", await future)

    async def _welcomed(self) -> None:
        """Wait until the broker has welcomed us. Raises `Unreachable` or `Refused`."""
        session = self._session

        def decided() -> bool:
            failed = session.state is LinkState.DOWN and bool(session.connect_at)
            return bool(session.closed or session.welcome or failed)

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timeout), self._changed:
                await self._changed.wait_for(decided)
        if session.closed is not None:
            raise session.closed
        if session.welcome is None:
            raise session.refused or Unreachable(self.address)

    async def _run(self) -> None:
        """Move bytes between session and sockets until the session is closed."""
        context = shared_context()
        try:
            while self._session.closed is None:
                self._turn(context)
                await self._announce()
                await self._rest()
        finally:
            self._session.close()  # should this have failed, nobody waits for it
            if self._link is not None:
                self._link.close()
                self._link = None
            await self._announce()

    def _turn(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        session, now = self._session, _now()
        if self._link is None and session.connect_at is not None and session.connect_at <= now:
            try:
                self._link = Link(context, self.address, self._woken.set)
            except zmq.ZMQError as error:
                raise Closed(
                    f"no socket to be had ({error}); let this process open more files, ulimit -n"
                ) from error
            session.connected(now)
        session.handle_timer(now)
        link = self._link
        if link is None:
            return
        for frame in link.replies(TURN):
            session.receive_replies(frame, now)
        if session.wants_publications:
            for frame in link.publications(TURN):
                session.receive_publication(frame)
        session.ask()
        if link.broken or session.hangs_up:
            link.close()
            self._link = None
            session.lost(now)
            return
        if session.state is LinkState.UP:
            link.listen(publications(self._welcome.publish, self.address))
            link.subscribe(session.take_subscriptions())
        link.send(session.take_frames())

    async def _rest(self) -> None:
        """Wait until there is something to do."""
        session = self._session
        self._woken.clear()
        if self._link is not None and self._link.poll(publications=session.wants_publications):
            await asyncio.sleep(0)
            return
        due = session.next_timer() if self._link is not None else session.connect_at
        wait = None if due is None else max(0, due - _now()) / 1000
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), wait)

    async def _announce(self) -> None:
        """Give the answers to those who wait, and wake whoever waits for a change."""
        self._settle()
        async with self._changed:
            self._changed.notify_all()

    def _settle(self) -> None:
        for ticket in self._session.take_settled():
            future = self._futures.pop(ticket, None)
            if future is None or future.done():
                continue  # whoever asked was cancelled
            if ticket.error is not None:
                future.set_exception(ticket.error)
            else:
                assert ticket.result is not None
                future.set_result(ticket.result)


def _now() -> int:
    return time.monotonic_ns() // 1_000_000
