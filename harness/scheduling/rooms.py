"""What each host of an inventory has for the guests of this run, as it says itself."""

from __future__ import annotations

from collections.abc import Iterable

from harness.errors import HostConnectionLost, HostError
from harness.host.facts import measure_host
from harness.host.server_backup import target_for
from harness.host.session import HostSession
from harness.inventory.model import Host
from harness.scheduling.job import CASES_PER_HOST, Room
from harness.units import Bytes

PER_LOGICAL_PROCESSOR = 4
"""Virtual processors of guests per logical one of the host, where the inventory names no budget.

More is possible (Hyper-V has no fixed ratio since Windows Server 2012), but cases time guests.
"""


def measure_room(session: HostSession, host: Host, *, backups: bool) -> Room:
    """Ask a host for its memory and processors, and (``backups``) where backups could go.

    Raises what the session raises.
    """
    facts = measure_host(session).value
    no_backups = _no_backups(session, host) if backups else ""
    budget = host.processors_budget or PER_LOGICAL_PROCESSOR * facts.processors
    memory = free_for_guests(facts.free_memory, host)
    return Room(host.name, memory, budget, host.machine, no_backups)


def _no_backups(session: HostSession, host: Host) -> str:
    try:
        target_for(session, host, ())
    except HostConnectionLost:
        raise
    except HostError as wrong:
        return str(wrong)
    return ""


def free_for_guests(free: Bytes, host: Host) -> Bytes:
    """Return what of a host's free memory the run may take."""
    left = max(Bytes(0), free - host.memory_reserve)
    return left if host.memory_budget is None else min(left, host.memory_budget)


def guests_at_once(rooms: Iterable[Room], memory: Bytes, processors: int) -> int:
    """Return how many guests of that size the hosts hold together: so many workers are of use."""
    each = (
        min(room.memory // memory, room.processors // processors, CASES_PER_HOST)
        for room in rooms
        if not room.problem
    )
    return sum(max(1, count) for count in each)
