"""Makes sure that a guest has the programs a case calls, before the case acts."""

from __future__ import annotations

from harness.distro.family import Family
from harness.distro.tools import install_command, present
from harness.errors import GuestLacksTool
from harness.evidence import Evidence
from harness.guest.measure import measure
from harness.guest.shell import GuestShell


def require(shell: GuestShell, family: Family, *programs: str) -> tuple[Evidence, ...]:
    """Return the proof that all are there; raise GuestLacksTool that names what to install."""
    found = measure(shell, present(programs))
    missing = tuple((p, family.package_of(p)) for p in programs if p not in found.value)
    if missing:
        packages = dict.fromkeys(name for _, package in missing for name in package.split())
        raise GuestLacksTool(shell.name, missing, install_command(family, packages))
    return found.evidence
