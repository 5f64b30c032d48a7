"""Two ways for a disk to be full under a running broker, and to have room again.

`SmallDisk` is a real one (Linux, root only); `Quota` is the operating system's limit on the
size of a file, and needs no rights. Neither touches what the broker has written.
"""

from __future__ import annotations

import errno
import subprocess
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Final

if sys.platform == "linux":
    import resource

from zchat.testing.process import BrokerProcess

__all__ = ["Quota", "SmallDisk", "Storage"]

SIZE: Final = "4m"


class Storage(ABC):
    """Where a broker keeps its journal."""

    def __init__(self, folder: Path) -> None:
        """Raises `OSError` where the system does not allow it."""
        self.folder = folder

    @abstractmethod
    def fill(self, broker: BrokerProcess) -> None:
        """From now on the broker can write no more than it has."""

    @abstractmethod
    def make_room(self, broker: BrokerProcess) -> None:
        """It can again."""

    @abstractmethod
    def close(self) -> None:
        """Give back what was taken."""


class SmallDisk(Storage):
    """A file system of 4 MB in memory; a file fills what is left."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "zchat-test", str(folder)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise OSError(done.stderr.strip())

    def fill(self, broker: BrokerProcess) -> None:  # noqa: ARG002  # it is full for everybody
        with self._ballast.open("wb", buffering=0) as ballast:
            try:
                while ballast.write(bytes(4_096)):
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def make_room(self, broker: BrokerProcess) -> None:  # noqa: ARG002  # for everybody
        self._ballast.unlink()

    def close(self) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], check=True)

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"


class Quota(Storage):
    """No file of the broker's may grow over what its largest has now (``RLIMIT_FSIZE``)."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        if sys.platform != "linux":
            raise OSError("only Linux limits a running process")

    def fill(self, broker: BrokerProcess) -> None:
        sizes = [file.stat().st_size for file in self.folder.rglob("*") if file.is_file()]
        self._limit(broker, max(sizes))

    def make_room(self, broker: BrokerProcess) -> None:
        self._limit(broker, resource.RLIM_INFINITY)

    def close(self) -> None:
        pass  # the limit ends with the process

    @staticmethod
    def _limit(broker: BrokerProcess, size: int) -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.prlimit(broker.pid, resource.RLIMIT_FSIZE, (size, hard))
