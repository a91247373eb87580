"""Changes to a VM's configuration that cmdlets and WMI share, with the rules of both."""

from __future__ import annotations

from harness.standin.faults import Refused
from harness.standin.host import Host
from harness.standin.lifecycle import require
from harness.standin.world import GIB, MIB, Memory, Video, Vm

STEP = 2 * MIB  # hosts round gaps to it, and want memory to be a multiple
VIDEO = (640, 480, 16 * MIB)  # ours: the smallest width and height, and the card's memory
MEMORY = (32 * MIB, 12 * 1024 * GIB)


def low_gap(host: Host, vm: Vm, size: int) -> int:
    """Check a new low MMIO gap (bytes) and return it as the host keeps it.

    The VM has to be Off. Source of the range: the class's page; of the rounding: the cases.
    """
    least, most = host.rules.low_gap
    if not least <= size <= most:
        raise Refused(
            "InvalidParameter",
            f"Cannot set the low memory mapped I/O space of '{vm.name}' to {size} bytes: it must"
            f" be from {least >> 20} MB to {most >> 20} MB.",
        )
    require(vm, "Off")
    return size // STEP * STEP


def high_gap(vm: Vm, size: int) -> int:
    """Check a new high MMIO gap (bytes); the VM has to be Off."""
    if size <= 0 or size > 1 << 46:
        raise Refused("InvalidParameter", f"{size} bytes is no valid high MMIO space.")
    require(vm, "Off")
    return size // STEP * STEP


def processors(host: Host, vm: Vm, count: int) -> int:
    """Check a new number of processors; the VM has to be Off."""
    if not 1 <= count <= host.processors:
        raise Refused(
            "InvalidParameter",
            f"'{vm.name}' cannot have {count} processors: 1 to {host.processors} are possible.",
        )
    require(vm, "Off")
    return count


def video(vm: Vm, wanted: Video) -> Video:
    """Check what a display shall offer; the VM has to be Off."""
    least_width, least_height, memory = VIDEO
    if (
        wanted.width < least_width
        or wanted.height < least_height
        or wanted.width * wanted.height * 4 > memory
    ):
        raise Refused(
            "InvalidParameter",
            f"The display of '{vm.name}' cannot offer {wanted.width} x {wanted.height}.",
        )
    require(vm, "Off")
    return wanted


def memory(vm: Vm, wanted: Memory) -> Memory:
    """Check memory settings as a whole; startup and kind change only while the VM is Off.

    While it is not, minimum and maximum may only move apart (Microsoft, "Hyper-V Dynamic Memory
    Overview").
    """
    for size in (wanted.startup, wanted.minimum, wanted.maximum):
        _one_size(vm, size)
    if wanted.dynamic and not wanted.minimum <= wanted.startup <= wanted.maximum:
        raise Refused(
            "InvalidParameter",
            f"The memory of '{vm.name}' must satisfy minimum <= startup <= maximum.",
        )
    now = vm.settings.memory
    if (wanted.startup, wanted.dynamic) != (now.startup, now.dynamic):
        require(vm, "Off")
    if (
        vm.state != "Off"
        and now.dynamic
        and (wanted.minimum > now.minimum or wanted.maximum < now.maximum)
    ):
        require(vm, "Off")
    return wanted


def _one_size(vm: Vm, size: int) -> None:
    least, most = MEMORY
    if not least <= size <= most or size % STEP:
        raise Refused(
            "InvalidParameter",
            f"Invalid memory size of {size} bytes for '{vm.name}': it must be a multiple of 2 MB"
            f" from {least >> 20} MB to {most >> 20} MB.",
        )
