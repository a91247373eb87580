"""A machine's memory while it runs: its balloon's report, and one more module. Over QMP."""

from __future__ import annotations

from typing import Any

from harness.standin.machines import MachineError, MemoryReport
from harness.standin.qmp import Qmp

SLOTS = 64
BALLOON = "/machine/peripheral/balloon"
UNKNOWN = 1 << 63
"""Numbers from here on are -1 as an unsigned one: the driver does not tell this statistic."""


def backend(number: int, size: int) -> dict[str, Any]:
    """Return the n-th module's memory, as -object and object-add take it."""
    return {"qom-type": "memory-backend-ram", "id": f"module{number}", "size": size}


def dimm(number: int) -> dict[str, Any]:
    """Return the n-th module, as -device and device_add take it."""
    return {"driver": "pc-dimm", "id": f"dimm{number}", "memdev": f"module{number}"}


def begin(qmp: Qmp) -> None:
    """Let the guest's balloon driver report every second."""
    polling = {"path": BALLOON, "property": "guest-stats-polling-interval", "value": 1}
    qmp.execute("qom-set", polling)


def report(qmp: Qmp) -> MemoryReport:
    """Return what the machine has, and the latest report of the guest's balloon driver."""
    actual = int(qmp.execute("query-balloon")["actual"])
    told = qmp.execute("qom-get", {"path": BALLOON, "property": "guest-stats"})
    if not told.get("last-update"):
        return MemoryReport(actual)
    stats = {name: int(value) for name, value in told["stats"].items()}
    total, free = stats.get("stat-total-memory", UNKNOWN), stats.get("stat-free-memory", UNKNOWN)
    available = stats.get("stat-available-memory", UNKNOWN)
    if not 0 <= available < UNKNOWN:
        available = free
    if not (0 < total < UNKNOWN and 0 <= available < UNKNOWN):
        return MemoryReport(actual)
    return MemoryReport(actual, total, available)


def add(qmp: Qmp, size: int) -> None:
    """Plug a module; it gets the first free slot and address."""
    number = len(qmp.execute("query-memory-devices"))
    qmp.execute("object-add", backend(number, size))
    try:
        qmp.execute("device_add", dimm(number))
    except MachineError:
        qmp.execute("object-del", {"id": f"module{number}"})
        raise
