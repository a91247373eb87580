"""Defects of guests: made by the guest's own agent in each boot, before its host knows an address.

So no command of whoever asks the host for the guest's address comes before the defect. A script is
for sh, runs as root, and begins paths that it writes or reads with ``$R`` (the guest's root: "").
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from threading import Lock, Thread
from typing import TYPE_CHECKING
from uuid import UUID

from harness.deadline import SYSTEM
from harness.standin.machines import GuestReport, MachineError
from harness.standin.seeded.fault import tampered

if TYPE_CHECKING:
    from harness.standin.host import Host

ASK_AGAIN = 5.0
"""Seconds; from one boot to the next a guest takes longer."""

PATIENCE = 3.0
"""Seconds that the answer to a question for an address may take longer."""

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


class _Asking(Thread):
    """Runs the script in one guest; whoever asks for its address waits a little, never long."""

    def __init__(self, name: str, ask: Callable[[], object]) -> None:
        super().__init__(name=name, daemon=True)
        self._ask, self.at, self._made = ask, SYSTEM.monotonic(), False

    def run(self) -> None:
        with suppress(MachineError):
            self._ask()
            self._made = True
        self.at = SYSTEM.monotonic()

    @property
    def made(self) -> bool:
        """Wait for the end as long as a host's answer may take; tell whether the defect is made."""
        self.join(PATIENCE)
        return self._made and not self.is_alive()

    @property
    def old(self) -> bool:
        return not self.is_alive() and SYSTEM.monotonic() - self.at >= ASK_AGAIN


def in_every_guest(name: str, script: str) -> Callable[[Host], None]:
    """Return what plants a defect in every guest of a host; its address is told when it is made."""
    once = ONCE.replace("{name}", name).replace("{script}", script.strip())

    def plant(host: Host) -> None:
        whole, asking, lock = host.machines, dict[UUID, _Asking](), Lock()

        def ask(vm: UUID) -> None:
            try:
                whole.inside(vm, once, WITHIN)
            except MachineError as failed:
                host.record(FAILED, f"{name} could not be made: {failed}", vm, "Error")
                raise

        def made(vm: UUID) -> bool:
            with lock:
                last = asking.get(vm)
                if last is None or last.old or not (last.is_alive() or last.made):
                    last = asking[vm] = _Asking(f"{name} in {vm}", partial(ask, vm))
                    last.start()
            return last.made

        def guest(vm: UUID) -> GuestReport:
            report = whole.guest(vm)
            if not (report.addresses or report.private):
                return report
            return report if made(vm) else replace(report, addresses=(), private=())

        host.machines = tampered(whole, guest=guest)

    return plant
