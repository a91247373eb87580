"""What the harness needs of a guest: run a command, get status and both streams apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
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
