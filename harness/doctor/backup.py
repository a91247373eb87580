"""Whether the host can back VMs up as the live-backup cases do: their words, asked beforehand."""

from __future__ import annotations

from harness.doctor.asked import HostAsked
from harness.doctor.finding import Check, Said, good, open_question
from harness.doctor.reach import WSMAN
from harness.errors import HostRefused
from harness.host.server_backup import MISSING, NO_FEATURE, ROOM, Unfit, choose, volumes
from harness.inventory.model import Template

BACKUP = "Windows Server Backup"
NEEDED_BY = "the cases that restore a backup end in an error"


def backup_possible(asked: HostAsked) -> Said:
    """Tell whether the feature is there, and a drive with room for the largest template's VM."""
    try:
        asked.ask("Get-WBSummary")
    except HostRefused as refused:
        if refused.record.fqid.split(",")[0] == MISSING:
            return _unfit(NO_FEATURE)
        raise
    found = tuple(asked.ask("Get-CimInstance", ClassName="Win32_LogicalDisk").records())
    chosen = choose(asked.host, volumes(found), ROOM)
    if isinstance(chosen, Unfit):
        return _unfit(chosen)
    guests = sum(isinstance(guest.source, Template) for guest in asked.guests)
    free = chosen.free // ROOM
    return good(f"{chosen.letter} takes the backups of {guests} guests ({free} times {ROOM} free)")


def _unfit(why: Unfit) -> Said:
    return open_question(f"{why.what}: {NEEDED_BY}", why.advice)


BACKUP_CHECKS: tuple[Check[HostAsked], ...] = (Check(BACKUP, backup_possible, needs=(WSMAN,)),)
