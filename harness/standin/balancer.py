"""Who gets how much memory: the stand-in's balancer of dynamic memory, as arithmetic alone.

It is ours, after Hyper-V's rules as documented: a machine wants its demand and its buffer on top,
between its minimum and its maximum; the higher priority is served first; nothing is taken from a
machine that does not need what it has unless the host is short of memory. Memory that is added
comes in modules of 128 MiB and never goes again: what is taken back, the balloon takes.
All sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

MIB = 1 << 20
PAGE = 2 * MIB
MODULE = 128 * MIB
"""Linux' memory block on x86: less than one cannot be added (Microsoft asks for the same step)."""

SLOTS = 64
STILL = 16 * MIB
"""A change smaller than this is not worth the trouble: a guest's demand is never quite still."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """A running machine: what it has, what its guest needs, and what its settings say.

    ``target``: what the balancer last gave it; ``actual``: what it holds (the balloon may be on its
    way); ``size``: all memory plugged, the balloon empty; ``slots``: for modules, still free;
    ``total``: what its kernel counts.
    """

    id: UUID
    target: int
    actual: int
    size: int
    demand: int
    minimum: int
    maximum: int
    buffer: int
    priority: int
    slots: int = SLOTS
    total: int = 0

    @property
    def wanted(self) -> int:
        """What it should have: its demand with the buffer on top, within its limits."""
        much = -(-self.demand * (100 + self.buffer) // 100 // PAGE) * PAGE
        return min(max(much, self.minimum), self.maximum)


def decide(consumers: Iterable[Consumer], free: int, reserve: int) -> dict[UUID, int]:
    """Return the new target of each machine whose target changes.

    ``free``: bytes of the host that no machine holds; ``reserve``: what the host keeps for itself
    before any machine grows, and takes back from those with too much.
    """
    machines = sorted(consumers, key=lambda c: -c.priority)
    coming = sum(max(0, c.target - c.actual) for c in machines)
    leaving = sum(max(0, c.actual - c.target) for c in machines)
    spare = free - coming - reserve
    short = sum(_need(c) for c in machines) - spare - leaving
    changed: dict[UUID, int] = {}
    for machine in machines:
        given = _grown(machine, max(0, spare))
        if given > machine.target:
            spare -= given - machine.target
            changed[machine.id] = given
    for machine in reversed(machines):
        taken = min(_excess(machine), max(0, short)) // PAGE * PAGE
        if taken >= STILL:
            short -= taken
            changed[machine.id] = machine.target - taken
    return changed


def overhead(startup: int, total: int) -> int:
    """Return what of a machine's memory its kernel never counts, from its first report."""
    return max(0, startup - total)


def demand(total: int, available: int, hidden: int) -> int:
    """Return what a guest needs: what it uses, and what its kernel never counts."""
    return max(0, total - available) + hidden


def _need(machine: Consumer) -> int:
    """Return what it lacks; a module's worth at least, so that a guest grows in few steps."""
    lacking = machine.wanted - machine.target
    if lacking < STILL:
        return 0
    return min(max(lacking, MODULE), machine.maximum - machine.target)


def _excess(machine: Consumer) -> int:
    too_much = machine.target - machine.wanted
    return too_much if too_much >= STILL else 0


def _grown(machine: Consumer, spare: int) -> int:
    """Return the target that it grows to: the balloon gives back, then one module is added."""
    need = min(_need(machine), spare) // PAGE * PAGE
    if not need:
        return machine.target
    within = min(machine.target + need, machine.size)
    added = _next_module(machine)
    room = min(machine.maximum - machine.size, spare - (machine.size - machine.target))
    if machine.wanted <= machine.size or not 0 < added <= room:
        return within
    return machine.size + added


def _next_module(machine: Consumer) -> int:
    """Return the size of its next module: slots are few, so with much to come it is larger."""
    left = (machine.maximum - machine.size) // MODULE
    return -(-left // machine.slots) * MODULE if machine.slots > 0 else 0


def module(machine: Consumer, target: int) -> int:
    """Return the size of the module that has to be added for a target; 0 for none."""
    return _next_module(machine) if target > machine.size else 0
