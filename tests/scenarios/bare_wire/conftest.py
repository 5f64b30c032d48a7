"""A broker under siege: whatever a test does to it, two ordinary people talk on."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.scenarios.bare_wire.siege import Siege
from tests.scenarios.rawpeer import Company
from zchat.testing.process import running_broker

log = logging.getLogger("siege")


@pytest.fixture(scope="module")
def besieged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Siege]:
    """One for all tests of a module: what they leave behind adds up."""
    with running_broker(tmp_path_factory.mktemp("broker")) as broker, Siege(broker) as siege:
        yield siege


@pytest.fixture
def siege(besieged: Siege, request: pytest.FixtureRequest) -> Iterator[Siege]:
    """The broker, measured from here until the test is over, and then held to its promises.

    ``pytest --log-cli-level INFO`` shows what was measured.
    """
    besieged.begin()
    yield besieged
    log.info("%s: %s", request.node.name, besieged.end())


@pytest.fixture
def company(siege: Siege) -> Iterator[Company]:
    """People of its own for a test."""
    with Company(siege.broker.address) as company:
        yield company
