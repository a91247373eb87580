"""What every remote shell is, whichever kind: the seam between the verbs and the shells."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol
from xml.etree import ElementTree as ET

from harness.standin.api import Engine
from harness.standin.channel import Channel
from harness.standin.releases import Release
from harness.standin.wsman import Envelope

CTRL_C, TERMINATE = "ctrl_c", "terminate"


def windows_version(release: Release) -> str:
    """Return e.g. ``10.0.20348``; 2012 R2 still counted as 6.3."""
    return f"{'6.3' if release.build < 10000 else '10.0'}.{release.build}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the shell tells of itself. ``idle_timeout`` in seconds."""

    shell_id: str
    resource: str
    owner: str
    name: str
    input_streams: str
    output_streams: str
    idle_timeout: float
    opened: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(slots=True)
class Host:
    """The simulated host as a shell sees it; ``run`` puts work on a thread of the service."""

    name: str
    release: Release
    engine: Engine
    loop: asyncio.AbstractEventLoop
    executor: Executor
    running: set[Future[None]] = field(default_factory=set)

    def run(self, work: Callable[[], None]) -> None:
        """Run it in a worker thread."""
        future = self.executor.submit(work)
        self.running.add(future)
        future.add_done_callback(self.running.discard)


class Shell(Protocol):
    """One remote shell. Every method is called in the loop's thread and may raise Fault."""

    facts: Facts

    def open(self, element: ET.Element) -> None:
        """Take the rsp:Shell element that created it."""

    def command(self, request: Envelope) -> str:
        """Start a command; return its id."""

    def commands(self) -> tuple[str, ...]:
        """Return the ids of the commands that were not terminated."""

    def channel(self, command_id: str | None) -> Channel:
        """Return the output of a command, or of the shell itself."""

    def send(self, command_id: str | None, data: bytes, *, end: bool) -> None:
        """Take input."""

    async def signal(self, command_id: str | None, code: str, timeout: float) -> None:
        """Stop (``ctrl_c``) or clean up (``terminate``) a command."""

    def connect(self, element: ET.Element) -> bytes:
        """Let another client take the shell over; return what it must know at once."""

    def close(self) -> None:
        """Stop everything."""


def new_id() -> str:
    """Return a fresh id as Windows spells it."""
    return str(uuid.uuid4()).upper()
