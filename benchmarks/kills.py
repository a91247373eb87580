"""Kills a run with SIGKILL at random moments, again and again: a sweep must find all that it left.

Simulated guests on two stand-in hosts; the run's processes die as a whole, as when a controller
loses its power. After each kill every lease must count as dead, and after one sweep the hosts must
have no VM, no file and no switch of any run. Prints one JSON object; exit status 1 when something
stayed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.fleet import inventory, lab
from harness.host import lease, private
from harness.host.command import Cmdlet, Value
from harness.host.sweep import sweep
from harness.inventory.load import load
from harness.inventory.model import Inventory
from harness.run import open_session

HOSTS, GUESTS, LATEST = 2, 8, 16.0
NETWORK = "127.94"
KILLS_PER_LAB = 4
"""A host keeps the shells of the dead for ten minutes, and a user may have 30: begin anew."""


def killed(folder: Path, after: float) -> None:
    """Start a run and kill all of its processes after so many seconds."""
    command = (
        *(sys.executable, "-m", "pytest", str(ROOT / "benchmarks" / "fleet_case.py"), "-q"),
        *(
            "-p",
            "harness.pytest_plugin",
            "-c",
            str(ROOT / "pyproject.toml"),
            "--rootdir",
            str(ROOT),
        ),
        *("-p", "no:cacheprovider", "-n", "2"),
        *(f"--inventory={folder / 'fleet.yaml'}", f"--results={folder / 'results'}"),
    )
    child = subprocess.Popen(
        command,
        cwd=ROOT,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(after)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def left(read: Inventory) -> tuple[int, list[str]]:
    """Return how many hosts had something of the dead run, and what a sweep did not remove."""
    had, stayed = 0, []
    for host in read.hosts:
        with open_session(host) as session:
            folder: dict[str, Value] = {
                "Path": host.vm_path,
                "ItemType": "Directory",
                "Force": True,
            }
            session.run(Cmdlet("New-Item", folder))
            stayed += [f"{host.name}: {run} lives" for run in lease.alive(session, host)]
            had += bool(sweep(session, host, read))
            vms = session.run(Cmdlet("Get-VM")).records()
            stayed += [f"{host.name}: VM {vm.string('Name')}" for vm in vms]
            stayed += [f"{host.name}: {name}" for name in lease.names(session, host)]
            stayed += [f"{host.name}: switch {name}" for name in private.ours(session)]
    return had, stayed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    moments = random.Random(given.seed)  # noqa: S311  # a moment is no secret
    with TemporaryDirectory(prefix="hvcert-kills-") as scratch:
        folder = Path(scratch)
        os.environ["HVCERT_LAB_DIR"] = str(folder / "lab")
        (folder / "fleet.yaml").write_text(inventory(HOSTS, GUESTS, 4, NETWORK))
        read = load(folder / "fleet.yaml")
        dirty, stayed = 0, list[str]()
        for first in range(0, given.times, KILLS_PER_LAB):
            with lab(folder, HOSTS, 0.1, NETWORK):
                for number in range(first, min(first + KILLS_PER_LAB, given.times)):
                    killed(folder, moments.uniform(0.5, LATEST))
                    had, wrong = left(read)
                    dirty += bool(had)
                    stayed += [f"kill {number}: {what}" for what in wrong]
    print(json.dumps({"kills": given.times, "left_something": dirty, "stayed": stayed}))
    return int(bool(stayed))


if __name__ == "__main__":
    raise SystemExit(main())
