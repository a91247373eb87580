"""Faults of the low MMIO gap: what the machine gets, what the host checks, what its job does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.standin import changes
from harness.standin.api import Given, Streams
from harness.standin.cim.methods import MODIFY, started
from harness.standin.cim.model import Found
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets.select import number, texts
from harness.standin.cmdlets.vm import set_vm
from harness.standin.machines import MachineError, MachineSpec
from harness.standin.seeded.fault import Fault, Level, tampered
from harness.standin.values import Value
from harness.standin.world import GIB, MIB

if TYPE_CHECKING:
    from harness.standin.host import Host

IGNORED = 1536 * MIB
"""What machines get instead. 128 MiB, Hyper-V's own, is what QEMU cannot show beside 4 GiB."""


def _start_with(host: Host, gap: Callable[[int], int]) -> None:
    start = host.machines.start

    def start_otherwise(spec: MachineSpec, resume_from: Path | None = None) -> None:
        start(_with_gap(spec, gap(spec.low_gap)), resume_from)

    host.machines = tampered(host.machines, start=start_otherwise)


def _with_gap(spec: MachineSpec, gap: int) -> MachineSpec:
    """Return the machine with another gap; one below 1 GiB shows only with the memory for it."""
    whole = spec.memory == 4 * GIB - spec.low_gap
    memory = 4 * GIB - gap if whole and gap < GIB else spec.memory
    return replace(spec, low_gap=gap, memory=memory)


def _ignore(host: Host) -> None:
    _start_with(host, lambda _: IGNORED)


def _off_by_one(host: Host) -> None:
    _start_with(host, lambda gap: gap + MIB)


def _of_another(host: Host) -> None:
    """Let Set-VM change the gap of the VM that was made before this one, or of none."""

    def set_vm_of_another(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
        gap = number(given, "LowMemoryMappedIoSpace")
        rest = {k: v for k, v in given.values.items() if k != "LowMemoryMappedIoSpace"}
        named = {name.casefold() for name in texts(given.get("Name"))}
        others = [v for v in host.world.vms.values() if v.name.casefold() not in named]
        if gap is not None and others and others[-1].state == "Off":
            others[-1].settings.low_gap = changes.low_gap(host, others[-1], gap)
        return set_vm(host, Given(given.cmdlet, rest, given.set_name), streams)

    host.cmdlets["Set-VM"] = Cmdlet("Set-VM", set_vm_of_another)


def _take_any(host: Host) -> None:
    host.rules = replace(host.rules, low_gap=(2 * MIB, 4 * GIB))


def _fail(host: Host) -> None:
    def modify(host: Host, _: Found, __: Mapping[str, Value]) -> dict[str, Value]:
        return started(host, MODIFY, MachineError("The operation failed."))

    host.methods["ModifySystemSettings"] = modify


def _do_nothing(host: Host) -> None:
    def modify(host: Host, _: Found, __: Mapping[str, Value]) -> dict[str, Value]:
        return started(host, MODIFY)

    host.methods["ModifySystemSettings"] = modify


FAULTS = (
    Fault(
        "gap-ignored",
        Level.HOST,
        "every machine starts with a low MMIO gap of 1536 MiB, whatever was set and is read back",
        "Machines.start",
        _ignore,
    ),
    Fault(
        "gap-off-by-one-mb",
        Level.HOST,
        "every machine starts with a low MMIO gap that is 1 MiB larger than what was set",
        "Machines.start",
        _off_by_one,
    ),
    Fault(
        "gap-of-another-vm",
        Level.HOST,
        "Set-VM changes the low MMIO gap of another VM than the one that was named",
        "Host.cmdlets",
        _of_another,
    ),
    Fault(
        "gap-range-unchecked",
        Level.HOST,
        "a low MMIO gap is accepted from 2 MiB to 4096 MiB instead of 128 MiB to 3584 MiB",
        "Host.rules",
        _take_any,
    ),
    Fault(
        "job-fails",
        Level.HOST,
        "ModifySystemSettings starts a job (4096) that changes nothing and ends in Exception",
        "Host.methods",
        _fail,
    ),
    Fault(
        "job-does-nothing",
        Level.HOST,
        "ModifySystemSettings starts a job (4096) that changes nothing and reports success",
        "Host.methods",
        _do_nothing,
    ),
)
