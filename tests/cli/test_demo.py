"""``zchat demo``: a newcomer's first minute."""

from __future__ import annotations

import time

from .conftest import zchat


def test_without_a_terminal_it_shows_the_conversation() -> None:
    """The first thing anybody runs, also in CI: it must end, and show what zchat is."""
    began = time.monotonic()
    done = zchat("demo")
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - began < 15
    for line in (
        "#lobby <alice> somebody new",  # history, from before you came
        "-- you are in #lobby",
        "#lobby <you> hello",
        "#lobby * bob waves",
        "whisper bob → you",
        "whisper you → bob",
        "-- you are in #garden",
        "-- alice set the subject of #garden: tea at four",
        "#garden <you> goodbye",
    ):
        assert line in done.stdout, done.stdout
