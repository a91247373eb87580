"""Whose turn it is: a case that needs the whole machine runs while no other worker has one.

The workers of one controller share the run's folder; the locks are files there, so a worker that
is killed lets go of them. First come, first served: whoever waits for its turn keeps others from
starting, so a case that runs alone waits for the cases under way, and no longer.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

QUEUE, STAGE = ".turn-queue", ".turn-stage"


@contextmanager
def turn(folder: Path, *, alone: bool) -> Iterator[None]:
    """Hold the stage inside the block: shared with other workers, or (``alone``) for oneself."""
    with (folder / QUEUE).open("w") as queue, (folder / STAGE).open("w") as stage:
        fcntl.flock(queue, fcntl.LOCK_EX)
        fcntl.flock(stage, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(queue, fcntl.LOCK_UN)
        yield
