"""Measures what 1, 10 and 100 workers cost: memory of each, processor time of each case.

    python -m benchmarks.workers [--workers 1 10 100] [--json]

Each number of workers runs MMIO-01 on simulated guests as ``fleet.py`` does, twice as many cases as
workers, ten at least. Idle workers are those that get no case: in a run of one case, with one
worker more than asked for. Resident memory counts shared pages in each process, proportional memory
(PSS) divides them. Needs some minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import fleet

HOSTS, SLOTS, LEAST_CASES = 50, 20, 10
EVERY = 0.25  # seconds from one look at the processes to the next


@dataclass(frozen=True, slots=True)
class Look:
    """What one process had at a moment: MB of memory, seconds of processor time."""

    at: float
    pid: int
    resident: float
    proportional: float
    processor: float


def looks(process: subprocess.Popen[str]) -> Iterator[Look]:
    """Yield what the run's process and its children have, until it has ended."""
    while process.poll() is None:
        now = time.time()
        with suppress(OSError, IndexError, ValueError):  # what has just ended has nothing any more
            for pid in (process.pid, *_workers(process.pid)):
                memory = Path(f"/proc/{pid}/smaps_rollup").read_text()
                used = fleet.processor(pid)
                yield Look(now, pid, _mb(memory, "Rss"), _mb(memory, "Pss"), used)
        time.sleep(EVERY)


def _workers(pid: int) -> list[int]:
    """Return the workers that a controller has started, known by execnet's first words to them."""
    own = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(n) for n in own if b"exec(eval(" in Path(f"/proc/{n}/cmdline").read_bytes()]


def _mb(memory: str, name: str) -> float:
    (kib,) = (line.split()[1] for line in memory.splitlines() if line.startswith(f"{name}:"))
    return int(kib) * 1024 / 1e6


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that is over: what was seen of its processes, its verdicts and its recordings."""

    controller: int
    seen: tuple[Look, ...]
    rows: list[dict[str, Any]]
    recorded: list[list[dict[str, Any]]]

    @property
    def begun(self) -> float:
        """Return when the first case began."""
        return min(datetime.fromisoformat(case[0]["answer"]).timestamp() for case in self.recorded)

    def workers(self) -> dict[int, list[Look]]:
        """Return what was seen of each worker, by process."""
        found: dict[int, list[Look]] = {}
        for look in self.seen:
            if look.pid != self.controller:
                found.setdefault(look.pid, []).append(look)
        return found


def run(workers: int, cases: int, scale: float) -> Ended:
    """Run so many cases with so many workers."""
    with TemporaryDirectory(prefix="hvcert-workers-") as scratch:
        folder = Path(scratch)
        os.environ["HVCERT_LAB_DIR"] = str(folder / "lab")
        (folder / "fleet.yaml").write_text(fleet.inventory(HOSTS, cases, SLOTS))
        with (
            fleet.lab(folder, HOSTS, scale),
            (folder / "said").open("w") as said,
            subprocess.Popen(
                fleet.command(folder, workers), cwd=fleet.ROOT, stdout=said, stderr=said, text=True
            ) as process,
        ):
            seen = tuple(looks(process))
        ended = folder / "results" / "latest"
        if not (ended / "verdicts.jsonl").exists():
            raise SystemExit((folder / "said").read_text())
        recorded = [_entries(path) for path in (ended / "recordings").glob("*.jsonl")]
        return Ended(process.pid, seen, _entries(ended / "verdicts.jsonl"), recorded)


def measure(workers: int, scale: float) -> dict[str, Any]:
    """Return the figures for so many workers."""
    waiting = run(workers + 1, 1, scale)
    last = [looks[-1] for looks in waiting.workers().values()]
    idle = sorted(last, key=lambda look: look.processor)[:workers]
    cases = max(LEAST_CASES, 2 * workers)
    done = run(workers, cases, scale)
    for said in {row["because"] for row in done.rows if row["outcome"] != "pass"}:
        print(f"{workers} workers: {said}", file=sys.stderr)
    return {
        "workers": workers,
        "idle_resident_mb": _spread([look.resident for look in idle]),
        "idle_proportional_mb": _spread([look.proportional for look in idle]),
        "idle_cpu_s": _spread([look.processor for look in idle]),
        **_busy(done),
        **_cost(done, cases),
    }


def _busy(done: Ended) -> dict[str, Any]:
    """Return the memory of a run whose workers all have cases."""
    moments: dict[float, list[Look]] = {}
    for look in done.seen:
        moments.setdefault(look.at, []).append(look)
    controller = [look.resident for look in done.seen if look.pid == done.controller]
    most = [max(look.resident for look in looks) for looks in done.workers().values()]
    return {
        "busy_resident_mb": _spread(most),
        "controller_resident_mb": round(max(controller)),
        "all_resident_mb": round(max(sum(x.resident for x in m) for m in moments.values())),
        "all_proportional_mb": round(max(sum(x.proportional for x in m) for m in moments.values())),
    }


def _cost(done: Ended, cases: int) -> dict[str, Any]:
    """Return what a case takes; processor time of all processes since the first case began."""
    before = {look.pid: look.processor for look in done.seen if look.at < done.begun}
    after = {look.pid: look.processor for look in done.seen}
    used = sum(after.values()) - sum(before.values())
    calls = [[entry for entry in case if entry["kind"] == "host"] for case in done.recorded]
    waited = sum(entry["seconds"] for case in calls for entry in case)
    return {
        "cases": cases,
        "passed": sum(row["outcome"] == "pass" for row in done.rows),
        "cpu_ms_per_case": round(1000 * used / cases),
        "case_s": round(statistics.mean(case[-1]["at"] for case in done.recorded), 2),
        "host_calls_per_case": round(sum(map(len, calls)) / len(calls), 1),
        "host_calls_s_per_case": round(waited / len(calls), 2),
    }


def _entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": round(statistics.median(values), 1), "most": round(max(values), 1)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--scale", type=float, default=0.1, help="of a recorded second")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = [measure(workers, given.scale) for workers in given.workers]
    if given.json:
        print(json.dumps(found))
    else:
        for name in found[0]:
            print(f"{name:24}", *(f"{_said(row[name]):>16}" for row in found))
    return int(any(row["passed"] != row["cases"] for row in found))


def _said(value: dict[str, float] | float) -> str:
    return f"{value['median']} to {value['most']}" if isinstance(value, dict) else str(value)


if __name__ == "__main__":
    raise SystemExit(main())
