"""The balancer at work: a thread per host that asks the guests and moves memory.

It takes a VM's lock only when nobody holds it, so it never stands in the way of a cmdlet: a VM that
is just being saved, started or checkpointed is left for the next turn.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from harness.standin.balancer import SLOTS, Consumer, decide, demand, module, overhead
from harness.standin.host import Host
from harness.standin.lifecycle import free_memory
from harness.standin.machines import MachineError
from harness.standin.world import Vm

_log = logging.getLogger(__name__)
EVERY = 1.0
"""Seconds between two turns; the guests' drivers report once a second."""

PATIENCE = 15
"""Turns for a guest to take up a module before anything else is done with its memory: Hyper-V, too,
waits for the driver's answer."""

RESERVE = 16
"""A host keeps this part of its memory (one sixteenth) before a machine may grow, and takes memory
back from the machines that have too much when less than that is free."""


@contextmanager
def balancing(hosts: Iterable[Host]) -> Iterator[None]:
    """Balance the memory of each host inside the block."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=_work, args=(host, stop), name=f"balancer-{host.name}", daemon=True)
        for host in hosts
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _work(host: Host, stop: threading.Event) -> None:
    while not stop.wait(EVERY):
        try:
            turn(host)
        except Exception:  # noqa: BLE001  # the thread has to outlive whatever a single machine does
            _log.exception("balancing the memory of %s failed", host.name)


def turn(host: Host) -> None:
    """Ask every guest with dynamic memory, decide, and carry it out."""
    found = {c.id: c for vm in list(host.world.vms.values()) if (c := _ask(host, vm))}
    if found:
        for vm, target in decide(found.values(), free_memory(host), host.memory // RESERVE).items():
            _give(host, found[vm], target)


def _ask(host: Host, vm: Vm) -> Consumer | None:
    """Return the VM as the balancer sees it; None while it has no say: not up, busy, not heard."""
    if not vm.settings.memory.dynamic:
        return None
    with host.if_idle(vm.id) as held:
        if not held or vm.state != "Running":
            return None
        try:
            report = host.machines.memory(vm.id)
        except MachineError:
            return None
        if report.total is None or report.available is None:
            return None
        memory, ram = vm.settings.memory, vm.ram
        if ram.overhead is None:
            ram.overhead = overhead(memory.startup, report.total)
        ram.demand = demand(report.total, report.available, ram.overhead)
        ram.patience = ram.patience - 1 if report.total < ram.awaited else 0
        if ram.patience > 0:
            return None
        return Consumer(
            id=vm.id,
            target=ram.target,
            actual=report.assigned,
            size=memory.startup + sum(ram.modules),
            demand=ram.demand,
            minimum=memory.minimum - host.rules.memory_past_minimum,
            maximum=min(memory.maximum + host.rules.memory_past_maximum, host.memory),
            buffer=memory.buffer,
            priority=memory.priority,
            slots=SLOTS - len(ram.modules),
            total=report.total,
        )


def _give(host: Host, machine: Consumer, target: int) -> None:
    vm = host.world.vms.get(machine.id)
    if vm is None:
        return
    with host.if_idle(vm.id) as held:
        if not held or vm.state != "Running":
            return
        try:
            added = module(machine, target)
            if added:
                host.machines.add_memory(vm.id, added)
                vm.ram.modules = (*vm.ram.modules, added)
                vm.ram.awaited, vm.ram.patience = machine.total + added // 2, PATIENCE
            host.machines.balloon(vm.id, target)
            vm.ram.target = target
        except MachineError as failed:
            host.record(19110, f"'{vm.name}': memory could not be moved: {failed}", vm.id, "Error")
