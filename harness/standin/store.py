"""The edge that makes, reads and merges virtual disk files; ``disks.py`` satisfies it.

Paths are paths of this machine, sizes are bytes; MachineError says what went wrong.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from harness.standin.payload import Payload


class DiskFacts(Protocol):
    """What a disk file is; ``kind`` is Fixed, Dynamic or Differencing."""

    @property
    def kind(self) -> str:
        """Return the disk's VhdType."""

    @property
    def virtual_size(self) -> int:
        """Return the size in bytes that a guest sees."""

    @property
    def file_size(self) -> int:
        """Return the size in bytes of the file."""

    @property
    def parent(self) -> Path | None:
        """Return the next file of the chain, None for a disk of its own."""

    @property
    def payload(self) -> Payload | None:
        """Return where a real fixed disk's content lies, None for a file of any other kind."""


class DiskStore(Protocol):
    """Makes disk files. No call may be used on a file that a machine is writing, except info."""

    def create(
        self, path: Path, size: int = 0, kind: str = "Dynamic", parent: Path | None = None
    ) -> DiskFacts:
        """Make a new disk; a Differencing one takes its parent's size."""

    def info(self, path: Path) -> DiskFacts:
        """Read a disk's header."""

    def convert(self, source: Path, target: Path, kind: str = "Dynamic") -> DiskFacts:
        """Copy a disk with the content of all its parents into one new file."""

    def commit(self, child: Path) -> Path:
        """Merge a differencing disk into its parent; return the parent. The child file stays."""

    def reparent(self, child: Path, parent: Path) -> None:
        """Point a differencing disk at a parent of the same content."""

    def resize(self, path: Path, size: int) -> DiskFacts:
        """Grow or shrink a disk that no machine uses; a real fixed VHDX also grows in use."""

    def check(self, path: Path) -> None:
        """Raise MachineError when the file is no consistent disk."""
