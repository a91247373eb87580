"""DM-08's steps: start guests until the host has no memory for one more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from harness.checks import bounds
from harness.checks.density import Crowd
from harness.checks.memory import Limits
from harness.deadline import wait_for
from harness.errors import DeadlineExceeded, GuestError, HostRefused
from harness.evidence import Measured
from harness.guest.boot import BOOT_ID
from harness.host.fillers import FULL

if TYPE_CHECKING:
    from harness.bench import Bench

GIVES_BACK_WITHIN = timedelta(minutes=3)
"""How long running guests have to give memory back before a start counts as refused."""


@contextmanager
def little_room(bench: Bench) -> Iterator[None]:
    """Fill the host but for a few guests' memory inside the block, so that few suffice."""
    with bench.fillers.filled(leave=bounds.DM_CROWD * bounds.DM_STARTUP):
        bench.story.append("filled the host's free memory but for a few guests")
        yield


def crowd(bench: Bench, *, dynamic: bool) -> Crowd:
    """Start guests one by one until the host refuses one for lack of memory; then end them all."""
    room = bench.fillers.room()
    free = Measured(room.value.free, room.evidence)
    with ExitStack() as stack:
        guests: list[Bench] = []
        refusal = None
        while refusal is None and len(guests) < bounds.DM_CROWD_MOST:
            one = stack.enter_context(bench.another())
            refusal = _start(one, dynamic=dynamic)
            if refusal is None:
                guests.append(one)
        memory = tuple(one.vm.memory() for one in guests)
        answered = sum(_answers(one) for one in guests)
        return Crowd(free, memory, answered, refusal)


def _start(one: Bench, *, dynamic: bool) -> str | None:
    """Boot a guest; return the refusal's id when the host lacks memory for it."""
    if dynamic:
        one.vm.set_dynamic_memory(Limits())
    else:
        one.vm.set_memory(bounds.DM_STARTUP)
    refusals: list[str] = []

    def started() -> bool | None:
        try:
            one.boot()
        except HostRefused as refused:
            if not refused.record.fqid.startswith(FULL):
                raise
            refusals.append(refused.record.fqid)
            return None if dynamic else False
        return True

    try:
        ran = wait_for("memory for one more guest", started, GIVES_BACK_WITHIN)
    except DeadlineExceeded:
        return refusals[-1]
    return None if ran else refusals[-1]


def _answers(one: Bench) -> bool:
    if one.running is None:
        return False
    try:
        return one.running.measure(BOOT_ID).value == one.running.boot_id
    except GuestError:
        return False
