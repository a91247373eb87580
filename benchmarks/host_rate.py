"""Measures how many host calls one controller sustains over many hosts.

    python -m benchmarks.host_rate [--hosts 50] [--workers 1 2 4] [--seconds 20] [--json]

Each worker is a process of its own, as in a run; it holds a session to each of its hosts, and a
thread for each session asks ``Get-VM -Name x`` again and again. The stand-in answers from this same
machine, so its share of the processor is given, too.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import fleet
from harness.host.command import Cmdlet
from harness.inventory.load import load
from harness.inventory.model import Host
from harness.run import open_session

VM = "bench-vm"


def ask(host: Host, seconds: float) -> tuple[list[float], float]:
    """Ask one host until the time is over; return each call's seconds, and the processor time."""
    get = Cmdlet("Get-VM", {"Name": VM}, safe_to_repeat=True)
    with open_session(host) as session:
        session.run(Cmdlet("New-VM", {"Name": VM, "Generation": 1, "NoVHD": True}))
        took = []
        used, end = time.thread_time(), time.perf_counter() + seconds
        while (began := time.perf_counter()) < end:
            session.run(get)
            took.append(time.perf_counter() - began)
        used = time.thread_time() - used
        session.run(Cmdlet("Remove-VM", {"Name": VM, "Force": True}))
        return took, used


def worker(path: Path, names: Sequence[str], seconds: float) -> list[tuple[list[float], float]]:
    """Ask these hosts at the same time."""
    inventory = load(path)
    with ThreadPoolExecutor(len(names)) as threads:
        asked = [threads.submit(ask, inventory.host(name), seconds) for name in names]
        return [each.result() for each in asked]


def measure(hosts: int, workers: int, seconds: float) -> dict[str, Any]:
    """Return calls a second and what they cost."""
    with TemporaryDirectory(prefix="hvcert-rate-") as scratch:
        folder = Path(scratch)
        os.environ["HVCERT_LAB_DIR"] = str(folder / "lab")
        path = folder / "fleet.yaml"
        path.write_text(fleet.inventory(hosts, 1, 1))
        names = tuple(fleet.addresses(hosts, fleet.NETWORK))
        shares = [names[n::workers] for n in range(min(workers, hosts))]
        with (
            fleet.lab(folder, hosts, 1.0) as lab,
            ProcessPoolExecutor(workers, get_context("spawn")) as processes,
        ):
            before = fleet.processor(lab["lab_pid"])  # what the hosts' start took
            asked = [processes.submit(worker, path, share, seconds) for share in shares]
            done = [one for each in asked for one in each.result()]
    took = [one for times, _ in done for one in times]
    used = sum(each for _, each in done)
    return {
        "hosts": hosts,
        "workers": workers,
        "calls": len(took),
        "calls_per_s": round(len(took) / seconds, 1),
        "median_ms": round(1000 * statistics.median(took), 1),
        "p95_ms": round(1000 * statistics.quantiles(took, n=20)[-1], 1),
        "controller_cpu_ms_per_call": round(1000 * used / len(took), 2),
        "lab_cpu_ms_per_call": round(1000 * (lab["lab_cpu_s"] - before) / len(took), 2),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = [measure(given.hosts, workers, given.seconds) for workers in given.workers]
    if given.json:
        print(json.dumps(found))
    else:
        for name in found[0]:
            print(f"{name:28}", *(f"{row[name]:>10}" for row in found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
