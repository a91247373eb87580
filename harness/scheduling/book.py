"""The jobs of a run in its folder: workers collect the cases, the controller places them.

All workers collect the same; the first one to link its file wins, the others have nothing to add.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.errors import ResultsError
from harness.scheduling.job import Job
from harness.units import Bytes

NAME = "jobs.jsonl"


def written(folder: Path) -> bool:
    """Return whether a worker has written the jobs already."""
    return (folder / NAME).exists()


def write(folder: Path, jobs: Iterable[Job]) -> None:
    """Write the jobs, all or nothing; the jobs of another worker stay."""
    fresh = folder / f".{NAME}-{os.getpid()}"
    try:
        fresh.write_text("".join(json.dumps(_to_json(job)) + "\n" for job in jobs))
        if not written(folder):
            fresh.replace(folder / NAME)
    except OSError as broken:
        said = f"{folder}: cannot write the jobs ({broken.strerror}); free some space and run again"
        raise ResultsError(said) from broken
    finally:
        fresh.unlink(missing_ok=True)


def read(folder: Path) -> tuple[Job, ...]:
    """Read the jobs that a worker wrote; ResultsError where there are none."""
    try:
        lines = (folder / NAME).read_text().splitlines()
    except OSError as broken:
        said = f"{folder}: no worker has written {NAME} ({broken.strerror})"
        raise ResultsError(f"{said}; its folder must be the same for all of them") from broken
    return tuple(_from_json(json.loads(line)) for line in lines)


def _to_json(job: Job) -> dict[str, Any]:
    sizes = {"memory": job.memory.count, "expected": job.expected.total_seconds()}
    return asdict(job) | sizes


def _from_json(row: Mapping[str, Any]) -> Job:
    sizes = {"memory": Bytes(row["memory"]), "expected": timedelta(seconds=row["expected"])}
    return Job(**{**row, **sizes, "hosts": tuple(row["hosts"])})
