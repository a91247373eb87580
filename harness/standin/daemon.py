"""Starts the serving process, waits until it serves, and ends it with all that it made."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from harness.deadline import wait_for
from harness.errors import DeadlineExceeded, LabError
from harness.process import process_started
from harness.standin.leftovers import kill_leftovers
from harness.standin.machines import MachineError
from harness.standin.state import (
    HostEntry,
    locked,
    make_folder,
    read_daemon,
    remove_folder,
)

UP_WITHIN = timedelta(seconds=60)
DOWN_WITHIN = timedelta(seconds=30)
OFTEN = timedelta(milliseconds=50)


def up(folder: Path, hosts: tuple[HostEntry, ...], *options: str) -> None:
    """Start the hosts in a process of their own; return when they listen. ``options``: of serve."""
    with locked(folder, "changing", wait=True):
        daemon = read_daemon(folder)
        if daemon is not None and daemon.alive():
            names = ", ".join(host.name for host in daemon.hosts)
            raise LabError(f"a lab is up at {folder} already ({names}); `hvcert lab down` ends it")
        with locked(folder, "serving", wait=False):
            _clear(folder)  # what a killed one left
            make_folder(folder)
        child = _spawn(folder, hosts, options)
        try:
            wait_for("the lab", lambda: _served(folder, child), UP_WITHIN, every=OFTEN)
        except (DeadlineExceeded, LabError):
            _give_up(child)
            _clear(folder)
            raise


def _spawn(
    folder: Path, hosts: tuple[HostEntry, ...], options: tuple[str, ...]
) -> subprocess.Popen[bytes]:
    """Start ``serve``, detached; its temporary files lie where ``down`` finds them."""
    temporary = folder / "tmp"
    temporary.mkdir(mode=0o700, exist_ok=True)
    command = [sys.executable, "-m", "harness.standin", "serve", "--state", str(folder.absolute())]
    command += [*options, *(f"--host={host}" for host in hosts)]
    command += [f"--fault={host.name}/{fault}" for host in hosts for fault in host.faults]
    with (folder / "daemon.log").open("wb") as log:
        return subprocess.Popen(  # noqa: S603  # our own program
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "TMPDIR": str(temporary.absolute())},
        )


def _served(folder: Path, child: subprocess.Popen[bytes]) -> bool | None:
    if child.poll() is not None:
        said = (folder / "daemon.log").read_text(errors="replace").strip().splitlines()
        raise LabError(said[-1] if said else f"the lab ended with status {child.returncode}")
    daemon = read_daemon(folder)
    return True if daemon and daemon.pid == child.pid else None


def _give_up(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.kill()
    child.wait()


def down(folder: Path) -> None:
    """End the serving process, every machine that it or a killed one left, and all files."""
    if not folder.exists():
        return
    with locked(folder, "changing", wait=True):
        daemon = read_daemon(folder)
        if daemon is not None and daemon.alive():
            _end(daemon.pid, daemon.started)
        with locked(folder, "serving", wait=False):
            _clear(folder)


def _clear(folder: Path) -> None:
    """End the machines that a killed lab left, and remove its folder."""
    try:
        kill_leftovers(folder / "run")
    except MachineError as error:
        raise LabError(f"{folder}: {error}") from error
    remove_folder(folder)


def _end(pid: int, started: str) -> None:
    """Ask the process to end, then end it; the kernel ends its machines with it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, DeadlineExceeded):
            os.kill(pid, number)
            wait_for(
                "the end of the lab",
                lambda: True if process_started(pid) != started else None,
                DOWN_WITHIN,
                every=OFTEN,
            )
        if process_started(pid) != started:
            return
    raise LabError(f"process {pid}, which serves the lab, does not end; end it by hand")
