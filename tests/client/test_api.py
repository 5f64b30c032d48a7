"""The client as an application holds it, over real sockets, with a real broker in its own process."""

from __future__ import annotations

import asyncio

import pytest

import zchat
from tests.client.scene import in_a_loop, name, saying, texts, until
from zchat.client.api import Chat
from zchat.client.events import ChatEvent, Connected
from zchat.errors import Closed, Lagging, Refused, UsageError
from zchat.protocol.events import Acted, Posted, Renamed, SessionEnded, Whispered
from zchat.testing.process import BrokerProcess

# Talking.


@in_a_loop
async def test_two_people_talk(lasting: BrokerProcess) -> None:
    """The first page of the documentation."""
    room_name = name()
    async with (
        zchat.connect(lasting.address, nick=name()) as ada,
        zchat.connect(lasting.address, nick=name(), rooms=[room_name]) as bob,
    ):
        room = await ada.join("#" + room_name.upper())
        assert (room.name, room.members, room.subject) == (room_name, 2, "")
        said = await room.say("tea?")
        done = await bob.say(room_name, "puts the kettle on", action=True)
        whispered = await bob.whisper(ada.nick, "two sugars")
        told = await until(ada, saying("two sugars"))
        heard = [(type(event), getattr(event, "position", 0)) for event in told]
        assert heard[-1] == (Whispered, whispered)
        assert [each for each in heard if each[0] in (Posted, Acted)] == [
            (Posted, said),
            (Acted, done),
        ]
        assert said > room.since
        assert {person.nick for person in await room.users()} == {ada.nick, bob.nick}
        subject = await room.set_subject("brewing")
        assert subject > whispered
        assert room_name in {each.room for each in await bob.list_rooms()}
        assert {ada.user, bob.user} <= {each.user for each in await bob.list_users()}
        assert 0 < await bob.ping() < 5_000


@in_a_loop
async def test_a_rename_is_seen_by_all_once(lasting: BrokerProcess) -> None:
    one, other = name(), name()
    async with (
        zchat.connect(lasting.address, nick=name(), rooms=[one, other]) as ada,
        zchat.connect(lasting.address, nick=name(), rooms=[one, other]) as bob,
    ):
        new = name()
        await ada.rename(new)
        assert ada.nick == new
        for chat in (ada, bob):
            await ada.say(one, f"for {chat.nick}")
            told = await until(chat, saying(f"for {chat.nick}"))
            assert [event.to for event in told if isinstance(event, Renamed)] == [new]


@in_a_loop
async def test_history_is_read_in_pages(lasting: BrokerProcess) -> None:
    room = name()
    async with zchat.connect(lasting.address, nick=name(), rooms=[room]) as chat:
        many = [str(each) for each in range(450)]
        positions = await asyncio.gather(*(chat.say(room, text) for text in many))
        newest = await chat.history(room, limit=250)
        assert (texts(newest.events), newest.more) == (many[200:], True)
        older = await chat.history(room, before=positions[200], limit=1_000)
        assert (texts(older.events), older.more) == (many[:200], False)
        later = await chat.rooms[room].history(after=positions[99], limit=5)
        assert (texts(later.events), later.more) == (many[100:105], True)
        assert (await chat.history("@")).events == []


@in_a_loop
async def test_who_leaves_hears_no_more_and_can_come_back(lasting: BrokerProcess) -> None:
    room = name()
    async with (
        zchat.connect(lasting.address, nick=name(), rooms=[room]) as ada,
        zchat.connect(lasting.address, nick=name(), rooms=[room]) as bob,
    ):
        await ada.leave("#" + room.upper())
        assert ada.rooms == {}
        with pytest.raises(Refused) as refused:
            await ada.say(room, "still there?")
        assert refused.value.code == "not-a-member"
        await bob.say(room, "she is gone")
        await ada.join(room)
        await bob.say(room, "welcome back")
        assert texts(await until(ada, saying("welcome back"))) == ["welcome back"]


@in_a_loop
async def test_a_thousand_says_at_once_arrive_in_the_order_asked(lasting: BrokerProcess) -> None:
    """Messages pipeline freely; none overtakes another, in the room or in its answer."""
    room = name()
    async with (
        zchat.connect(lasting.address, nick=name(), rooms=[room]) as ada,
        zchat.connect(lasting.address, nick=name(), rooms=[room]) as bob,
    ):
        many = [str(each) for each in range(1_000)]
        positions = await asyncio.gather(*(ada.say(room, text) for text in many))
        assert positions == sorted(set(positions))
        assert texts(await until(bob, saying("999"))) == many


@in_a_loop
async def test_more_than_may_wait_wait_outside(lasting: BrokerProcess) -> None:
    """The broker keeps 1,024 serials; one more unanswered could be appended twice."""
    room = name()
    async with zchat.connect(lasting.address, nick=name(), rooms=[room]) as chat:
        positions = await asyncio.gather(*(chat.say(room, str(each)) for each in range(1_500)))
        assert positions == sorted(set(positions))


@in_a_loop
async def test_refusals_and_usage_name_what_is_wrong(lasting: BrokerProcess) -> None:
    taken = name()
    async with zchat.connect(lasting.address, nick=taken) as chat:
        for scene, code in (
            (chat.join("no room"), "bad-name"),
            (chat.whisper(name(), "?"), "no-such-user"),
            (chat.say(chat.lobby, ""), "bad-text"),
            (chat.say(chat.lobby, "\udcff"), "bad-text"),
            (chat.say(chat.lobby, "x" * (chat.max_text + 1)), "bad-text"),
        ):
            with pytest.raises(Refused) as refused:
                await scene
            assert refused.value.code in (code, "not-a-member")
        with pytest.raises(Refused, match=taken):
            await zchat.connect(lasting.address, nick=taken).__aenter__()
    with pytest.raises(UsageError):
        zchat.connect("nowhere")


@in_a_loop
async def test_two_chats_share_a_loop(lasting: BrokerProcess) -> None:
    async with (
        zchat.connect(lasting.address, nick=name()) as ada,
        zchat.connect(lasting.address, nick=name()) as bob,
    ):
        whispers = [asyncio.gather(*(one.whisper(other.nick, str(each)) for each in range(50)))
                    for one, other in ((ada, bob), (bob, ada))]  # fmt: skip
        await asyncio.gather(*whispers)
        for chat in ada, bob:
            await chat.whisper(chat.nick, "done")
        for told in await asyncio.gather(*(until(chat, saying("done")) for chat in (ada, bob))):
            assert sorted(texts(told)[:-1]) == sorted(2 * [str(each) for each in range(50)])


# Cancelling, failing, closing.


@in_a_loop
async def test_a_cancelled_say_leaves_the_chat_as_it_was(lasting: BrokerProcess) -> None:
    room = name()
    async with zchat.connect(lasting.address, nick=name(), rooms=[room]) as chat:
        says = [asyncio.create_task(chat.say(room, str(each))) for each in range(100)]
        await asyncio.sleep(0)
        for task in says[::2]:
            task.cancel()
        answered = await asyncio.gather(*says, return_exceptions=True)
        assert all(isinstance(answer, int) for answer in answered[1::2])
        await chat.say(room, "after")
        kept = texts((await chat.history(room, limit=1_000)).events)
        assert kept[-1] == "after"
        assert [int(text) for text in kept[:-1]] == sorted({int(text) for text in kept[:-1]})
        assert {str(each) for each in range(1, 100, 2)} <= set(kept)


@in_a_loop
async def test_a_failure_inside_still_says_bye(lasting: BrokerProcess) -> None:
    """The others would see a ghost until the grace period is over."""
    room = name()
    async with zchat.connect(lasting.address, nick=name(), rooms=[room]) as bob:
        with pytest.raises(ZeroDivisionError):
            async with zchat.connect(lasting.address, nick=name(), rooms=[room]):
                raise ZeroDivisionError
        told = await until(bob, lambda event: isinstance(event, SessionEnded))
        assert getattr(told[-1], "reason", "") == "bye"


@in_a_loop
async def test_events_end_when_the_chat_is_closed(lasting: BrokerProcess) -> None:
    room = name()
    chat = zchat.connect(lasting.address, nick=name(), rooms=[room])
    async with chat:
        told: list[ChatEvent] = []

        async def read() -> None:
            async for event in chat.events():
                told.append(event)  # noqa: PERF401  # what was read counts if it never ends

        reading = asyncio.create_task(read())
        await chat.say(room, "last words")
    await reading
    assert isinstance(told[0], Connected)
    assert "last words" in texts(told)
    with pytest.raises(Closed):
        await chat.say(room, "too late")
    await chat.close()


async def take_over(chat: Chat) -> None:
    """Somebody else resumes the session of this chat, as a program with a copy of its token would."""
    mine = chat._session._credentials
    thief = zchat.connect(chat.address, nick=chat.nick)
    theirs = thief._session._credentials
    theirs.session, theirs._token = mine.session, mine._token
    async with thief:
        await until(thief, lambda event: isinstance(event, Connected))
        with pytest.raises(Refused):
            await until(chat, lambda _event: False)


@in_a_loop
async def test_a_takeover_is_raised_to_whoever_reads_or_asks(lasting: BrokerProcess) -> None:
    """A program would go on with a session that is another's, or wait for ever."""
    room = name()
    async with zchat.connect(lasting.address, nick=name(), rooms=[room]) as chat:
        await take_over(chat)
        assert not chat.connected
        for late in (chat.ping, chat.list_rooms, chat.rooms[room].users):
            with pytest.raises(Refused) as refused:
                await late()
            assert refused.value.code == "taken-over"


@in_a_loop
async def test_a_fault_of_ours_is_raised_and_nobody_waits_for_ever(
    lasting: BrokerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that hangs says less than a traceback."""
    chat = await zchat.connect(lasting.address, nick=name()).__aenter__()
    monkeypatch.setattr(chat._session, "receive_replies", lambda _frame, _now: 1 // 0)
    for _ in "before", "after":
        with pytest.raises(Closed):
            await chat.ping()
    with pytest.raises(ZeroDivisionError):
        await chat.close()


@in_a_loop
async def test_who_asked_to_be_told_is_told_of_lagging(lasting: BrokerProcess) -> None:
    room = name()
    for lag in ("raise", "wait"):
        async with zchat.connect(lasting.address, nick=name(), rooms=[room], lag=lag) as chat:
            chat._session._pending = 5
            for each in range(20):
                await chat.say(room, f"{lag} {each}")
            if lag == "raise":
                while chat._session.wants_publications:
                    await asyncio.sleep(0)
                with pytest.raises(Lagging, match="wait to be read"):
                    await until(chat, saying("raise 19"))
            else:
                mine = texts(await until(chat, saying("wait 19")))
                assert mine == [f"wait {each}" for each in range(20)], "nothing is lost by it"
