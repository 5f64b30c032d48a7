"""What this zchat is: its version, and of what it is made."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

__all__ = ["AGENT", "versions"]

AGENT: Final = f"zchat/{version('zchat-broker')}"
"""How this program names itself to its peers."""


def versions() -> str:
    """Zchat's version, the protocol's and libzmq's, a line each."""
    import zmq

    from zchat.core.handlers.sessions import PROTOCOL

    return f"{AGENT.replace('/', ' ')}\nprotocol {PROTOCOL}\nlibzmq {zmq.zmq_version()}"
