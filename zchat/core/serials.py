"""Which requests a session has had appended, and where: the memory behind *once, however often sent*."""

from __future__ import annotations

from typing import Final

import msgspec

from zchat.errors import Refused

__all__ = ["WINDOW", "Serials"]

WINDOW: Final = 1024
"""How many serials back a repeat is known (docs/protocol.md, section 6)."""


class Serials(msgspec.Struct, kw_only=True):
    """The last `WINDOW` serials of one session and the positions they got.

    A ring of positions indexed by serial, because serials come nearly dense: 8 bytes a
    serial and nothing for a session that never spoke.
    """

    last: int = 0
    """The largest serial seen."""
    ring: list[int] = []
    """``ring[serial % WINDOW]``: its position, 0 for a serial that was never appended."""

    def find(self, serial: int) -> int:
        """Where this serial stands in the journal, 0 if nowhere.

        Raises `Refused` ``serial-too-old`` if that is forgotten.
        """
        if serial > self.last:
            return 0
        if serial <= self.last - WINDOW:
            raise Refused("serial-too-old", serial=serial, window=WINDOW)
        index = serial % WINDOW
        return self.ring[index] if index < len(self.ring) else 0

    def add(self, serial: int, position: int) -> None:
        """Remember that ``serial`` stands at ``position``. It must be one that `find` gave 0 for."""
        if serial > self.last:
            # What lies between was never appended; what was there before is forgotten.
            for skipped in range(max(self.last + 1, serial - WINDOW + 1), serial):
                self._put(skipped, 0)
            self.last = serial
        self._put(serial, position)

    def _put(self, serial: int, position: int) -> None:
        index = serial % WINDOW
        if index >= len(self.ring):
            self.ring.extend([0] * (index + 1 - len(self.ring)))
        self.ring[index] = position
