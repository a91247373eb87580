"""QEMU processes that outlived their stand-in: found by their own pid files, never by name."""

from __future__ import annotations

import os
import select
import signal
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from harness.standin.machines import MachineError

SUFFIX = ".pid"


def pid_file(run_dir: Path, vm: object) -> Path:
    """Return the file in which the QEMU of that machine writes its process id."""
    return run_dir.absolute() / f"{vm}{SUFFIX}"


def kill_leftovers(run_dir: Path, within: timedelta = timedelta(seconds=10)) -> tuple[int, ...]:
    """End the processes that are recorded in the folder; return their ids.

    A process is ours when its command line says that it writes just that pid file; this holds
    however often process ids were used again since. The caller knows that no stand-in works there.
    """
    records = sorted(run_dir.absolute().glob(f"*{SUFFIX}"))
    return tuple(pid for record in records if (pid := _end(record, within)) is not None)


def _end(record: Path, within: timedelta) -> int | None:
    """End the process of one record and remove the record; None when there was none."""
    text = record.read_text().strip()
    pid = int(text) if text.isdigit() else 0
    try:
        descriptor = os.pidfd_open(pid) if pid else -1  # pins the process before it is looked at
    except ProcessLookupError:
        descriptor = -1
    try:
        found = descriptor >= 0 and _writes(pid, record)
        if found:
            _kill(descriptor, pid, within)
    finally:
        if descriptor >= 0:
            os.close(descriptor)
    record.unlink(missing_ok=True)
    return pid if found else None


def _writes(pid: int, record: Path) -> bool:
    """Tell whether that process was started with ``-pidfile RECORD``."""
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return (b"-pidfile", os.fsencode(record)) in pairwise(arguments)


def _kill(descriptor: int, pid: int, within: timedelta) -> None:
    try:
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise MachineError(f"process {pid} is a leftover machine of another user") from error
    waiter = select.poll()
    waiter.register(descriptor, select.POLLIN)
    if not waiter.poll(within.total_seconds() * 1000):
        raise MachineError(f"process {pid}, a leftover machine, did not end when it was killed")
