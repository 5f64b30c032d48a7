"""The client and the broker's process: not there, silent, killed, restarted; and nothing leaks."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import zmq

import zchat
from tests.client.scene import in_a_loop, name, saying, texts, until
from zchat.client.events import Connected, Disconnected
from zchat.errors import Unreachable
from zchat.protocol.events import Joined, Posted
from zchat.testing.process import BrokerProcess, running_broker

# Nobody there.


@contextmanager
def silence() -> Iterator[str]:
    """The address of a port where somebody listens and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def mute_router() -> Iterator[str]:
    """The address of a ROUTER that never answers."""
    router: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.ROUTER)
    router.set(zmq.LINGER, 0)
    try:
        yield f"tcp://127.0.0.1:{router.bind_to_random_port('tcp://127.0.0.1')}"
    finally:
        router.close()


@contextmanager
def nobody() -> Iterator[str]:
    """The address of a port that is closed."""
    with silence() as address:
        pass
    yield address


@pytest.mark.parametrize(
    ("where", "timeout", "within"),
    [(nobody, 20.0, 5.0), (silence, 0.3, 5.0), (mute_router, 0.3, 5.0)],
)
@in_a_loop
async def test_where_no_broker_answers_it_says_so_in_time(
    where: Callable[[], Any], timeout: float, within: float
) -> None:
    """A person would sit before a command that hangs; a script would, too."""
    started = time.monotonic()
    with where() as address, pytest.raises(Unreachable, match="start one with: zchat broker"):
        async with zchat.connect(address, nick="ada", timeout=timeout):
            raise AssertionError("nobody is there")
    assert time.monotonic() - started < within


# Brokers come and go.


@in_a_loop
async def test_a_broker_that_is_killed_and_restarted_is_hardly_noticed(
    broker: BrokerProcess,
) -> None:
    """Only `Disconnected` and `Connected` tell of it: nothing is lost, nothing comes twice."""
    async with (
        zchat.connect(broker.address, nick="ada", rooms=["tea"]) as ada,
        zchat.connect(broker.address, nick="bob", rooms=["tea"]) as bob,
    ):
        says = [asyncio.create_task(ada.say("tea", str(each))) for each in range(300)]
        await says[20]
        broker.kill()
        late = asyncio.create_task(ada.say("tea", "in the dark"))
        await asyncio.to_thread(broker.restart)
        positions = [*await asyncio.gather(*says), await late]
        assert positions == sorted(set(positions))
        told = await until(bob, saying("in the dark"))
        assert texts(told) == [*map(str, range(300)), "in the dark"]
        ours = [each for each in told if isinstance(each, Connected | Disconnected)]
        assert [type(each) for each in ours][:2] == [Connected, Disconnected]
        resumed = [each.resumed for each in ours if isinstance(each, Connected)]
        assert resumed == [False] + [True] * (len(resumed) - 1)
        others = {type(each) for each in told} - {Connected, Disconnected, Posted, Joined}
        assert others <= {zchat.WentAway, zchat.CameBack}


@in_a_loop
async def test_leaving_a_broker_that_is_gone_is_prompt(broker: BrokerProcess) -> None:
    """There is nobody to say bye to."""
    async with zchat.connect(broker.address, nick="ada") as chat:
        broker.kill()
        await until(chat, lambda event: isinstance(event, Disconnected))
        started = time.monotonic()
    assert time.monotonic() - started < 2


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
@in_a_loop
async def test_over_ipv6(tmp_path: Path) -> None:
    """A bracketed host needs an option that libzmq leaves off."""
    args = ("--bind", "tcp://[::1]:0", "--publish", "tcp://[::1]:0")
    with running_broker(tmp_path, args=args) as broker:
        async with zchat.connect(broker.address, nick="ada", rooms=["tea"]) as chat:
            assert "[::1]" in chat.address
            await chat.say("tea", "six")
            assert texts(await until(chat, saying("six"))) == ["six"]


# Leaks.


@in_a_loop
async def test_no_socket_outlives_its_chat(lasting: BrokerProcess) -> None:
    """A program that comes and goes all day would run out of them."""

    def sockets() -> int:
        gc.collect()
        return sum(isinstance(each, zmq.Socket) and not each.closed for each in gc.get_objects())

    before = sockets()
    for _ in range(5):
        async with zchat.connect(lasting.address, nick=name(), rooms=[name()]) as chat:
            assert sockets() > before
            await chat.ping()
    with pytest.raises(Unreachable), nobody() as address:
        await zchat.connect(address).__aenter__()
    assert sockets() == before
