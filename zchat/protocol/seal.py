"""The seal of a publication: AES-256-GCM under a topic's key, with the publication's number as nonce.

``frame = topic(4) ‖ key number(4) ‖ n(8) ‖ box``, integers big-endian. The 16 bytes
before the box are its associated data. A number is used once under a key (NIST SP
800-38D, 8.2.1: a deterministic nonce), which `zchat.core.topics` sees to.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from zchat.errors import ProtocolError

__all__ = [
    "HEADER_BYTES",
    "KEY_BYTES",
    "MAX_FRAME_BYTES",
    "Header",
    "Key",
    "header",
    "topic_prefix",
]

KEY_BYTES: Final = 32
HEADER_BYTES: Final = 16
MAX_FRAME_BYTES: Final = 65_536
"""No publication is longer; a larger turn is split."""

_HEADER = struct.Struct(">IIQ")
_NONCE = struct.Struct(">IQ")


class Header(NamedTuple):
    """What a publication says in clear."""

    topic: int
    """The topic's number."""
    key_number: int
    """Which of the topic's keys seals it."""
    n: int
    """Which publication on this topic it is."""


class Key:
    """One key of one topic. It seals and opens; it keeps no count."""

    __slots__ = ("_cipher", "number", "secret", "topic")

    def __init__(self, topic: int, number: int, secret: bytes) -> None:
        self.topic = topic
        self.number = number
        self.secret = secret
        self._cipher = AESGCM(secret)

    def seal(self, n: int, body: bytes) -> bytes:
        """The frame of publication ``n`` with this body. Never use an ``n`` twice."""
        head = _HEADER.pack(self.topic, self.number, n)
        return head + self._cipher.encrypt(_NONCE.pack(0, n), body, head)

    def open(self, frame: bytes) -> bytes:
        """The body of a frame sealed under this key.

        Raises `ProtocolError` if it was sealed under another, or altered.
        """
        try:
            return self._cipher.decrypt(
                _NONCE.pack(0, header(frame).n), frame[HEADER_BYTES:], frame[:HEADER_BYTES]
            )
        except InvalidTag:
            raise ProtocolError("a publication does not open under its topic's key") from None


def header(frame: bytes) -> Header:
    """The clear part of a publication's frame. Raises `ProtocolError` if it is too short."""
    if len(frame) < HEADER_BYTES:
        raise ProtocolError(f"a publication of {len(frame)} bytes has no header")
    return Header(*_HEADER.unpack_from(frame))


def topic_prefix(topic: int) -> bytes:
    """What a SUB socket subscribes to for this topic."""
    return topic.to_bytes(4, "big")
