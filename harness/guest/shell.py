"""What the harness needs of a guest: run a command, get status and both streams apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Completed:
    """A command that ended; ``stdout`` and ``stderr`` are text, undecodable bytes replaced."""

    argv: tuple[str, ...]
    exit_status: int
    stdout: str
    stderr: str


class GuestShell(Protocol):
    """A session to one guest; belongs to one thread at a time."""

    @property
    def name(self) -> str:
        """The guest's name in the inventory."""

    def run(
        self,
        argv: tuple[str, ...],
        *,
        privileged: bool = False,
        stdin: bytes = b"",
        within: timedelta = ...,
    ) -> Completed:
        """Run one command to its end, through ``become`` when privileged.

        Any exit status is an answer. Raises GuestUnreachable, GuestKeyRefused, GuestLoginRefused,
        DeadlineExceeded (the command's channel was closed).
        """

    def save(
        self, argv: tuple[str, ...], to: Path, *, privileged: bool = False, within: timedelta = ...
    ) -> Completed:
        """Run one command and write its stdout, byte by byte, to a file of the harness.

        The answer's ``stdout`` is ``saved(size, hash)``. Raises as ``run`` does, and ResultsError
        when the file cannot be written.
        """


def saved(size: int, sha256: str) -> str:
    """Return how a command whose output went to a file is answered."""
    return f"{size} bytes, SHA-256 {sha256}\n"
