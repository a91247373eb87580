"""Several boots in one text: the last counts. The boot of a capture kernel is none of its own.

kdump's capture kernel prints a boot like any other; the crash dump's address on its command line
(``elfcorehdr=``) tells it. What the crashed kernel said stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
BOOT = "Linux version "
"""How the first line of every kernel since 2.0 begins."""


@dataclass(slots=True)
class Boots(Generic[T]):
    """``now`` is what is known of the boot that is being read; ``fresh`` makes it anew."""

    fresh: Callable[[], T]
    now: T = field(init=False)
    _before: T | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.now = self.fresh()

    def feed(self, message: str) -> None:
        """Take a message; a new boot forgets what the one before it said."""
        if message.startswith(BOOT):
            self._before, self.now = self.now, self.fresh()
        elif self._before is not None and "ommand line:" in message[:24]:
            if "elfcorehdr=" in message:
                self.now = self._before
            self._before = None
