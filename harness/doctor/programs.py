"""Whether a guest has the programs that its cases call; each case asks again before it acts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.distro import FAMILIES, Family
from harness.distro.tools import install_command
from harness.doctor.finding import Said, good, open_question, wrong
from harness.doctor.guests import OnHost
from harness.errors import GuestLacksTool
from harness.guest.load import PROGRAM
from harness.guest.tools import require
from harness.guest.web import CLIENT

NEEDED: Mapping[str, Callable[[Family], tuple[str, ...]]] = {
    "DM": lambda _: (PROGRAM,),
    "DM-07": lambda family: (family.web.program, CLIENT),
    "KD": lambda family: (family.kdump.program, "makedumpfile", "mount.nfs"),
    "KX": lambda _: ("kexec",),
    "VHD": lambda _: ("fio", "resize2fs", "mkfs.xfs", "xfs_growfs"),
}
"""By the letters that a case's id begins with; the cases of other features call nothing special."""


def programs_of(on: OnHost) -> tuple[str, ...]:
    """Return the programs that the cases of this guest call."""
    family, wanted = FAMILIES[on.guest.family], on.guest.cases
    kinds = [kind for kind in NEEDED if not wanted or any(c.startswith(kind) for c in wanted)]
    return tuple(dict.fromkeys(name for kind in kinds for name in NEEDED[kind](family)))


def has_programs(on: OnHost) -> Said:
    """Tell which programs a running guest lacks; of another one, what its cases will call."""
    programs, family = programs_of(on), FAMILIES[on.guest.family]
    if not programs:
        return good("its cases call nothing special")
    if on.shell is not None:
        try:
            require(on.shell, family, *programs)
        except GuestLacksTool as lacking:
            return wrong(lacking.what, lacking.advice)
        return good(f"{', '.join(programs)} are there")
    packages = dict.fromkeys(p for name in programs for p in family.package_of(name).split())
    return open_question(
        f"checked when a case boots the guest: {', '.join(programs)}",
        f"to be sure beforehand, in the guest, as root: {install_command(family, packages)}",
    )
