"""Where a lab keeps what it made, so that anyone can see it, use it, and take it away.

<state>/.hvcert-lab                 marks the folder as a lab's: only such a folder is ever removed
<state>/daemon.json                 pid, start time and hosts of the process that serves
<state>/daemon.log                  what it said
<state>/<host>/password             made anew at each start, readable by its user alone
<state>/<host>/ca.pem               the certificate that a client trusts
<state>/<host>/files/C/…            the host's drives
<state>/run/                        process ids and last words of the machines
<state>/tmp/                        temporary files of the process that serves
<state>.serving, <state>.changing   locks: of the process that serves, of `up` and `down`
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import LabError
from harness.process import process_started

USERNAME = "Administrator"
MARK = ".hvcert-lab"


@dataclass(frozen=True, slots=True)
class HostEntry:
    """One stand-in host as asked for on the command line; port 0 takes a free one.

    ``faults`` are the names of those that are seeded in it.
    """

    name: str
    windows: str
    address: str
    http_port: int = 5985
    https_port: int = 5986
    faults: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the form of the command line."""
        return f"{self.name}:{self.windows}:{self.address}:{self.http_port}:{self.https_port}"


@dataclass(frozen=True, slots=True)
class Daemon:
    """The process that serves; ``started`` (clock ticks since boot) tells a reused pid apart."""

    pid: int
    started: str
    hosts: tuple[HostEntry, ...]

    def alive(self) -> bool:
        """Return whether that very process still runs."""
        return process_started(self.pid) == self.started


def default_folder() -> Path:
    """Return the state folder: HVCERT_LAB_DIR, or ~/.local/state/hvcert/lab."""
    return Path(os.environ.get("HVCERT_LAB_DIR") or "~/.local/state/hvcert/lab").expanduser()


def make_folder(folder: Path) -> None:
    """Make the state folder and mark it; raise LabError where that cannot be."""
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        if any(folder.iterdir()) and not (folder / MARK).exists():
            raise LabError(
                f"{folder} is not empty and no lab's folder; nothing in it was touched;"
                " give --state (HVCERT_LAB_DIR) a folder of its own"
            )
        (folder / MARK).touch()
    except OSError as error:
        raise LabError(
            f"cannot make {folder}: {error.strerror}; set HVCERT_LAB_DIR to a folder of your own"
        ) from error


def remove_folder(folder: Path) -> None:
    """Remove a lab's folder with all in it; a folder of anybody else is refused."""
    if not folder.exists():
        return
    if any(folder.iterdir()) and not (folder / MARK).exists():
        raise LabError(f"{folder} is no lab's folder; nothing in it was touched")
    shutil.rmtree(folder)


@contextmanager
def locked(folder: Path, purpose: str, *, wait: bool) -> Iterator[None]:
    """Hold a lock of the lab, ``serving`` or ``changing``; without wait, LabError if it is held.

    The lock file is beside the folder, so that it outlives the folder.
    """
    path = folder.with_name(f"{folder.name}.{purpose}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("w")
    except OSError as error:
        raise LabError(f"cannot write {path}: {error.strerror}; set HVCERT_LAB_DIR") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise LabError(f"a lab is up at {folder} already; `hvcert lab down` ends it") from error
        yield


def write_daemon(folder: Path, daemon: Daemon) -> None:
    """Write down who serves, in one step."""
    fresh = folder / ".daemon.json.new"
    fresh.write_text(json.dumps(asdict(daemon)))
    fresh.replace(folder / "daemon.json")


def read_daemon(folder: Path) -> Daemon | None:
    """Return who serves or served this folder; None when nobody did."""
    try:
        row = json.loads((folder / "daemon.json").read_text())
        hosts = ({**entry, "faults": tuple(entry.get("faults", ()))} for entry in row["hosts"])
        return Daemon(row["pid"], row["started"], tuple(HostEntry(**entry) for entry in hosts))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def status(folder: Path) -> list[dict[str, str | list[str]]]:
    """Return one entry per host that is up, with all that a client needs to connect.

    A host that is broken on purpose has its ``faults`` there, too.
    """
    daemon = read_daemon(folder)
    if daemon is None or not daemon.alive():
        return []
    return [
        {
            "name": host.name,
            "url": f"http://{host.address}:{host.http_port}/wsman",
            "https_url": f"https://{host.address}:{host.https_port}/wsman",
            "username": USERNAME,
            "password": (folder / host.name / "password").read_text().strip(),
            "windows": host.windows,
            **({"faults": list(host.faults)} if host.faults else {}),
        }
        for host in daemon.hosts
    ]
