"""The link against real sockets."""

from __future__ import annotations

import asyncio

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
