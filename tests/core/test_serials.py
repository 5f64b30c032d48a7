"""Serials: once, however often sent, as far back as the protocol promises."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zchat.core.serials import WINDOW, Serials
from zchat.errors import Refused

FORGOTTEN = -1


def found(serials: Serials, serial: int) -> int:
    """What `Serials.find` says, `FORGOTTEN` where it refuses."""
    try:
        return serials.find(serial)
    except Refused:
        return FORGOTTEN


class Naive:
    """The same in a dict that grows for ever."""

    def __init__(self) -> None:
        self.positions: dict[int, int] = {}

    def find(self, serial: int) -> int:
        last = max(self.positions, default=0)
        return FORGOTTEN if serial <= last - WINDOW else self.positions.get(serial, 0)


STEPS = st.lists(
    st.one_of(
        st.integers(1, 3),  # the usual: upwards, nearly dense
        st.integers(-WINDOW - 2, -1),  # late
        st.sampled_from([WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW, 5_000]),  # a leap
    ),
    max_size=60,
)


@given(STEPS)
def test_it_remembers_what_a_dict_would(steps: list[int]) -> None:
    serials, naive, serial = Serials(), Naive(), 0
    for position, step in enumerate(steps, 1):
        serial = max(1, serials.last + step)
        assert found(serials, serial) == naive.find(serial)
        if naive.find(serial) == 0:
            serials.add(serial, position)
            naive.positions[serial] = position
    for near in range(max(1, serials.last - WINDOW - 3), serials.last + 4):
        assert found(serials, near) == naive.find(near)


@pytest.mark.parametrize("start", [1, 1023, 1024, 1025, 2048, 10**9])
def test_the_window_ends_where_the_protocol_says(start: int) -> None:
    serials = Serials()
    serials.add(start, 7)
    serials.add(start + WINDOW - 1, 8)
    assert found(serials, start) == 7
    serials.add(start + WINDOW, 9)
    assert found(serials, start) == FORGOTTEN
    assert found(serials, start + 1) == 0


def test_the_largest_serial_there_is_needs_no_more_room() -> None:
    """A client that counts from 2⁶³ would otherwise fill the memory."""
    serials = Serials()
    serials.add(2**63 - 1, 7)
    assert len(serials.ring) <= WINDOW
    assert found(serials, 2**63 - 1) == 7


def test_a_snapshot_keeps_it() -> None:
    serials = Serials()
    for serial in (1, 2, 5, 2_000):
        serials.add(serial, serial * 10)
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(serials), type=Serials)
    assert again == serials
    assert (found(again, 2_000), found(again, 1_999), found(again, 5)) == (20_000, 0, FORGOTTEN)
