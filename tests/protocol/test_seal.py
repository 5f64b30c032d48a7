"""A publication opens under its own key, whole, and under nothing else."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from zchat.errors import ProtocolError
from zchat.protocol.seal import HEADER_BYTES, Header, Key, header, topic_prefix

SECRET = bytes(range(32))
BODY = b"cake?"
KEY = Key(topic=7, number=2, secret=SECRET)


def test_the_frame_is_as_the_protocol_says() -> None:
    """No other language could open it. Written with the cipher alone, from docs/protocol.md, 7."""
    head = bytes.fromhex("00000007000000020000000000000009")
    box = AESGCM(SECRET).encrypt(bytes(4) + head[8:], BODY, head)
    assert KEY.seal(9, BODY) == head + box


def test_the_header_is_in_clear() -> None:
    frame = KEY.seal(2**64 - 1, BODY)
    assert header(frame) == Header(topic=7, key_number=2, n=2**64 - 1)
    assert frame.startswith(topic_prefix(7))


@given(body=st.binary(max_size=300), n=st.integers(0, 2**64 - 1))
def test_what_was_sealed_opens(body: bytes, n: int) -> None:
    assert KEY.open(KEY.seal(n, body)) == body


def test_every_altered_bit_is_seen() -> None:
    """Somebody on the way could move a message to another topic, number or text."""
    frame = KEY.seal(9, BODY)
    for bit in range(len(frame) * 8):
        altered = bytearray(frame)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ProtocolError):
            KEY.open(bytes(altered))


def test_every_cut_is_seen() -> None:
    frame = KEY.seal(9, BODY)
    for length in range(len(frame)):
        with pytest.raises(ProtocolError):
            KEY.open(frame[:length])


@pytest.mark.parametrize("length", range(HEADER_BYTES))
def test_a_frame_without_a_header(length: int) -> None:
    with pytest.raises(ProtocolError, match=f"of {length} bytes"):
        header(bytes(length))


def test_another_key_does_not_open() -> None:
    """Whoever was kicked would go on reading."""
    with pytest.raises(ProtocolError):
        Key(topic=7, number=2, secret=bytes(32)).open(KEY.seal(9, BODY))


def test_topics_are_no_prefixes_of_each_other() -> None:
    """A member of one room would draw another's traffic."""
    topics = [topic_prefix(n) for n in (0, 1, 255, 256, 65_536, 2**32 - 1)]
    assert {len(topic) for topic in topics} == {4}
    assert len(set(topics)) == len(topics)
