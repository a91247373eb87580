"""The part of a GuestShell that most tests have no use for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from harness.guest.shell import Completed


class NoFiles:
    """A guest whose output is never saved to a file."""

    def save(
        self,
        argv: tuple[str, ...],
        to: Path,
        *,
        privileged: bool = False,
        within: timedelta = timedelta(minutes=2),
    ) -> Completed:
        raise AssertionError(f"{argv} was to be saved in {to} ({privileged}, {within})")
