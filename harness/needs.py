"""What a case needs of a host, as its marks and its guest say: the job that the plan places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from harness.durations import known_seconds
from harness.resume import settled
from harness.scheduling import book
from harness.scheduling.job import Job
from harness.shard import digest, keep, part
from harness.state import LEDGER, State

if TYPE_CHECKING:
    from harness.inventory.model import Guest, Place

SHORT, LONG = timedelta(minutes=2), timedelta(minutes=10)
"""How long a case takes that no run has timed yet."""


def write_jobs(cases: Iterable[pytest.Item], state: State) -> None:
    """Write down what is going to run, unless another worker has."""
    if book.written(state.store.folder):
        return
    found = tuple(cases)
    folder = state.store.folder
    known = known_seconds(folder.parent)
    jobs = [job_of(item, known) for item in found]
    planned = {row.recording for row in state.store.planned()} if state.resumed else set()
    if planned:  # durations may have changed since: a shard stays the part that it was
        jobs = [job for job in jobs if job.recording in planned]
    elif state.shard is not None:
        plan = digest(jobs)
        jobs = part(jobs, state.shard)
        keep(folder, replace(state.shard, plan=plan))
    mine = {job.item for job in jobs}
    ledgers = (item.stash[LEDGER] for item in found if item.nodeid in mine)
    state.store.plan(row for ledger in ledgers for row in ledger.planned())
    done = settled(state.store)
    book.write(folder, [job for job in jobs if job.recording not in done])


def job_of(item: pytest.Item, known: Mapping[str, float]) -> Job:
    """Return what a case needs of a host: its marks and its guest say so.

    ``known``: how many seconds recordings took before.
    """
    guest: Guest
    place: Place
    guest, place = item.callspec.params["seat"]  # type: ignore[attr-defined]  # by pytest_generate_tests
    needs: dict[str, Any] = {}
    for mark in item.iter_markers("needs"):
        needs |= mark.kwargs
    guests = int(needs.get("guests", 1))
    ledger = item.stash[LEDGER]
    took = known.get(ledger.recording, 0.0)
    guess = LONG if item.get_closest_marker("long") else SHORT
    return Job(
        item=item.nodeid,
        recording=ledger.recording,
        guest=guest.name,
        place=place.name,
        hosts=tuple(host.name for host in place.hosts),
        memory=guests * guest.memory,
        processors=guests * guest.processors,
        expected=timedelta(seconds=took) if took else guess,
        alone=item.get_closest_marker("alone") is not None,
        backup_disk=bool(needs.get("backup_disk")),
        template=getattr(guest.source, "path", ""),
        priority=guest.priority,
    )
