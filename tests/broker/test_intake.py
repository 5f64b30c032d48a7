from __future__ import annotations

import zmq

from tests.broker.shell import Shell


def test_a_drain_is_bounded_in_bytes(shell: Shell) -> None:
    """A thousand frames of the longest size would be a turn of 64 MB."""
    dealer = shell.peer(zmq.DEALER)
    for _ in range(40):
        dealer.send(bytes(10_000))
    taken: list[int] = []
    while sum(taken) < 400_000:
        assert shell.router.socket.poll(5_000)
        taken.append(sum(len(body) for _, body in shell.intake.drain(1_000, 100_000)))
        assert taken[-1] <= 100_000
    assert len(taken) >= 4
