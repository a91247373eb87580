"""All seeded faults. Each is listed by its module; what it must do to verdicts is ``expected``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from harness.errors import LabError
from harness.standin.seeded import (
    backup,
    crash,
    display,
    filesystem,
    freezing,
    gap,
    growth,
    integration,
    kexec,
    memory,
    nmi,
    operation,
    states,
    wire,
)
from harness.standin.seeded.fault import Fault

if TYPE_CHECKING:
    from harness.standin.host import Host

HOST = (
    *nmi.FAULTS,
    *states.FAULTS,
    *gap.FAULTS,
    *display.FAULTS,
    *memory.FAULTS,
    *crash.FAULTS,
    *backup.FAULTS,
    *freezing.FAULTS,
    *filesystem.FAULTS,
    *growth.FAULTS,
    *kexec.FAULTS,
    *integration.FAULTS,
)
"""Faults of hosts and guests."""

FAULTS: tuple[Fault, ...] = (*HOST, *wire.FAULTS, *operation.FAULTS)
BY_NAME = {fault.name: fault for fault in FAULTS}


def require_known(names: Iterable[str]) -> None:
    """Raise one LabError for names that no fault has; it lists those that there are."""
    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        raise LabError(
            f"no fault is named {', '.join(map(repr, unknown))}; there are {', '.join(BY_NAME)}"
        )


def plant(host: Host, names: Iterable[str]) -> None:
    """Break a host on purpose before it serves; from then on it says so in its OEM strings."""
    for name in names:
        BY_NAME[name].plant(host)
        host.seeded = (*host.seeded, name)
