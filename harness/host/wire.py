"""The seam between the logic of a session and the library that speaks WS-Man and PSRP."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Protocol

from harness.errors import ErrorRecordFacts
from harness.host.command import Call
from harness.host.session import HostValue


class Kind(Enum):
    """What broke. The first six were told before or instead of running the call."""

    UNREACHABLE = "unreachable"  # refused, no such name, no route, connect timeout
    TLS = "tls"
    NOT_WINRM = "not WinRM"  # something answers there, but no WS-Man service
    LOGIN = "login"  # 401
    FORBIDDEN = "forbidden"  # the user is known, but may not use remoting
    QUOTA = "quota"
    STALE = "stale"  # the host no longer knows this connection's encryption (400)
    SHELL_GONE = "shell gone"
    FAULT = "fault"  # the host answered with another WS-Man fault
    LOST = "lost"  # the connection broke while an answer was awaited
    SILENT = "silent"  # connected, but no answer in time


class Stage(Enum):
    """How far a call had come."""

    OPENING = "opening the session"
    SENDING = "sending the call"
    RUNNING = "the call was running"


@dataclass(frozen=True, slots=True)
class Raw:
    """All that one call brought back. ``said``: warnings and verbose texts, as (stream, text)."""

    objects: tuple[HostValue, ...]
    errors: tuple[ErrorRecordFacts, ...] = ()
    said: tuple[tuple[str, str], ...] = ()
    failed: bool = field(default=False)


class WireTrouble(Exception):
    """The library could not do it; ``text`` is for people and holds no secret."""

    def __init__(self, kind: Kind, stage: Stage, text: str) -> None:
        self.kind, self.stage, self.text = kind, stage, text
        super().__init__(f"{stage.value}: {kind.value}: {text}")

    @property
    def surely_not_run(self) -> bool:
        """Return whether the host cannot have run the call."""
        unanswered = self.kind in (Kind.LOST, Kind.SILENT)
        return self.stage is Stage.OPENING or (self.stage is Stage.SENDING and not unanswered)


class OutOfTime(Exception):
    """The limit of the call is reached; ``stopped``: the host confirmed that it was stopped."""

    def __init__(self, *, sent: bool, stopped: bool) -> None:
        self.sent, self.stopped = sent, stopped
        super().__init__("out of time")


class Wire(Protocol):
    """One connection with one runspace pool. After any trouble only reset and close make sense."""

    def run(self, call: Call, within: timedelta) -> Raw:
        """Run one call, opening the pool first when there is none.

        Raises WireTrouble, OutOfTime.
        """

    def forget_connection(self) -> None:
        """Drop connection and encryption; the pool on the host stays."""

    def forget_pool(self) -> None:
        """Close the pool on the host as well as can be within seconds; the next run opens one."""

    def close(self) -> None:
        """Close the pool and the connection; never raises for a host that is gone."""
