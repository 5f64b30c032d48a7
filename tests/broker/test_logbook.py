"""What an operator reads, where a disk is full: enough, and not a line each turn."""

from __future__ import annotations

from pathlib import Path

import pytest

from zchat.broker.logbook import TROUBLE_MS, Logbook, MessageLog
from zchat.errors import JournalDamaged, JournalFull
from zchat.protocol.events import Posted

FULL = Path("/dev/full")


def test_the_same_trouble_is_told_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    """Hundreds of turns a second on a full disk would fill the log's disk as well."""
    logbook = Logbook()
    for now_ms in (0, 1, TROUBLE_MS - 1, TROUBLE_MS):
        logbook.trouble(JournalFull("j", "full"), now_ms)
    logbook.trouble(JournalDamaged("j", "damaged"), TROUBLE_MS + 1)
    assert caplog.messages == ["! j: full", "! j: full", "! j: damaged"]


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_a_message_log_on_a_full_disk_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """A broker that drains would end in a traceback after all its clients were told."""
    messages = MessageLog(FULL)
    messages.events([Posted(at=1, session="s", user="u", nick="al", room="ops", text="tea")])
    messages.close()
    assert len(caplog.messages) == 2
