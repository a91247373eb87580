"""Faults of what a host lets happen to a VM in which state, and of what it keeps of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from harness.standin import lifecycle
from harness.standin.api import Given, Streams
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets.select import each
from harness.standin.machines import MachineSpec
from harness.standin.seeded.fault import Fault, Level, tampered
from harness.standin.values import Value
from harness.standin.world import Vm

if TYPE_CHECKING:
    from harness.standin.host import Host


def _debug_vm(host: Host, act: Callable[[Host, Vm], None]) -> None:
    """Let Debug-VM do something else with each VM that it names."""

    def body(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
        return each(host, given, streams, lambda vm: act(host, vm), "Name")

    host.cmdlets["Debug-VM"] = Cmdlet("Debug-VM", body)


def _accept(host: Host) -> None:
    def act(host: Host, vm: Vm) -> None:
        if vm.state == "Running":
            lifecycle.inject_nmi(host, vm)

    _debug_vm(host, act)


def _keep_for_later(host: Host) -> None:
    """Refuse as a host should, and deliver all the same when the processors run again."""
    kept: set[UUID] = set()
    start, resume = host.machines.start, host.machines.resume

    def deliver(vm: UUID) -> None:
        if vm in kept:
            kept.discard(vm)
            host.machines.inject_nmi(vm)

    def start_machine(spec: MachineSpec, resume_from: Path | None = None) -> None:
        start(spec, resume_from)
        if resume_from:
            deliver(spec.id)

    def resume_machine(vm: UUID) -> None:
        resume(vm)
        deliver(vm)

    def act(host: Host, vm: Vm) -> None:
        if vm.state in ("Saved", "Paused"):
            kept.add(vm.id)
        lifecycle.inject_nmi(host, vm)

    host.machines = tampered(host.machines, start=start_machine, resume=resume_machine)
    _debug_vm(host, act)


def _forget_memory(host: Host) -> None:
    """Boot a VM that was saved; what a checkpoint holds of memory is not touched."""
    start, saved = host.machines.start, set[UUID]()
    save = host.machines.save

    def save_machine(vm: UUID, to: Path) -> None:
        save(vm, to)
        saved.add(vm)

    def start_machine(spec: MachineSpec, resume_from: Path | None = None) -> None:
        start(spec, None if spec.id in saved else resume_from)
        saved.discard(spec.id)

    host.machines = tampered(host.machines, save=save_machine, start=start_machine)


FAULTS = (
    Fault(
        "nmi-accepted-when-off",
        Level.HOST,
        "an NMI for a VM that does not run is accepted, and goes nowhere",
        "Host.cmdlets",
        _accept,
    ),
    Fault(
        "nmi-kept-for-later",
        Level.HOST,
        "an NMI that was refused while the VM was Saved or Paused is delivered when it runs again",
        "Machines.start, Machines.resume",
        _keep_for_later,
    ),
    Fault(
        "saved-state-lost",
        Level.HOST,
        "a VM that was saved boots anew when it is started",
        "Machines.start",
        _forget_memory,
    ),
)
