"""The one place of the image builder that runs programs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from harness.errors import LabError

NEEDED = {  # program: Debian package
    "apt-get": "apt",
    "mke2fs": "e2fsprogs",
    "mmdebstrap": "mmdebstrap",
    "qemu-img": "qemu-utils",
    "qemu-system-x86_64": "qemu-system-x86",
}
GUARD = ("setpriv", "--pdeathsig", "KILL", "--")
"""Before a long program: the kernel ends it when the builder ends, however that ends."""

ISOLATED = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
"""Before a program run as root: its mounts and processes end with it, however it ends."""

PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))


def require_tools() -> None:
    """Raise LabError that names every package that is missing."""
    missing = sorted(
        package for tool, package in NEEDED.items() if not shutil.which(tool, path=PATH)
    )
    if missing:
        raise LabError(f"this machine lacks {', '.join(missing)}; run setup/install")


def read(argv: tuple[str, ...]) -> str:
    """Return what a program prints; raise LabError when it fails."""
    done = subprocess.run(  # noqa: S603 - argv, no shell
        argv, capture_output=True, text=True, check=False, errors="replace"
    )
    if done.returncode:
        raise LabError(
            f"{argv[0]} ended with status {done.returncode}: {done.stderr.strip()[-300:]}"
        )
    return done.stdout


def run(
    argv: tuple[str, ...],
    log: Path,
    within: timedelta,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a program to its end, what it says appended to the log; raise LabError on failure."""
    with log.open("ab") as output:
        output.write(f"\n$ {' '.join(argv)}\n".encode())
        output.flush()
        child = subprocess.Popen(  # noqa: S603 - argv, no shell
            (*GUARD, *argv),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
            env={**os.environ, "PATH": PATH, **(environment or {})},
        )
        try:
            status = child.wait(within.total_seconds())
        except subprocess.TimeoutExpired:
            raise LabError(f"{argv[0]} did not end within {within.total_seconds():.0f} s") from None
        finally:
            _end(child)
    if status:
        raise LabError(f"{argv[0]} ended with status {status}")


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a child that still runs, and all that it started."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
