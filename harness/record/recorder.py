"""Writes what is asked of hosts and guests to the case's recording, as it happens."""

from __future__ import annotations

import hashlib
import shlex
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, TypeVar

from harness.chance import CHANCE
from harness.deadline import SYSTEM
from harness.errors import HarnessError, ResultsError
from harness.host.command import Call, repeatable
from harness.host.render import render_call, secrets_in
from harness.host.session import Answer, HostSession
from harness.record.codec import cleaner
from harness.record.entry import TURN, Entry, Kind, to_line
from harness.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.guest.boot import ClosableShell
    from harness.guest.shell import Completed
    from harness.inventory.model import Guest

T = TypeVar("T")
HOST_WITHIN, GUEST_WITHIN = timedelta(seconds=60), timedelta(minutes=2)


class LogIn(Protocol):
    """Open a session to a guest at the first of these addresses that answers."""

    def __call__(
        self, guest: Guest, addresses: tuple[str, ...], port: int, within: timedelta, /
    ) -> ClosableShell:
        """Raise GuestError or DeadlineExceeded when none answers within the limit."""


class OpenSession(HostSession, Protocol):
    """A host session that owns its connection."""

    def close(self) -> None:
        """End the session."""


class Recorder:
    """The recording of the case that this process is at; outside of one, nothing is written.

    Threads may share it. No line ever holds a secret that it was told of, or that a call carried.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._path: Path | None = None
        self._file: IO[str] | None = None
        self._began = 0.0
        self._secrets: set[Secret] = set()
        self.entries: list[Entry] = []
        """What was recorded of the last case, without the answers."""
        self._clean = cleaner(())

    def keep_out(self, secrets: Iterable[Secret]) -> None:
        """Learn what may never be written."""
        new = set(secrets) - self._secrets
        if new:
            self._secrets |= new
            self._clean = cleaner(self._secrets)

    @contextmanager
    def case(self, path: Path, worker: str, title: str) -> Iterator[None]:
        """Record to this file inside the block; a file that is there starts anew."""
        self._path, self._began, self.entries = path, SYSTEM.monotonic(), []
        began = datetime.now(UTC).isoformat(timespec="milliseconds")
        with suppress(ResultsError):  # what cannot be written is said by the case's first call
            self._write(Entry(Kind.BEGIN, worker, title, answer=began))
        SYSTEM.listener, CHANCE.listener = self._slept, self._drawn
        try:
            yield
        finally:
            SYSTEM.listener = CHANCE.listener = None
            with suppress(ResultsError):
                self._write(Entry(Kind.END, worker, title, self._now()))
            self._close()

    def told(self, ask: Entry, job: Callable[[], T]) -> T:
        """Do the job and record its answer, or the error that it raised."""
        at = self._now()
        ask = replace(ask, at=at)
        try:
            answer = job()
        except HarnessError as wrong:
            self._write(replace(ask, seconds=self._now() - at, wrong=wrong))
            raise
        self._write(replace(ask, seconds=self._now() - at, answer=answer))
        return answer

    def admit(self, host: str, refused: HarnessError | None) -> None:
        """Record and raise why a case has no turn on its host, where it has none."""
        if refused is not None:
            self._write(Entry(Kind.TURN, host, TURN, self._now(), wrong=refused))
            raise refused

    def note(self, line: str) -> None:
        """Record a sentence of the case itself."""
        self._write(Entry(Kind.NOTE, "", line, self._now()))

    def _now(self) -> float:
        return SYSTEM.monotonic() - self._began

    def _slept(self, started: float, seconds: float) -> None:
        self._write(Entry(Kind.WAIT, "", "", started - self._began, seconds))

    def _drawn(self, what: str, drawn: str) -> None:
        self._write(Entry(Kind.DRAWN, "", what, self._now(), answer=drawn))

    def _write(self, entry: Entry) -> None:
        if self._path is None:
            return
        self.entries.append(replace(entry, asked=self._clean(entry.asked), answer=None))
        try:
            with self._lock:
                if self._file is None:
                    self._path.parent.mkdir(parents=True, exist_ok=True)
                    self._file = self._path.open("w", encoding="utf-8", errors="surrogateescape")
                self._file.write(to_line(entry, self._clean))
        except OSError as broken:
            what = f"{self._path}: cannot record ({broken.strerror or broken})"
            raise ResultsError(f"{what}; free some space, then run again") from broken

    def _close(self) -> None:
        file, self._file, self._path = self._file, None, None
        if file is not None:
            with suppress(OSError):
                file.close()


class Story(list[str]):
    """What a case tells of itself; each sentence is recorded with its time."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder

    def append(self, line: str, /) -> None:
        """Add a sentence."""
        super().append(line)
        self._recorder.note(line)


class RecordedSession:
    """A HostSession that records every call; ``real`` does the work."""

    def __init__(self, real: OpenSession, recorder: Recorder) -> None:
        self._real, self._recorder = real, recorder

    @property
    def name(self) -> str:
        """The host's name in the inventory."""
        return self._real.name

    def run(self, call: Call, *, within: timedelta = HOST_WITHIN) -> Answer:
        """Run the call; see HostSession.run."""
        self._recorder.keep_out(secrets_in(call))
        ask = Entry(Kind.HOST, self.name, render_call(call), changes=not repeatable(call))
        return self._recorder.told(ask, lambda: self._real.run(call, within=within))

    def close(self) -> None:
        """End the session."""
        self._real.close()


class RecordedShell:
    """A guest shell that records every command; ``real`` does the work."""

    def __init__(self, real: ClosableShell, recorder: Recorder) -> None:
        self._real, self._recorder = real, recorder

    @property
    def name(self) -> str:
        """The guest's name in the inventory."""
        return self._real.name

    def run(
        self,
        argv: tuple[str, ...],
        *,
        privileged: bool = False,
        stdin: bytes = b"",
        within: timedelta = GUEST_WITHIN,
    ) -> Completed:
        """Run the command; see GuestShell.run."""
        ask = Entry(Kind.GUEST, self.name, command_line(argv, stdin, privileged=privileged))
        return self._recorder.told(
            ask, lambda: self._real.run(argv, privileged=privileged, stdin=stdin, within=within)
        )

    def save(
        self,
        argv: tuple[str, ...],
        to: Path,
        *,
        privileged: bool = False,
        within: timedelta = GUEST_WITHIN,
    ) -> Completed:
        """Run the command; see GuestShell.save. Size and hash are recorded, the bytes are not."""
        ask = Entry(Kind.GUEST, self.name, saving_line(argv, to, privileged=privileged))
        return self._recorder.told(
            ask, lambda: self._real.save(argv, to, privileged=privileged, within=within)
        )

    def close(self) -> None:
        """End the session."""
        self._real.close()


def recorded_log_in(real: LogIn, recorder: Recorder) -> LogIn:
    """Return the same way to log in, recorded, as are the shells that it opens."""

    def log_in(
        guest: Guest, addresses: tuple[str, ...], port: int, within: timedelta
    ) -> ClosableShell:
        opened: list[ClosableShell] = []

        def job() -> None:
            opened.append(real(guest, addresses, port, within))

        recorder.told(Entry(Kind.LOGIN, guest.name, login_line(addresses, port)), job)
        return RecordedShell(opened[0], recorder)

    return log_in


def command_line(argv: tuple[str, ...], stdin: bytes, *, privileged: bool) -> str:
    """Return a guest command as a person would type it; what it reads is named by its hash."""
    fed = f" < {len(stdin)} bytes, SHA-256 {hashlib.sha256(stdin).hexdigest()}" if stdin else ""
    return f"{'sudo ' if privileged else ''}{shlex.join(argv)}{fed}"


def saving_line(argv: tuple[str, ...], to: Path, *, privileged: bool) -> str:
    """Return a guest command whose output goes to a file of ours, as a person would type it."""
    return f"{command_line(argv, b'', privileged=privileged)} > {to.name}"


def login_line(addresses: tuple[str, ...], port: int) -> str:
    """Return a login as a person would say it."""
    return f"ssh to {', '.join(addresses)} port {port}"
