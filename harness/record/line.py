"""How a run reaches hosts and guests: live and recorded, or from a recording."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from harness.guest.ssh import connect
from harness.inventory.credentials import resolve
from harness.record.recorder import OpenSession, RecordedSession, Recorder, Story, recorded_log_in
from harness.record.spent import spent, steps

if TYPE_CHECKING:
    from harness.errors import HarnessError
    from harness.inventory.model import Host
    from harness.record.recorder import LogIn
    from harness.report.step import Spent, Step


class Line(Protocol):
    """What a run needs of the way to its hosts and guests; one per process."""

    @property
    def log_in(self) -> LogIn:
        """Return the way to log in to guests."""

    def session(self, host: Host) -> OpenSession:
        """Return a session to the host; it connects at its first call."""

    def story(self) -> list[str]:
        """Return an empty story for a case."""

    def case(self, path: Path, worker: str, title: str) -> AbstractContextManager[None]:
        """Have everything inside the block belong to the case of this recording."""

    def admit(self, host: str, refused: HarnessError | None) -> None:
        """Let the case on to its host, or raise why it has no turn there."""

    def steps(self) -> tuple[Step, ...]:
        """Return what was done so far in the case."""

    def spent(self) -> Spent:
        """Return where the time of the case went so far."""


class Live:
    """Real sessions; everything goes to the case's recording, no secret does."""

    def __init__(self) -> None:
        self._recorder = Recorder()
        self.log_in = recorded_log_in(connect, self._recorder)
        self.case, self.admit = self._recorder.case, self._recorder.admit

    def session(self, host: Host) -> RecordedSession:
        """Return a session with its credentials resolved."""
        from harness.host.psrp import PsrpSession  # 20 MB: an idle worker has no use for it

        password = resolve(host.password) if host.password else None
        if password is not None:
            self._recorder.keep_out((password,))
        return RecordedSession(PsrpSession(host, password), self._recorder)

    def story(self) -> Story:
        """Return an empty story whose sentences are recorded."""
        return Story(self._recorder)

    def steps(self) -> tuple[Step, ...]:
        """Return what was done so far in the case."""
        return steps(self._recorder.entries)

    def spent(self) -> Spent:
        """Return where the time of the case went so far."""
        return spent(self._recorder.entries)
