"""A shell that tells somebody of every command: for the run's log and for recordings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from harness.deadline import SYSTEM, Clock
from harness.errors import HarnessError
from harness.guest.shell import Completed, GuestShell

WITHIN = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One command: what was asked, what came of it, when it began and how long it took."""

    guest: str
    argv: tuple[str, ...]
    outcome: Completed | HarnessError
    started: datetime
    seconds: float


class Observed:
    """Satisfies GuestShell by handing everything to another one."""

    def __init__(
        self, shell: GuestShell, sink: Callable[[Exchange], None], *, clock: Clock = SYSTEM
    ) -> None:
        self._shell, self._sink, self._clock = shell, sink, clock

    @property
    def name(self) -> str:
        """The guest's name in the inventory."""
        return self._shell.name

    def run(
        self,
        argv: tuple[str, ...],
        *,
        privileged: bool = False,
        stdin: bytes = b"",
        within: timedelta = WITHIN,
    ) -> Completed:
        """Run the command and tell the sink, also of an error."""
        started, begun = datetime.now(UTC), self._clock.monotonic()
        outcome: Completed | HarnessError | None = None
        try:
            outcome = self._shell.run(argv, privileged=privileged, stdin=stdin, within=within)
        except HarnessError as error:
            outcome = error
            raise
        finally:
            if outcome is not None:
                seconds = self._clock.monotonic() - begun
                self._sink(Exchange(self.name, argv, outcome, started, seconds))
        return outcome
