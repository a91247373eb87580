"""The controller's side of a run: measures hosts, makes the plan, watches clock and memory."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from harness.errors import HarnessError
from harness.host.facts import measure_host
from harness.inventory.model import Host, Inventory
from harness.scheduling.job import Job, Room
from harness.scheduling.plan import Plan
from harness.scheduling.rooms import free_for_guests, guests_at_once, measure_room
from harness.units import Bytes

if TYPE_CHECKING:
    from harness.host.psrp import PsrpSession

T = TypeVar("T")
AT_A_TIME = 16
LOOK_EVERY = timedelta(minutes=1)
GRACE = timedelta(minutes=5)
"""A case that still runs so long after the deadline is interrupted: the run's end is bounded."""


def _interrupt() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


class Night:
    """``open_session`` opens a session to a host; one belongs to the thread that opens it.

    ``missing``: why a host is out for this run, by name. ``deadline``: when the run has to be over,
    None for never.
    """

    def __init__(
        self,
        inventory: Inventory,
        open_session: Callable[[Host], PsrpSession],
        deadline: datetime | None = None,
        missing: Mapping[str, str] | None = None,
    ) -> None:
        self.inventory, self.open_session, self.missing = inventory, open_session, missing or {}
        self.deadline, self.plan = deadline, Plan((), ())
        self._looked = datetime.now(UTC)
        self._aside = ThreadPoolExecutor(1)
        self._asking: Future[list[tuple[Host, Bytes | str]]] | None = None

    def workers(self) -> int:
        """Return how many guests the hosts hold at a time, as small as the smallest of them."""
        guests = self.inventory.guests
        memory = min(guest.memory for guest in guests)
        processors = min(guest.processors for guest in guests)
        return max(1, guests_at_once(self._rooms(backups=False), memory, processors))

    def make_plan(self, jobs: tuple[Job, ...]) -> Plan:
        """Measure the hosts and plan the jobs."""
        rooms = self._rooms(backups=any(job.backup_disk for job in jobs))
        deadline = self.deadline.timestamp() if self.deadline else None
        self.plan = Plan(jobs, rooms, deadline=deadline)
        return self.plan

    def look(self, interrupt: Callable[[], None] = _interrupt) -> None:
        """Look at the clock, and about once a minute at the memory that hosts have free.

        Hosts are asked beside: one that does not answer must not keep the others' cases waiting.
        """
        now = datetime.now(UTC)
        if self.deadline and now > self.deadline + GRACE and self.plan.running:
            interrupt()
        if self._asking is None and now - self._looked >= LOOK_EVERY:
            self._asking = self._aside.submit(self._of_each, self._free)
        elif self._asking is not None and self._asking.done():
            self._looked, asked, self._asking = now, self._asking, None
            self._take(asked.result())

    def _take(self, found: Iterable[tuple[Host, Bytes | str]]) -> None:
        for host, free in found:
            if isinstance(free, Bytes):
                self.plan.measured(host.name, free)
            else:
                self.plan.failed(host.name, free)

    def _rooms(self, *, backups: bool) -> tuple[Room, ...]:
        def measured(host: Host) -> Room:
            try:
                with self.open_session(host) as session:
                    return measure_room(session, host, backups=backups)
            except HarnessError as wrong:
                return Room(host.name, Bytes(0), 0, host.machine, problem=str(wrong))

        out = (Room(name, Bytes(0), 0, problem=why) for name, why in self.missing.items())
        return (*out, *(room for _, room in self._of_each(measured)))

    def _free(self, host: Host) -> Bytes | str:
        """Return what a host has free for guests, or what is wrong with it."""
        try:
            with self.open_session(host) as session:
                return free_for_guests(measure_host(session).value.free_memory, host)
        except HarnessError as wrong:
            return str(wrong)

    def _of_each(self, ask: Callable[[Host], T]) -> list[tuple[Host, T]]:
        """Ask all hosts at once: a slow one must not hold up the others."""
        hosts = [host for host in self.inventory.hosts if host.name not in self.missing]
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            return list(zip(hosts, pool.map(ask, hosts), strict=True))
