"""Defects of guests: made by the guest's own agent in each boot, before its host knows an address.

So no command of whoever asks the host for the guest's address comes before the defect. A script is
for sh, runs as root, and begins paths that it writes or reads with ``$R`` (the guest's root: "").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING
from uuid import UUID

from harness.deadline import SYSTEM
from harness.standin.machines import GuestReport, MachineError
from harness.standin.seeded.fault import tampered

if TYPE_CHECKING:
    from harness.standin.host import Host

ASK_AGAIN = 5.0
"""Seconds; from one boot to the next a guest takes longer."""

WITHIN = 420.0
"""Seconds for a script: one may crash the guest on purpose, and wait until it can."""

FAILED = 19120
"""The event that a host logs when a guest could not be broken."""

ONCE = """
set -eu
R=${R:-}
[ -e "$R/run/lab-{name}" ] && exit 0
[ -s "$R/proc/vmcore" ] && exit 0
(
{script}
)
touch "$R/run/lab-{name}"
"""
"""Once in a boot, and never in a capture kernel; /run is empty after each boot."""


WRAPPED = """
for name in {programs}; do
    for folder in usr/sbin sbin usr/bin; do
        program=$R/$folder/$name
        [ -e "$program" ] && break
    done
    [ -e "$program" ] || continue
    [ -e "$program.whole" ] && continue
    mv "$program" "$program.whole"
    cat > "$program" <<END
#!/bin/sh
{instead}
END
    chmod 755 "$program"
done
sync
"""


def wrapped(programs: str, instead: str) -> str:
    """Return what puts another script in the place of programs, once, however often a guest boots.

    ``programs``: their names, with blanks between. ``instead``: of the script all but its first
    line; ``$program.whole`` is the real program, and a ``$`` of the script's own time is quoted.
    """
    return WRAPPED.replace("{programs}", programs).replace("{instead}", instead)


def in_every_guest(name: str, script: str) -> Callable[[Host], None]:
    """Return what plants a defect in every guest of a host; its address is told when it is made."""
    once = ONCE.replace("{name}", name).replace("{script}", script.strip())

    def plant(host: Host) -> None:
        whole, asked = host.machines, dict[UUID, float]()
        locks = dict[UUID, Lock]()

        def made(vm: UUID) -> bool:
            if SYSTEM.monotonic() - asked.get(vm, float("-inf")) < ASK_AGAIN:
                return True
            try:
                whole.inside(vm, once, WITHIN)
            except MachineError as failed:
                host.record(FAILED, f"{name} could not be made: {failed}", vm, "Error")
                return False
            asked[vm] = SYSTEM.monotonic()
            return True

        def guest(vm: UUID) -> GuestReport:
            report = whole.guest(vm)
            if not (report.addresses or report.private):
                return report
            with locks.setdefault(vm, Lock()):
                return report if made(vm) else replace(report, addresses=(), private=())

        host.machines = tampered(whole, guest=guest)

    return plant
