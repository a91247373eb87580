"""Kills a run with SIGKILL at random moments, again and again: a sweep must find all that it left.

    python benchmarks/kills.py [--times 200]          simulated guests on two stand-in hosts
    python benchmarks/kills.py --real [--times 10]    the real cases, on the embedded lab's guests

The run's processes die as a whole, as when a controller loses its power. After each kill every
lease must count as dead, and after one sweep the hosts must have no VM, no virtual machine process,
no switch of any run, and no file that was not there before. Prints one JSON object; exit status 1
when something stayed.
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
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import fleet
from harness.host import lease, private
from harness.host.command import Cmdlet, Value
from harness.host.sweep import sweep
from harness.inventory.load import load
from harness.inventory.model import Inventory
from harness.run import open_session

HOSTS, GUESTS = 2, 8
NETWORK = "127.94"
EMBEDDED = ROOT / "inventories" / "embedded.yaml"
FEATURES = ("FB", "DM", "BAK", "VHD", "KD or KX", "NMI", "MMIO")
KILLS_PER_LAB = 4
"""A host keeps the shells of the dead for ten minutes, and a user may have 30: begin anew."""


@dataclass(frozen=True, slots=True)
class Field:
    """What is killed: in which lab, by which command (it may differ each time), and when at last.

    ``latest``: seconds after the start of a run.
    """

    read: Inventory
    lab: Callable[[], AbstractContextManager[object]]
    command: Callable[[random.Random], tuple[str, ...]]
    latest: float


def simulated(folder: Path) -> Field:
    """Return a lab of recordings, and the fleet's case."""
    path = folder / "fleet.yaml"
    path.write_text(fleet.inventory(HOSTS, GUESTS, 4, NETWORK))

    def lab() -> AbstractContextManager[object]:
        return fleet.lab(folder, HOSTS, 0.1, NETWORK)

    return Field(load(path), lab, lambda _: fleet.command(folder, workers=2), 16.0)


def real(folder: Path) -> Field:
    """Return the embedded lab, and the cases of one feature at a time, whichever comes."""

    def command(moments: random.Random) -> tuple[str, ...]:
        """Run pytest itself: `hvcert run` gives it a session of its own, and only waits for it."""
        return (
            *(sys.executable, "-m", "pytest", str(ROOT / "testcases"), "-q", "-n", "2"),
            *("-k", f"({moments.choice(FEATURES)})", "-m", "not long"),
            *("-p", "harness.pytest_plugin", "-p", "no:cacheprovider"),
            *("-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT)),
            *(f"--inventory={EMBEDDED}", f"--results={folder / 'results'}"),
        )

    @contextmanager
    def lab() -> Iterator[None]:
        program = (sys.executable, "-m", "harness.standin")
        hosts = [f"--host={h.name}:{h.windows}:{h.address}" for h in load(EMBEDDED).lab]
        subprocess.run((*program, "up", *hosts), check=True, cwd=ROOT, capture_output=True)
        try:
            yield
        finally:
            subprocess.run((*program, "down"), check=True, cwd=ROOT, capture_output=True)

    return Field(load(EMBEDDED), lab, command, 120.0)


def killed(command: tuple[str, ...], after: float) -> None:
    """Start a run and kill all of its processes after so many seconds."""
    quiet = subprocess.DEVNULL
    child = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stdout=quiet, stderr=quiet)
    time.sleep(after)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def left(read: Inventory, folder: Path) -> tuple[int, list[str]]:
    """Return how many hosts had something of the dead run, and what a sweep did not remove."""
    had, stayed = 0, []
    for host in read.hosts:
        with open_session(host) as session:
            place: dict[str, Value] = {"Path": host.vm_path, "ItemType": "Directory", "Force": True}
            session.run(Cmdlet("New-Item", place))
            stayed += [f"{host.name}: {run} lives" for run in lease.alive(session, host)]
            had += bool(sweep(session, host, read))
            vms = session.run(Cmdlet("Get-VM")).records()
            stayed += [f"{host.name}: VM {vm.string('Name')}" for vm in vms]
            stayed += [f"{host.name}: {name}" for name in lease.names(session, host)]
            stayed += [f"{host.name}: switch {name}" for name in private.ours(session)]
    daemon = json.loads((folder / "lab" / "daemon.json").read_text())["pid"]
    theirs = Path(f"/proc/{daemon}/task/{daemon}/children").read_text().split()
    return had, [*stayed, *(f"process {pid}" for pid in theirs)]


def files(folder: Path) -> set[str]:
    """Return the files on all hosts' drives, seen from outside.

    Not the folder that Windows Server Backup makes at its first backup, and keeps: what is in it.
    """
    drives = (folder / "lab").glob("*/files")
    there = (path for drive in drives for path in drive.rglob("*"))
    kept = ("WindowsImageBackup", "WindowsImageBackup/*")
    return {
        str(path.relative_to(folder))
        for path in there
        if not (path.is_dir() and any(path.match(name) for name in kept))
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", action="store_true", help="real guests; some minutes a kill")
    parser.add_argument("--times", type=int, help="200; with --real 10")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    times = given.times or (10 if given.real else 200)
    moments = random.Random(given.seed)  # noqa: S311  # a moment is no secret
    with TemporaryDirectory(prefix="hvcert-kills-") as scratch:
        folder = Path(scratch)
        os.environ["HVCERT_LAB_DIR"] = str(folder / "lab")
        field = real(folder) if given.real else simulated(folder)
        dirty, stayed = 0, list[str]()
        for first in range(0, times, KILLS_PER_LAB):
            with field.lab():
                before = files(folder)
                for number in range(first, min(first + KILLS_PER_LAB, times)):
                    killed(field.command(moments), moments.uniform(0.5, field.latest))
                    had, wrong = left(field.read, folder)
                    dirty += bool(had)
                    new = [f"file {name}" for name in sorted(files(folder) - before)]
                    before |= files(folder)
                    stayed += [f"kill {number}: {what}" for what in (*wrong, *new)]
    print(json.dumps({"kills": times, "left_something": dirty, "stayed": stayed}))
    return int(bool(stayed))


if __name__ == "__main__":
    raise SystemExit(main())
