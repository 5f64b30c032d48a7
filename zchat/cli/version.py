"""What this zchat is: its version, and of what it is made."""

from __future__ import annotations

from typing import Final

from zchat import __version__

__all__ = ["AGENT", "versions"]

AGENT: Final = f"zchat/{__version__}"
"""How this program names itself to its peers."""


def versions() -> str:
    """The versions of zchat, of the protocol and of libzmq, a line each."""
    import zmq

    from zchat.protocol.requests import PROTOCOL

    return f"zchat {__version__}\nprotocol {PROTOCOL}\nlibzmq {zmq.zmq_version()}"
