"""Where a broker is: the addresses people write, and the endpoint a welcome names. Pure."""

from __future__ import annotations

import re
from typing import Final

from zchat.errors import UsageError

__all__ = ["DEFAULT", "parse", "publications"]

DEFAULT: Final = "tcp://127.0.0.1:5555"
"""Where a broker answers that nobody told otherwise."""

_TCP: Final = re.compile(
    # The letters of a host are those that libzmq takes (4.3.5, ip_resolver and address checks).
    r"tcp://(?P<host>\[[0-9A-Fa-f:.%\w]+\]|[A-Za-z0-9][A-Za-z0-9._-]*):(?P<port>[0-9]{1,5})"
)


def parse(address: str) -> str:
    """The endpoint to connect to. Raises `UsageError` with what an address looks like."""
    if address.startswith("zchat://"):
        raise UsageError(
            f"{address!r} is an invitation, and this zchat cannot read those; "
            "ask for the broker's tcp://host:port"
        )
    match = _TCP.fullmatch(address)
    if match is None or not 0 < int(match["port"]) < 65_536:
        raise UsageError(
            f"{address!r} is not the address of a broker; write tcp://host:port, as in {DEFAULT}"
        )
    return address


def publications(endpoint: str, reached: str) -> str:
    """Where a welcome's ``publish`` is: ``*`` as its host is the host already reached."""
    host = _TCP.fullmatch(reached)
    return endpoint if host is None else endpoint.replace("tcp://*:", f"tcp://{host['host']}:", 1)
