"""Real brokers for the tests that need one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from zchat.testing.process import BrokerProcess, running_broker


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    """A broker of one's own, to kill and to restart."""
    with running_broker(tmp_path) as process:
        yield process


@pytest.fixture(scope="session")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """A broker for all who only talk; nobody kills it, and nobody takes another's nick or room."""
    with running_broker(tmp_path_factory.mktemp("lasting")) as process:
        yield process
