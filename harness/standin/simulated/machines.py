"""Machines that are none: states and times of a VM, its guest a recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from uuid import UUID

from harness.deadline import SYSTEM
from harness.standin.machines import (
    DiskSpec,
    GuestReport,
    MachineError,
    MachineSpec,
    MemoryReport,
    Picture,
)
from harness.standin.notices import Notice
from harness.standin.simulated.ssh import Listeners, make_keys
from harness.standin.simulated.tape import Player, tape_for

FACTS = (("OSName", "a recording"), ("FullyQualifiedDomainName", "recording"))


@dataclass(slots=True)
class _Vm:
    """A VM that was started; ``ready``: when its guest is up, of the monotonic clock."""

    spec: MachineSpec
    player: Player
    began: float
    ready: float
    state: str = "running"

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(nic.address for nic in self.spec.nics if nic.address)


class SimulatedMachines:
    """Satisfies ``Machines`` for what a recording can do; the rest is a MachineError.

    ``scale``: how much of a recorded second passes, 0 to 1. ``keys``: where SSH keys are made.
    """

    def __init__(self, keys: Path, scale: float) -> None:
        self.scale = scale
        make_keys(keys)
        self._listeners = Listeners(keys, scale)
        self._vms: dict[UUID, _Vm] = {}

    def start(self, spec: MachineSpec, resume_from: Path | None = None) -> None:
        """Start a VM; its guest answers after the time that a real one took to boot."""
        tape = tape_for(spec.name)
        if tape is None:
            self._cannot(spec.name, "has no recording of this case")
        if resume_from is not None:
            self._cannot(spec.name, "has no saved state")
        now = SYSTEM.monotonic()
        vm = _Vm(spec, Player(tape), now, now + tape.boot * self.scale)
        self._vms[spec.id] = vm
        for address in vm.addresses:
            self._listeners.open(address, vm.player)

    def kill(self, vm: UUID) -> None:
        """Turn it off."""
        found = self._vms.pop(vm, None)
        for address in found.addresses if found else ():
            self._listeners.close(address)

    def shut_down(self, vm: UUID, within: float) -> bool:
        """Shut it down in the recorded time."""
        took = self._vms[vm].player.tape.stop * self.scale
        SYSTEM.sleep(min(took, within))
        self.kill(vm)
        return True

    def state(self, vm: UUID) -> str:
        """Return "running", "paused" or "off"."""
        return self._vms[vm].state if vm in self._vms else "off"

    def pause(self, vm: UUID) -> None:
        """Stop its processors."""
        self._vms[vm].state = "paused"

    def resume(self, vm: UUID) -> None:
        """Let its processors run."""
        self._vms[vm].state = "running"

    def notices(self, vm: UUID) -> tuple[Notice, ...]:  # noqa: ARG002  # the form of Machines
        """Return nothing: a recording does nothing by itself."""
        return ()

    def assigned(self, vm: UUID) -> int:
        """Return the memory in bytes that it was started with."""
        return self._vms[vm].spec.memory if vm in self._vms else 0

    def memory(self, vm: UUID) -> MemoryReport:
        """Return what it has; a recording has no balloon driver."""
        return MemoryReport(self.assigned(vm))

    def uptime(self, vm: UUID) -> float:
        """Return seconds since start; 0 when off."""
        return SYSTEM.monotonic() - self._vms[vm].began if vm in self._vms else 0.0

    def guest(self, vm: UUID) -> GuestReport:
        """Return heartbeat and addresses once the guest is up."""
        found = self._vms.get(vm)
        if found is None or found.state != "running" or SYSTEM.monotonic() < found.ready:
            return GuestReport()
        return GuestReport(heartbeat=True, addresses=found.addresses, facts=FACTS)

    def close(self) -> None:
        """End every guest."""
        for vm in tuple(self._vms):
            self.kill(vm)
        self._listeners.end()

    def reset(self, vm: UUID) -> None:
        """Refuse: a recording boots once."""
        self._refuse(vm, "boots once")

    def save(self, vm: UUID, to: Path) -> None:
        """Refuse: there is no memory to save."""
        self._refuse(vm, f"cannot be saved to {to.name}")

    def checkpoint(self, vm: UUID, state: Path, overlays: tuple[tuple[Path, Path], ...]) -> None:
        """Refuse: there is no state."""
        self._refuse(vm, f"has no state for {state.name} and {len(overlays)} disks")

    def merge(self, vm: UUID, child: Path, parent: Path) -> None:
        """Refuse: it uses no disk."""
        self._refuse(vm, f"uses no disk ({child.name}, {parent.name})")

    def production_checkpoint(self, vm: UUID, overlays: tuple[tuple[Path, Path], ...]) -> None:
        """Refuse: it has no file system to freeze."""
        self._refuse(vm, f"has no file systems on {len(overlays)} disks")

    def online_backup(self, vm: UUID, copies: tuple[tuple[Path, Path], ...]) -> None:
        """Refuse: it has no file system to freeze."""
        self._refuse(vm, f"has no file systems on {len(copies)} disks")

    def attach(self, vm: UUID, disk: DiskSpec) -> None:
        """Refuse: nobody would see the disk."""
        self._refuse(vm, f"sees no disk {disk.path.name}")

    def detach(self, vm: UUID, disk: DiskSpec) -> None:
        """Refuse: nobody saw the disk."""
        self._refuse(vm, f"sees no disk {disk.path.name}")

    def grow(self, vm: UUID, disk: DiskSpec, size: int) -> None:
        """Refuse: nobody would see it grow."""
        self._refuse(vm, f"sees no disk {disk.path.name} of {size} bytes")

    def inject_nmi(self, vm: UUID) -> None:
        """Refuse: no processor would take it."""
        self._refuse(vm, "has no processor")

    def picture(self, vm: UUID) -> Picture:
        """Refuse: it shows nothing."""
        self._refuse(vm, "shows nothing")

    def point(self, vm: UUID, x: int, y: int) -> None:
        """Refuse: it has no pointer."""
        self._refuse(vm, f"has no pointer to move to {x}, {y}")

    def add_memory(self, vm: UUID, size: int) -> None:
        """Refuse: nobody would use it."""
        self._refuse(vm, f"takes no memory module of {size} bytes")

    def balloon(self, vm: UUID, target: int) -> None:
        """Refuse: nobody would give it."""
        self._refuse(vm, f"has no balloon driver for {target} bytes")

    def inside(self, vm: UUID, script: str, within: float) -> str:
        """Refuse: it runs no script."""
        self._refuse(vm, f"runs no script ({len(script)} characters, {within:.0f} s)")

    def _refuse(self, vm: UUID, what: str) -> NoReturn:
        self._cannot(self._vms[vm].spec.name if vm in self._vms else str(vm), what)

    def _cannot(self, name: str, what: str) -> NoReturn:
        raise MachineError(f"the guest of {name} is a recording: it {what}")
