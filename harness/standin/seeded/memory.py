"""Faults of dynamic memory: what a host says that it gives, its limits, a guest that takes none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from harness.deadline import SYSTEM
from harness.standin.machines import MachineError, MemoryReport
from harness.standin.seeded.fault import Fault, Level, tampered
from harness.standin.seeded.inside import in_every_guest
from harness.standin.world import MIB

if TYPE_CHECKING:
    from harness.standin.host import Host

OFFLINE = """
blocks=/sys/devices/system/memory
udev=$(systemctl show --property=MainPID --value systemd-udevd.service)
nsenter --target "$udev" --mount mount --bind "$blocks" "$blocks"
nsenter --target "$udev" --mount mount --options remount,bind,ro "$blocks"
echo offline > "$R$blocks/auto_online_blocks"
"""
"""Neither udev's rules nor the kernel put memory on-line that is added.

udev has mounts of its own (systemd-udevd.service, PrivateMounts=yes): there alone the blocks are
read-only, so it still binds drivers and tells lsblk what is on a disk.
"""

LATE = 10.0
BEYOND = 256 * MIB


def _refuse_late(host: Host) -> None:
    def add_memory(vm: UUID, size: int) -> None:
        SYSTEM.sleep(LATE)
        raise MachineError(f"{vm}: {size >> 20} MiB of memory could not be added")

    host.machines = tampered(host.machines, add_memory=add_memory)


def _only_say_so(host: Host) -> None:
    """Report as assigned whatever was last asked for; nothing is plugged, no balloon moves."""
    whole, said = host.machines, dict[UUID, int]()

    def assigned(vm: UUID) -> int:
        has = whole.assigned(vm)
        return said.get(vm, has) if has else 0

    def memory(vm: UUID) -> MemoryReport:
        return replace(whole.memory(vm), assigned=assigned(vm))

    def kill(vm: UUID) -> None:
        said.pop(vm, None)
        whole.kill(vm)

    host.machines = tampered(
        whole,
        add_memory=lambda _vm, _size: None,
        balloon=said.__setitem__,
        assigned=assigned,
        memory=memory,
        kill=kill,
    )


def _pass_minimum(host: Host) -> None:
    host.rules = replace(host.rules, memory_past_minimum=BEYOND)


def _pass_maximum(host: Host) -> None:
    host.rules = replace(host.rules, memory_past_maximum=BEYOND)


FAULTS = (
    Fault(
        "hot-added-memory-offline",
        Level.GUEST,
        "a guest's udev can write no memory block's state, so memory that is added stays off-line",
        "guest: mounts of systemd-udevd",
        in_every_guest("hot-added-memory-offline", OFFLINE),
    ),
    Fault(
        "hot-add-refused-late",
        Level.HOST,
        f"adding memory to a running guest fails after {LATE:.0f} s, each time",
        "Machines.add_memory",
        _refuse_late,
    ),
    Fault(
        "assigned-reported-not-given",
        Level.HOST,
        "a host reports memory as assigned or taken back, and the guest keeps what it has",
        "Machines.add_memory, Machines.balloon, Machines.assigned",
        _only_say_so,
    ),
    Fault(
        "balloon-past-minimum",
        Level.HOST,
        f"a host takes memory back to {BEYOND // MIB} MiB below a VM's minimum",
        "Host.rules",
        _pass_minimum,
    ),
    Fault(
        "assignment-past-maximum",
        Level.HOST,
        f"a host gives a VM {BEYOND // MIB} MiB more than its maximum",
        "Host.rules",
        _pass_maximum,
    ),
)
