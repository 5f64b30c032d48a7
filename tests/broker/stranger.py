"""A peer that speaks ZMTP 3.0 with its own hands, for what libzmq's client would not send.

As a program, ``python stranger.py PORT KIND BYTES_PER_PART SECONDS``, it pours the parts of
one message that never ends.
"""

import contextlib
import socket
import struct
import sys
import time

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
MORE, LAST, COMMAND = 1, 0, 4


def frame(body: bytes, flags: int = LAST) -> bytes:
    if len(body) > 255:
        return struct.pack(">BQ", flags | 2, len(body)) + body
    return struct.pack(">BB", flags, len(body)) + body


def ready(**properties: bytes) -> bytes:
    body = b"\x05READY"
    for name, value in properties.items():
        key = name.replace("_", "-", name[0] != "_").encode()
        body += bytes([len(key)]) + key + struct.pack(">I", len(value)) + value
    return frame(body, COMMAND)


def meet(port: int, **properties: bytes) -> socket.socket:
    """Connect and shake hands; ``properties`` are what READY claims."""
    stream = socket.create_connection(("127.0.0.1", port), timeout=10)
    try:
        stream.sendall(GREETING + ready(**properties))
        got = b""
        while b"READY" not in got:
            piece = stream.recv(4096)
            if not piece:
                raise ConnectionResetError("closed before the handshake")
            got += piece
    except BaseException:
        stream.close()
        raise
    return stream


def pour(port: int, kind: str, size: int, seconds: float) -> None:
    stream = meet(port, Socket_Type=kind.encode())
    parts = frame(bytes(size), MORE) * max(1, 65_536 // (size + 2))
    end = time.monotonic() + seconds
    with contextlib.suppress(OSError):
        while time.monotonic() < end:
            stream.sendall(parts)


if __name__ == "__main__":
    pour(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
