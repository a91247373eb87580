"""A machine of the lab that keeps cores: asked like a guest, and left as it was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from harness.bench import LOGIN_WITHIN, Bench
from harness.checks import core
from harness.checks.kdump import new_cores
from harness.deadline import wait_for
from harness.errors import DeadlineExceeded
from harness.evidence import Measured, Probe
from harness.guest.measure import measure
from harness.guest.shell import GuestShell
from harness.inventory.model import DumpTarget

T = TypeVar("T")
SSH_PORT = 22


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that answers."""

    shell: GuestShell

    def measure(self, probe: Probe[T]) -> Measured[T]:
        """Ask one question; the value comes with its raw text."""
        return measure(self.shell, probe)

    def wait_for(self, what: str, poll: Callable[[], T | None], within: timedelta) -> T | None:
        """Poll until there is an answer; None when it did not come."""
        try:
            return wait_for(what, poll, within)
        except DeadlineExceeded:
            return None


@contextmanager
def lent(bench: Bench, target: DumpTarget) -> Iterator[Machine]:
    """Log in to the inventory's dump target; cores that are new when the block ends are removed."""
    as_guest = replace(bench.guest, name="dump-target", ssh=target.ssh)
    shell = bench.connect(as_guest, (target.address,), SSH_PORT, LOGIN_WITHIN)
    machine = Machine(shell)
    before = machine.measure(core.cores(target.folder)).value
    try:
        yield machine
    finally:
        for file in new_cores(before, machine.measure(core.cores(target.folder)).value):
            shell.run(("rm", "-f", "--", file.path), privileged=True)
