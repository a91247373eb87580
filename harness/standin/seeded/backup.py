"""Faults of live backup, at the edge to the machine: what was said to be frozen was not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from harness.standin.seeded.fault import Fault, Level, tampered

if TYPE_CHECKING:
    from harness.standin.host import Host


def _do_not_freeze(host: Host) -> None:
    whole = host.machines

    def production_checkpoint(vm: UUID, overlays: tuple[tuple[Path, Path], ...]) -> None:
        memory = host.log_of(vm).with_suffix(".memory")
        whole.checkpoint(vm, memory, overlays)
        memory.unlink(missing_ok=True)

    host.machines = tampered(whole, production_checkpoint=production_checkpoint)


FAULTS = (
    Fault(
        "checkpoint-not-frozen",
        Level.HOST,
        "a production checkpoint switches the disks without asking the guest to freeze",
        "Machines.production_checkpoint",
        _do_not_freeze,
    ),
)
