"""The link against real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
import zmq

from zchat.client.link import Link

PATIENCE_S = 20.0


async def last_words(context: zmq.Context[zmq.Socket[bytes]]) -> list[bytes]:
    """What a broker says in the moment before it goes, read by a client that was busy meanwhile."""
    router = context.socket(zmq.ROUTER)
    port = router.bind_to_random_port("tcp://127.0.0.1")
    woken = asyncio.Event()
    link = Link(context, f"tcp://127.0.0.1:{port}", woken.set)
    try:
        link.send([b"hello"])
        peer, _ = router.recv_multipart()
        for words in (b"welcome", b"I am stopping"):
            router.send_multipart([peer, words])
        router.close(linger=1_000)
        async with asyncio.timeout(PATIENCE_S):
            while not link.broken:
                woken.clear()
                link.poll(publications=True)
                if not link.broken:
                    await woken.wait()
        return link.replies(10)
    finally:
        link.close()


def test_what_came_before_the_connection_broke_is_read() -> None:
    """A client that is told when to come back would not know, and come back with all others."""
    with zmq.Context() as context:
        assert asyncio.run(last_words(context)) == [b"welcome", b"I am stopping"]


class Woken:
    """A link's loop: wait until something is to do."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    async def until(self, link: Link, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not done():
                self.event.clear()
                if not link.poll(publications=True):
                    await self.event.wait()
                await asyncio.sleep(0)


@contextmanager
def link_to(endpoint: str) -> Iterator[tuple[Link, Woken]]:
    woken = Woken()
    with zmq.Context() as context, closing(Link(context, endpoint, woken.event.set)) as link:
        yield link, woken


def test_what_is_sent_before_there_is_a_connection_is_sent_in_order() -> None:
    """A hello goes out at once; thousands of frames more than fit wait, and none overtakes."""

    async def scene() -> None:
        with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
            router.set(zmq.LINGER, 0)
            router.set(zmq.RCVTIMEO, int(PATIENCE_S * 1_000))
            port = router.bind_to_random_port("tcp://127.0.0.1")
            with link_to(f"tcp://127.0.0.1:{port}") as (link, woken):
                many = [str(each).encode() for each in range(5_000)]
                link.send(many)
                read = asyncio.to_thread(lambda: [router.recv_multipart()[1] for _ in many])
                reading = asyncio.create_task(read)
                reading.add_done_callback(lambda _: woken.event.set())

                def all_read() -> bool:
                    link.send([])
                    return reading.done()

                await woken.until(link, all_read)
                assert reading.result() == many

    asyncio.run(scene())


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:1", "tcp://[::1]:1"])
def test_where_nobody_listens_it_is_broken_at_once(endpoint: str) -> None:
    """ZeroMQ itself would try again for ever and say nothing."""

    async def scene() -> None:
        with link_to(endpoint) as (link, woken):
            await woken.until(link, lambda: link.broken)

    asyncio.run(scene())


def test_it_hears_what_it_subscribed_to_until_it_no_longer_does() -> None:
    async def scene() -> None:
        with (
            zmq.Context() as context,
            context.socket(zmq.XPUB) as xpub,
            context.socket(zmq.ROUTER) as router,
        ):
            ports = [each.bind_to_random_port("tcp://127.0.0.1") for each in (router, xpub)]
            xpub.set(zmq.RCVTIMEO, int(PATIENCE_S * 1_000))
            with link_to(f"tcp://127.0.0.1:{ports[0]}") as (link, woken):
                link.listen(f"tcp://127.0.0.1:{ports[1]}")
                link.subscribe([(True, b"a"), (False, b"a"), (True, b"b")])
                while xpub.recv() != b"\1b":
                    pass
                for frame in b"a1", b"b1":
                    xpub.send(frame)
                heard: list[bytes] = []

                def has_heard() -> bool:
                    heard.extend(link.publications(9))
                    return bool(heard)

                await woken.until(link, has_heard)
                assert heard == [b"b1"]

    asyncio.run(scene())
