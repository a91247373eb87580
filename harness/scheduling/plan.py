"""Decides which job runs where and when: what is left, what runs, what each host has. Pure.

Longest first, as list scheduling does it (Graham 1969: at most 4/3 of the shortest makespan). A
job that needs a machine alone and finds none idle reserves the one that is idle first; until then
only what is expected to end by that time starts there (EASY backfilling, Lifka 1995).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from harness.scheduling.job import CASES_PER_HOST, Job, Placed, Room, unfit
from harness.units import Bytes

HOST_ERRORS = 3
"""So many errors of a host, one after another, set it aside."""


@dataclass(slots=True)
class Load:
    """What runs in one place: how many jobs, how many of them alone, with how much."""

    jobs: int = 0
    alone: int = 0
    memory: int = 0
    processors: int = 0

    def add(self, job: Job, sign: int) -> None:
        """Count a job in (1) or out (-1)."""
        self.jobs += sign
        self.alone += sign * job.alone
        self.memory += sign * job.memory.count
        self.processors += sign * job.processors


class Plan:
    """The state of a night. Times are seconds of any one clock; ``deadline`` is of the same."""

    def __init__(
        self,
        jobs: Iterable[Job],
        rooms: Iterable[Room],
        *,
        deadline: float | None = None,
        host_errors: int = HOST_ERRORS,
    ) -> None:
        self.rooms = {room.host: room for room in rooms}
        self.deadline, self.host_errors = deadline, host_errors
        self.pending = sorted(jobs, key=lambda j: (-j.priority, -j.expected, j.item))
        self.running: dict[str, Placed] = {}
        self.refused: dict[str, str] = {}
        self.warm: defaultdict[str, set[str]] = defaultdict(set)
        self._most = dict(self.rooms)
        self._hosts: defaultdict[str, Load] = defaultdict(Load)
        self._machines: defaultdict[str, Load] = defaultdict(Load)
        self._errors: Counter[str] = Counter()
        self._refuse_what_fits_nowhere()

    @property
    def finished(self) -> bool:
        """Return whether nothing runs and nothing is left."""
        return not self.pending and not self.running

    def next(self, now: float) -> Placed | None:
        """Start the next job that can start now; None when none can, or none is left."""
        self._refuse_what_is_too_late(now)
        reserved: dict[str, float] = {}
        for job in self.pending:
            host = self._host_for(job, now, reserved)
            if host:
                return self._start(job, host, now)
            if job.alone:
                self._reserve(job, now, reserved)
        return None

    def done(self, item: str) -> None:
        """Take note that a job has ended, however it ended."""
        placed = self.running.pop(item)
        self._count(placed, -1)
        self.warm[placed.host].add(placed.job.template)

    def answered(self, host: str) -> None:
        """Take note that a host did what it was asked: its errors were no row of errors."""
        self._errors[host] = 0

    def failed(self, host: str, what: str) -> bool:
        """Take note of an error of a host; return whether it has been set aside for that."""
        self._errors[host] += 1
        if self._errors[host] < self.host_errors or host not in self.rooms:
            return False
        said = f"{host} was set aside after {self._errors[host]} errors in a row, the last: {what}"
        self.set_aside(host, said)
        return True

    def set_aside(self, host: str, why: str) -> None:
        """Give nothing more to a host; what can run nowhere else is refused."""
        self.rooms[host] = replace(self.rooms[host], problem=why)
        self._refuse_what_fits_nowhere()

    def measured(self, host: str, free: Bytes) -> None:
        """Take note of the memory that a host has free for more guests now.

        It never counts for more than at the start: what was placed may not have taken its own yet.
        """
        memory = min(self._most[host].memory, Bytes(self._hosts[host].memory) + free)
        self.rooms[host] = replace(self.rooms[host], memory=memory)

    def _host_for(self, job: Job, now: float, reserved: Mapping[str, float]) -> str:
        fits = [
            host
            for host in job.hosts
            if host in self.rooms and self._has_room(job, self.rooms[host], now, reserved)
        ]
        return min(fits, key=lambda host: self._order(job, host), default="")

    def _order(self, job: Job, host: str) -> tuple[bool, float, str]:
        """Where an image was used before, it is near; else the emptier host."""
        load = self._hosts[host].memory / max(1, self.rooms[host].memory.count)
        return (job.template not in self.warm[host], load, host)

    def _has_room(self, job: Job, room: Room, now: float, reserved: Mapping[str, float]) -> bool:
        if unfit(job, room):
            return False
        machine, host = self._machines[_machine(room)], self._hosts[room.host]
        if job.alone:
            return machine.jobs == 0
        ends = now + job.expected.total_seconds()
        return (
            machine.alone == 0
            and host.jobs < CASES_PER_HOST
            and ends <= reserved.get(_machine(room), float("inf"))
            and host.memory + job.memory.count <= room.memory.count
            and host.processors + job.processors <= room.processors
        )

    def _reserve(self, job: Job, now: float, reserved: dict[str, float]) -> None:
        """Keep the machine that is idle first for a job that needs it alone."""
        rooms = [self.rooms[host] for host in job.hosts if host in self.rooms]
        machines = {_machine(room) for room in rooms if not unfit(job, room)} - reserved.keys()
        free_at = {machine: self._idle_at(machine, now) for machine in machines}
        if free_at:
            first = min(free_at, key=lambda machine: (free_at[machine], machine))
            reserved[first] = free_at[first]

    def _idle_at(self, machine: str, now: float) -> float:
        here = [p for p in self.running.values() if _machine(self.rooms[p.host]) == machine]
        return max((placed.ends() for placed in here), default=now)

    def _start(self, job: Job, host: str, now: float) -> Placed:
        self.pending.remove(job)
        placed = self.running[job.item] = Placed(job, host, now)
        self._count(placed, 1)
        return placed

    def _count(self, placed: Placed, sign: int) -> None:
        self._hosts[placed.host].add(placed.job, sign)
        self._machines[_machine(self.rooms[placed.host])].add(placed.job, sign)

    def _refuse_what_fits_nowhere(self) -> None:
        for job in tuple(self.pending):
            reasons = [
                unfit(job, self.rooms[host]) if host in self.rooms else f"{host} is not there"
                for host in job.hosts
            ]
            if all(reasons):
                self._refuse(job, "; ".join(dict.fromkeys(reasons)))

    def _refuse_what_is_too_late(self, now: float) -> None:
        if self.deadline is None:
            return
        for job in tuple(self.pending):
            if now + job.expected.total_seconds() > self.deadline:
                took = timedelta(seconds=round(job.expected.total_seconds()))
                self._refuse(job, f"it would not end before the deadline: it takes about {took}")

    def _refuse(self, job: Job, why: str) -> None:
        self.pending.remove(job)
        self.refused[job.item] = why


def _machine(room: Room) -> str:
    return room.machine or room.host
