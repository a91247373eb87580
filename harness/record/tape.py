"""Plays a recording: hosts and guests that answer as they did, and time that goes as it went."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from harness.chance import CHANCE
from harness.deadline import SYSTEM
from harness.errors import ReplayError
from harness.guest.shell import Completed
from harness.host.command import Call
from harness.host.render import render_call
from harness.host.session import Answer
from harness.record.entry import TURN, Entry, Kind, read
from harness.record.recorder import GUEST_WITHIN, HOST_WITHIN, command_line, login_line, saving_line
from harness.record.spent import spent, steps

if TYPE_CHECKING:
    from harness.errors import HarnessError
    from harness.guest.boot import ClosableShell
    from harness.inventory.model import Guest, Host
    from harness.report.step import Spent, Step

T = TypeVar("T")


class Tape:
    """The answers of one case, by question, in the order in which they came; a Clock, too.

    Questions of several threads may mix differently than they did, so each question has a queue of
    its own. ``monotonic`` is the time at which the last answer came, plus what was slept since.
    """

    def __init__(self, name: str, entries: tuple[Entry, ...]) -> None:
        self.name, self._now = name, 0.0
        self._left: dict[tuple[Kind, str, str], deque[Entry]] = defaultdict(deque)
        for entry in entries:
            self._left[entry.kind, entry.who, entry.asked].append(entry)

    def take(self, kind: Kind, who: str, asked: str) -> object:
        """Return the next answer to a question, or raise what it raised.

        Raises ReplayError where the recording has no (further) answer: the case, or a rule that
        decides what it asks, is another one now.
        """
        left = self._left[kind, who, asked]
        if not left:
            raise ReplayError(self.name, f"no further answer of {who or 'chance'} to {asked}")
        entry = left.popleft()
        self._now = max(self._now, entry.end)
        if entry.wrong is not None:
            raise entry.wrong
        return entry.answer

    def monotonic(self) -> float:
        """Return the time of the recording."""
        return self._now

    def sleep(self, seconds: float, /) -> None:
        """Let that much of the recording's time go by."""
        self._now += seconds


class Player:
    """What stands in for hosts and guests in a replay: all of one process ask this one."""

    def __init__(self) -> None:
        self._tape = Tape("none", ())
        self._entries: tuple[Entry, ...] = ()

    @contextmanager
    def case(self, path: Path, _worker: str, _title: str) -> Iterator[None]:
        """Answer from this recording inside the block."""
        self._entries = tuple(read(path))
        former, self._tape = self._tape, Tape(path.stem, self._entries)
        behind, SYSTEM.behind = SYSTEM.behind, self._tape
        CHANCE.source = lambda what: str(self._tape.take(Kind.DRAWN, "", what))
        try:
            yield
        finally:
            SYSTEM.behind, CHANCE.source, self._tape = behind, None, former

    def session(self, host: Host) -> PlayedSession:
        """Return a session to the host as it was."""
        return PlayedSession(host.name, self)

    def story(self) -> list[str]:
        """Return an empty story."""
        return []

    def admit(self, host: str, _refused: HarnessError | None) -> None:
        """Raise why the case had no turn on its host when it was recorded."""
        if any(entry.kind is Kind.TURN for entry in self._entries):
            self._tape.take(Kind.TURN, host, TURN)

    def steps(self) -> tuple[Step, ...]:
        """Return what was done in the case when it was recorded."""
        return steps(self._entries)

    def spent(self) -> Spent:
        """Return where the time of the case went when it was recorded."""
        return spent(self._entries)

    def host(self, name: str, call: Call) -> Answer:
        """Answer a host call."""
        answer = self._tape.take(Kind.HOST, name, render_call(call))
        return self._checked(answer, Answer)

    def guest(self, name: str, line: str) -> Completed:
        """Answer a guest command."""
        return self._checked(self._tape.take(Kind.GUEST, name, line), Completed)

    def log_in(
        self, guest: Guest, addresses: tuple[str, ...], port: int, _within: timedelta
    ) -> ClosableShell:
        """Answer a login."""
        self._tape.take(Kind.LOGIN, guest.name, login_line(addresses, port))
        return PlayedShell(guest.name, self)

    def _checked(self, answer: object, kind: type[T]) -> T:
        if not isinstance(answer, kind):
            raise ReplayError(self._tape.name, f"{kind.__name__} was expected, {answer!r} is there")
        return answer


class PlayedSession:
    """A HostSession that answers from the recording."""

    def __init__(self, name: str, player: Player) -> None:
        self._name, self._player = name, player

    @property
    def name(self) -> str:
        """The host's name in the inventory."""
        return self._name

    def run(self, call: Call, *, within: timedelta = HOST_WITHIN) -> Answer:  # noqa: ARG002  # as HostSession has it
        """Answer as the host did."""
        return self._player.host(self._name, call)

    def close(self) -> None:
        """Do nothing: there is no connection."""


class PlayedShell:
    """A guest shell that answers from the recording."""

    def __init__(self, name: str, player: Player) -> None:
        self._name, self._player = name, player

    @property
    def name(self) -> str:
        """The guest's name in the inventory."""
        return self._name

    def run(
        self,
        argv: tuple[str, ...],
        *,
        privileged: bool = False,
        stdin: bytes = b"",
        within: timedelta = GUEST_WITHIN,  # noqa: ARG002  # as GuestShell has it
    ) -> Completed:
        """Answer as the guest did."""
        return self._player.guest(self._name, command_line(argv, stdin, privileged=privileged))

    def save(
        self,
        argv: tuple[str, ...],
        to: Path,
        *,
        privileged: bool = False,
        within: timedelta = GUEST_WITHIN,  # noqa: ARG002  # as GuestShell has it
    ) -> Completed:
        """Answer as the guest did; no file is written."""
        return self._player.guest(self._name, saving_line(argv, to, privileged=privileged))

    def close(self) -> None:
        """Do nothing: there is no connection."""
