"""Runs one case on each of many simulated guests over many stand-in hosts, all on this machine.

The protocols are real on both sides (WinRM and SSH), the guests are recordings whose waits pass
scaled down, so that what is measured is the scheduling and the harness's own cost. Prints the
makespan (first case begun to last case ended) against the lower bound: the work of all cases over
what can run at a time, or the longest case, whichever is more. One JSON object with --json.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
BOUND = 1.10
NETWORK = "127.90"
HOST = """
  - name: {name}
    address: {address}
    transport: http
    authentication: ntlm
    username: Administrator
    password: {{file: "${{HVCERT_LAB_DIR}}/{name}/password"}}
    switch: LabSwitch
    vm_path: C:\\hvcert\\vms
    memory_reserve: 1 GiB
    processors_budget: {slots}
    pool: fleet
"""
GUEST = """
  - name: {name}
    template: {{path: 'C:\\hvcert\\templates\\recording.vhdx', generation: 1}}
    memory: 1024 MiB
    processors: 1
    family: debian
    release: "12"
    ssh:
      user: hvcert
      key: ${{HVCERT_LAB_DIR}}/simulated/id_ed25519
      host_key: {{file: "${{HVCERT_LAB_DIR}}/simulated/ssh_host_ed25519_key.pub"}}
      become: sudo
    cases: [MMIO-01]
"""


def addresses(hosts: int, network: str) -> dict[str, str]:
    """Return a loopback address for each host, by name."""
    return {f"hv-{n:03d}": f"{network}.{n // 250}.{n % 250 + 1}" for n in range(hosts)}


def inventory(hosts: int, guests: int, slots: int, network: str = NETWORK) -> str:
    """Return the inventory of a pool of hosts, each with room for so many guests at a time."""
    there = addresses(hosts, network)
    machines = "".join(HOST.format(name=n, address=a, slots=slots) for n, a in there.items())
    under_test = "".join(GUEST.format(name=f"sim-{n:04d}") for n in range(guests))
    return f"hosts:{machines}\nguests:{under_test}"


@contextmanager
def lab(folder: Path, hosts: int, scale: float, network: str = NETWORK) -> Iterator[dict[str, Any]]:
    """Bring the hosts up; yield what that cost."""
    names = [f"--host={n}:2022:{a}" for n, a in addresses(hosts, network).items()]
    program = (sys.executable, "-m", "harness.standin")
    began = time.perf_counter()
    up = (*program, "up", f"--simulated={scale}", *names)
    subprocess.run(up, check=True, cwd=ROOT, capture_output=True)
    try:
        pid = json.loads((folder / "lab" / "daemon.json").read_text())["pid"]
        cost = {"lab_up_s": round(time.perf_counter() - began, 1), "lab_pid": pid}
        yield cost
        cost["lab_cpu_s"], cost["lab_resident_mb"] = processor(pid), resident(pid)
    finally:
        subprocess.run((*program, "down"), check=True, cwd=ROOT, capture_output=True)


def processor(pid: int) -> float:
    """Return the processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return round((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), 1)


def resident(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def command(folder: Path, workers: int) -> tuple[str, ...]:
    """Return the command that runs the case on all guests of the folder's inventory."""
    return (
        *(sys.executable, "-m", "pytest", str(ROOT / "benchmarks" / "fleet_case.py"), "-q"),
        *("-p", "harness.pytest_plugin", "-c", str(ROOT / "pyproject.toml")),
        *("--rootdir", str(ROOT), "-p", "no:cacheprovider", "-n", str(workers)),
        *(f"--inventory={folder / 'fleet.yaml'}", f"--results={folder / 'results'}"),
    )


def run(folder: Path, workers: int) -> tuple[Path, float]:
    """Run the case on all guests; return the run's folder and what the harness's processes used."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command(folder, workers), check=False, cwd=ROOT, capture_output=True, text=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not (folder / "results" / "latest" / "verdicts.jsonl").exists():
        raise SystemExit(done.stdout + done.stderr)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return (folder / "results" / "latest").resolve(), used


def figures(run_folder: Path, at_a_time: int) -> dict[str, Any]:
    """Return makespan and lower bound from what the run wrote."""
    verdicts = [json.loads(x) for x in (run_folder / "verdicts.jsonl").read_text().splitlines()]
    spans = []
    for path in (run_folder / "recordings").glob("*.jsonl"):
        first, *_, last = path.read_text().splitlines()
        began = datetime.fromisoformat(json.loads(first)["answer"]).timestamp()
        spans.append((began, began + json.loads(last)["at"]))
    makespan = max(end for _, end in spans) - min(start for start, _ in spans)
    work = sum(end - start for start, end in spans)
    longest = max(end - start for start, end in spans)
    bound = max(work / at_a_time, longest)
    hosts: dict[str, int] = {}
    for row in verdicts:
        hosts[row["host"]] = hosts.get(row["host"], 0) + 1
    return {
        "makespan_s": round(makespan, 1),
        "lower_bound_s": round(bound, 1),
        "ratio": round(makespan / bound, 3),
        "cases": len(verdicts),
        "passed": sum(row["outcome"] == "pass" for row in verdicts),
        "case_s": {"mean": round(work / len(spans), 2), "longest": round(longest, 2)},
        "cases_per_host": {"least": min(hosts.values()), "most": max(hosts.values())},
        "hosts_used": len(hosts),
        "at_a_time": at_a_time,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--guests", type=int, default=1000)
    parser.add_argument("--slots", type=int, default=20, help="guests that a host holds at a time")
    parser.add_argument("--workers", type=int, default=24, help="cases at a time")
    parser.add_argument("--scale", type=float, default=0.1, help="of a recorded second")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with TemporaryDirectory(prefix="hvcert-fleet-") as scratch:
        folder = Path(scratch)
        os.environ["HVCERT_LAB_DIR"] = str(folder / "lab")
        (folder / "fleet.yaml").write_text(inventory(given.hosts, given.guests, given.slots))
        with lab(folder, given.hosts, given.scale) as cost:
            began = time.perf_counter()
            ended, used = run(folder, given.workers)
            whole = time.perf_counter() - began
        found = figures(ended, min(given.workers, given.hosts * given.slots))
    cases = found["cases"]
    found |= {
        "hosts": given.hosts,
        "guests": given.guests,
        "scale": given.scale,
        "whole_run_s": round(whole, 1),
        **cost,
        "harness_cpu_ms_per_case": round(1000 * used / cases, 1),
        "lab_cpu_ms_per_case": round(1000 * cost["lab_cpu_s"] / cases, 1),
    }
    if given.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:26} {value}")
    return int(found["passed"] != cases or found["ratio"] > BOUND)


if __name__ == "__main__":
    raise SystemExit(main())
