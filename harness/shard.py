"""Splits a run over several controllers, each with its part; merging makes one run of them again.

The split is by how long cases are expected to take, the longest first to the shard with the least
(LPT, Graham 1969). Every controller works it out for itself, so all have to know the same: the plan
is kept as a digest of its cases and their expected times, and merging compares it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import ResultsError
from harness.scheduling.job import Job

NAME = "shard.json"
FORM = re.compile(r"([1-9]\d{0,3})/([1-9]\d{0,3})")


@dataclass(frozen=True, slots=True)
class Shard:
    """Part ``number`` (from 1) of ``of``; ``plan`` is the digest of all parts' cases."""

    number: int
    of: int
    plan: str = ""


def parse_shard(text: str) -> Shard:
    """Read ``2/3``; ValueError with what is possible for anything else."""
    found = FORM.fullmatch(text)
    if found is None or int(found[1]) > int(found[2]):
        said = f"shard {text!r} is none: write 1/3, 2/3 and 3/3 for three controllers"
        raise ValueError(said)
    return Shard(int(found[1]), int(found[2]))


def part(jobs: Sequence[Job], shard: Shard) -> list[Job]:
    """Return the jobs of a shard: all shards together have each job once."""
    loads = [0.0] * shard.of
    mine = []
    for job in sorted(jobs, key=lambda j: (-j.expected, j.recording)):
        lightest = loads.index(min(loads))
        loads[lightest] += job.expected.total_seconds()
        if lightest == shard.number - 1:
            mine.append(job)
    return mine


def digest(jobs: Sequence[Job]) -> str:
    """Return what stands for a plan: its cases and their expected times."""
    lines = sorted(f"{job.recording} {job.expected.total_seconds():.1f}" for job in jobs)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def keep(folder: Path, shard: Shard) -> None:
    """Write down which part of which plan a run is."""
    (folder / NAME).write_text(json.dumps(asdict(shard)) + "\n")


def read(folder: Path) -> Shard:
    """Read which part a run is; ResultsError where it is none."""
    try:
        return Shard(**json.loads((folder / NAME).read_text()))
    except (OSError, ValueError, TypeError) as wrong:
        said = f"{folder}: this run is no shard of another ({wrong}); merge takes runs of --shard"
        raise ResultsError(said) from wrong
