"""When this run's processes may start VMs on a host: at any time, except while one fills it.

A case that fills the host's memory would make every other start of the same run fail, on another
worker, in another case. Starts take the gate shared, the one who fills takes it alone; a worker
that dies lets go of it.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StartGate:
    """One per host and process; all of a run's meet at the same file, in the run's folder."""

    def __init__(self, file: Path) -> None:
        self.file, self._mine = file, 0

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Start a VM inside the block; waits while another process fills the host."""
        if self._mine:
            yield
            return
        with self.file.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Let nobody else of this run start a VM inside the block; whoever holds it still may."""
        if self._mine:
            self._mine += 1
            try:
                yield
            finally:
                self._mine -= 1
            return
        with self.file.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._mine = 1
            try:
                yield
            finally:
                self._mine = 0
