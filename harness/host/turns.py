"""Turns of several runs on one host: cases side by side, or one that has the host for itself.

Readers and a writer, by files on the host. Whoever begins an ordinary case writes its own file
first and then looks for ``hvcert.alone``; whoever wants the host alone makes that file first and
then waits until no other run has a file: neither can miss the other. A case under way never waits,
so that nobody waits for somebody who waits. Four host calls for an ordinary case.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from harness.deadline import wait_for
from harness.errors import HarnessError
from harness.host import lease
from harness.host.command import Cmdlet
from harness.host.lease import OF_RUN, Lease
from harness.host.session import HostSession
from harness.inventory.model import Host

ALONE = "hvcert.alone"
WITHIN = timedelta(hours=3)
EVERY = timedelta(seconds=5)
_numbers = itertools.count(1)


@contextmanager
def beside_others(session: HostSession, host: Host, run: str) -> Iterator[None]:
    """Run a case inside the block, unless another run has the host for itself: wait for it."""
    path = f"{host.vm_path}\\hvcert-{run}.turn-{os.getpid()}-{next(_numbers)}"

    def begun() -> bool | None:
        if _is_anothers(session, host, run):
            return None  # and no file of ours: it would keep the other one waiting
        lease.take(session, path, lease.own(run))
        if _is_anothers(session, host, run):
            lease.remove(session, path)
            return None
        return True

    wait_for(f"the end of a case that has {host.name} for itself", begun, WITHIN, every=EVERY)
    try:
        yield
    finally:
        _give_back(session, path)


@contextmanager
def alone(session: HostSession, host: Host, run: str) -> Iterator[None]:
    """Have the host for this run inside the block: no case of another run begins, none is left."""
    path, mine = f"{host.vm_path}\\{ALONE}", lease.own(run)

    def taken() -> bool | None:
        if lease.take(session, path, mine):
            return True
        holder = lease.read(session, path)
        if holder == mine:  # of a case before, which lost the host and could not give it back
            return True
        if holder is not None and _is_dead(session, host, holder):
            lease.remove(session, path)
        return None

    def empty() -> bool | None:
        return None if _others(session, host, run) else True

    wait_for(f"{host.name} for this run alone", taken, WITHIN, every=EVERY)
    try:
        wait_for(f"the cases of other runs on {host.name}", empty, WITHIN, every=EVERY)
        yield
    finally:
        _give_back(session, path)


def _give_back(session: HostSession, path: str) -> None:
    """Remove a turn's file; where the host is gone by now it goes with the run's lease."""
    with suppress(HarnessError):
        lease.remove(session, path)


def _is_anothers(session: HostSession, host: Host, run: str) -> bool:
    """Return whether another run that lives has the host for itself.

    A file that cannot be read yet is somebody's: a host may show it before its text is there.
    """
    path = f"{host.vm_path}\\{ALONE}"
    there = session.run(Cmdlet("Test-Path", {"Path": path}, safe_to_repeat=True))
    if there.objects != (True,):
        return False
    holder = lease.read(session, path)
    return holder is None or (holder.run != run and not _is_dead(session, host, holder))


def forget_dead(session: HostSession, host: Host, living: frozenset[str]) -> None:
    """Take the host back from a run that is over; of a file without a text when no run lives."""
    path = f"{host.vm_path}\\{ALONE}"
    if ALONE in lease.names(session, host):
        holder = lease.read(session, path)
        if (holder.run not in living) if holder else not living:
            lease.remove(session, path)


def _others(session: HostSession, host: Host, run: str) -> set[str]:
    """Return the other runs that live and have a case under way."""
    found = (OF_RUN.fullmatch(name) for name in lease.names(session, host))
    busy = {name["run"] for name in found if name and ".turn-" in name[0]} - {run}
    return busy & lease.alive(session, host) if busy else set()


def _is_dead(session: HostSession, host: Host, holder: Lease) -> bool:
    return holder.run not in lease.alive(session, host)
