"""``zchat ping``: whether a broker answers, and how fast. It starts no session and leaves no trace."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from zchat.errors import Refused, Unreachable

from . import output
from .options import DEFAULT_ADDRESS, Connect, examples

__all__ = ["ping", "register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "zchat ping",
            "zchat ping --connect tcp://chat.example.org:5555 || echo nobody there",
        )
    )(ping)


def ping(
    timeout: Annotated[
        float,
        typer.Option(
            min=0.0, max=86_400.0, metavar="SECONDS", help="How long to wait for the answer."
        ),
    ] = 5.0,
    connect: Connect = DEFAULT_ADDRESS,
) -> None:
    """Say what broker answers, and after how many ms. Exits 69 when nobody does: a health check."""
    began = time.perf_counter()
    agent = answering(connect, timeout)
    output.line(f"{agent} at {connect} answers in {(time.perf_counter() - began) * 1000:.1f} ms")


def answering(address: str, timeout: float) -> str:
    """What the broker at ``address`` calls itself; asked within ``timeout`` seconds.

    Raises `Unreachable`, or `UsageError` for what is no address.
    """
    import zmq

    from zchat.client.address import parse
    from zchat.protocol import codec
    from zchat.protocol.replies import Pong
    from zchat.protocol.requests import Ping

    with zmq.Context() as context, context.socket(zmq.DEALER) as dealer:
        dealer.set(zmq.LINGER, 0)
        dealer.set(zmq.RECONNECT_IVL, -1)
        with dealer.get_monitor_socket(zmq.EVENT_CLOSED | zmq.EVENT_DISCONNECTED) as ended:
            dealer.connect(parse(address))
            dealer.send(codec.encode_requests([Ping(id=1)]))
            poller = zmq.Poller()
            poller.register(dealer, zmq.POLLIN)
            poller.register(ended, zmq.POLLIN)
            ready = dict(poller.poll(int(timeout * 1000)))
            dealer.disable_monitor()
        if dealer not in ready:
            raise Unreachable(address)
        (reply,) = codec.decode_replies(dealer.recv())
    if isinstance(reply, Refused):
        raise reply
    return codec.typed(reply, Pong).agent
