"""VMs that were booted once: a case that does not care how its guest booted starts from one.

One VM per guest, host and process. It is made, booted and checkpointed with its memory when first
asked for; each use applies that checkpoint, so nothing of an earlier case is left in it: settings,
disks and memory are those of the checkpoint.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from harness.host.lifecycle import mark_of

if TYPE_CHECKING:
    from harness.bench import Bench
    from harness.host.vm import Vm

Make = Callable[[], AbstractContextManager["Bench"]]
"""Make a VM that is Off, on a bench of its own."""


class SavedStates:
    """The booted VMs of one process; ``close`` removes them. Belongs to one thread."""

    def __init__(self, run: str) -> None:
        self._checkpoint = f"{mark_of(run)} booted"
        self._open: dict[str, tuple[Vm, contextlib.ExitStack]] = {}

    @contextmanager
    def applied(self, seat: str, make: Make) -> Iterator[Vm]:
        """Yield the VM of this seat (guest and host) in the saved state of its booted guest.

        Whatever goes wrong while the state is applied costs the VM: the next case makes a new one.
        """
        if seat not in self._open:
            self._open[seat] = self._boot(make)
        vm = self._open[seat][0]
        try:
            vm.restore(self._checkpoint)
        except BaseException:
            self._drop(seat)
            raise
        try:
            yield vm
        finally:
            if vm.state() not in ("Off", "Saved"):
                vm.stop(hard=True)

    def _boot(self, make: Make) -> tuple[Vm, contextlib.ExitStack]:
        with contextlib.ExitStack() as stack:
            bench = stack.enter_context(make())
            bench.boot()
            bench.vm.checkpoint_with_memory(self._checkpoint, bench.build)
            bench.judge_health()
            bench.vm.stop(hard=True)
            return bench.vm, stack.pop_all()

    def _drop(self, seat: str) -> None:
        _, stack = self._open.pop(seat)
        stack.close()

    def close(self) -> None:
        """Remove the VMs; each is tried even if another fails."""
        with contextlib.ExitStack() as all_of_them:
            for _, stack in self._open.values():
                all_of_them.push(stack)
            self._open.clear()
