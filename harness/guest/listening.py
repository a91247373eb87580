"""Listens to all input devices of a guest at once, each by a dd of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from harness.checks.pointer import EVENT, Event, parse_events
from harness.deadline import wait_for
from harness.evidence import Measured, Probe
from harness.guest.files import run_or_fail
from harness.guest.measure import measure
from harness.guest.shell import GuestShell

LONGEST = timedelta(minutes=10)
OPENED_WITHIN = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Recording:
    """Events of some devices, by the name of their node, as they come in."""

    shell: GuestShell
    name: str
    nodes: tuple[str, ...]

    def heard(self, node: str) -> Measured[tuple[Event, ...]]:
        """Return what a device has reported so far."""
        argv = ("od", "-An", "-v", "-tx1", self._file(node))
        return measure(self.shell, Probe(argv, parse_events, privileged=True))

    def everything(self) -> Mapping[str, Measured[tuple[Event, ...]]]:
        """Return what each device has reported."""
        return {node: self.heard(node) for node in self.nodes}

    def start(self) -> None:
        """Start all; dd makes its output file once its input is open, so that all listen."""
        for node in self.nodes:
            copy = ("dd", f"if=/dev/input/{node}", f"of={self._file(node)}", f"bs={EVENT.size}")
            unit = ("systemd-run", "--quiet", f"--unit={self._unit(node)}")
            limit = ("timeout", f"{LONGEST.total_seconds():.0f}")
            run_or_fail(self.shell, (*unit, *limit, *copy))
        files = [self._file(node) for node in self.nodes]
        there = Probe(("ls", "--", *files), lambda text: len(text.split()), fails_ok=True)
        what = f"{len(files)} recordings of input devices on {self.shell.name}"
        wait_for(
            what,
            lambda: measure(self.shell, there).value == len(files) or None,
            OPENED_WITHIN,
        )

    def stop(self) -> None:
        """End all and remove their files."""
        self.shell.run(("systemctl", "stop", *map(self._unit, self.nodes)), privileged=True)
        self.shell.run(("rm", "-f", "--", *map(self._file, self.nodes)), privileged=True)

    def _unit(self, node: str) -> str:
        return f"hvcert-{self.name}-{node}"

    def _file(self, node: str) -> str:
        return f"/run/hvcert-{self.name}-{node}"


@contextmanager
def listening(shell: GuestShell, name: str, nodes: tuple[str, ...]) -> Iterator[Recording]:
    """Listen inside the block; ``name`` is of letters and digits, new each time."""
    recording = Recording(shell, name, nodes)
    try:
        recording.start()
        yield recording
    finally:
        recording.stop()
