"""Every setting of a broker, its default and the reason for it. Reads no file and no flag by itself.

Settings come from flags, then the environment (``ZCHAT_…``), then a TOML file, then the defaults
here; `load` merges them in that order.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from zchat.errors import UsageError

__all__ = ["Settings", "load"]

MOST: Final = 2**31 - 1
"""What libzmq's options and the system's timers hold; in ms it is 24 days."""

Count = Annotated[int, msgspec.Meta(ge=1, le=MOST)]
Millis = Annotated[int, msgspec.Meta(ge=0, le=MOST)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be set. Times are in ms, sizes in bytes."""

    # Where
    bind: str = "tcp://127.0.0.1:5555"
    """Where requests are answered. Loopback: a broker that nobody set up is reached by nobody else."""
    publish: str = "tcp://127.0.0.1:5556"
    """Where publications go out."""
    insecure: bool = False
    """Allow addresses beyond loopback without encryption: everybody on the way can read and forge."""
    lobby: str = "lobby"
    """The room that is always there."""

    # Presence
    grace_ms: Millis = 30_000
    """How long a session without connection lives: a laptop that changes its network needs about 10 s."""
    heartbeat_ms: Annotated[int, msgspec.Meta(ge=100, le=MOST)] = 10_000
    """How often clients are asked to ping: how long the last message of a room can stay unseen
    when its publication was dropped. Below 100 a busy machine looks like a dead broker."""
    retry_ms: Annotated[int, msgspec.Meta(ge=100, le=MOST)] = 1_000
    """When a draining broker tells its clients to come back: a restart takes about as long. Also how
    often a full disk is tried again: below 100 the broker would do little else."""

    # How much
    max_text: Annotated[int, msgspec.Meta(ge=1, le=32_768)] = 4_096
    """The longest text, in bytes of UTF-8: a screenful. A publication of one event must fit 64 KiB."""
    rooms_per_user: Annotated[int, msgspec.Meta(ge=1, le=400)] = 100
    """Rooms one user is in, at most 400: a heartbeat, and the event of leaving, name each of them."""
    max_rooms: Count = 100_000
    """Rooms of the broker, spoken in or occupied: about 1 KB each."""
    sessions_per_address: Count = 1_000
    """Living sessions last heard from one address: an office behind one router."""
    rate: Count = 200
    """Requests a session may make each second, by cost; more wait. People type 1, scripts pipe 100."""
    burst: Count = 1_000
    """Requests a session may make at once after it was quiet: ``zchat send`` of a build's output."""
    max_waiting: Count = 512
    """Requests of one connection that wait for its rate or for a commit; more are refused."""
    max_waiting_bytes: Count = 393_216
    """The same in bytes of the frames they came in: more than 64 of the longest texts."""
    page: Count = 200
    """Events of a history page, and names of a list: about 60 KB of short messages."""
    max_turn: Count = 1_000
    """Frames taken from the socket in one turn: it bounds how long the others wait."""
    max_turn_bytes: Count = 262_144
    """The same in bytes: 1,000 frames of 64 KiB would be 64 MB, and a million requests to decode."""
    publisher_hwm: Count = 1_000
    """Publications that wait for one reader; past it they are dropped, and the reader fetches what
    it missed. At 64 KiB each this is the budget of one stalled reader, 64 MB; the bytes are shared
    by all who stall on the same rooms."""
    snapshot_events: Count = 50_000
    """Events after which the record is saved anew: a start folds at most about twice as many."""
    rekey_ms: Millis = 1_000
    """Keys of a room are replaced at most this often for those who leave by themselves: each costs
    one publication a member."""


def load(
    flags: Mapping[str, object], environ: Mapping[str, str], path: Path | None = None
) -> Settings:
    """The settings: flags before environment before file before defaults.

    A flag of None is one that was not given. Raises `UsageError` with the name of the
    setting that is wrong, and where it came from.
    """
    merged: dict[str, Any] = {}
    whence: dict[str, str] = {}
    if path is not None:
        merged |= _read(path)
        whence |= {name: f"{name} in {path}" for name in merged}
    for name in Settings.__struct_fields__:
        variable = f"ZCHAT_{name.upper()}"
        if variable in environ:
            merged[name], whence[name] = environ[variable], variable
    merged |= {name: value for name, value in flags.items() if value is not None}
    try:
        return msgspec.convert(merged, Settings, strict=False)
    except msgspec.ValidationError as error:
        # As in: Expected `int` >= 1 - at `$.max_text`
        expected, _, field = str(error).replace("`", "").partition(" - at $.")
        name = field.partition("[")[0]
        raise UsageError(
            f"{whence.get(name, name)} cannot be {merged.get(name)!r}: "
            f"{expected[:1].lower()}{expected[1:].partition(', got')[0]}"
        ) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        read = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the settings in {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from None
    for name in read:
        if name not in Settings.__struct_fields__:
            near = difflib.get_close_matches(name, Settings.__struct_fields__, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"{path} sets {name!r}, and there is no such setting{hint}")
    return read
