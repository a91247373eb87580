"""Runs the jobs in this very process, one after the other: a run without xdist."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from harness.scheduling.job import Placed
from harness.scheduling.plan import Plan

NO_ROOM = "no host has room for it"


def run_all(plan: Plan, run: Callable[[Placed], bool]) -> None:
    """Run what the plan gives; ``run`` returns False to end early."""
    while not plan.finished:
        placed = plan.next(datetime.now(UTC).timestamp())
        if placed is None:  # nothing runs, so nothing gets free
            plan.refused |= {job.item: NO_ROOM for job in plan.pending}
            return
        go_on = run(placed)
        plan.done(placed.job.item)
        if not go_on:
            return
