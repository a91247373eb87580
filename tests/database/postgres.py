"""A PostgreSQL of one's own, on a socket in a folder of its own; it ends with the block."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def program(name: str) -> str:
    """Return where Debian keeps a program that is on nobody's PATH."""
    found = [str(place / name) for place in PLACES if (place / name).exists()]
    where = found[-1] if found else shutil.which(name)
    if where is None:
        pytest.fail(f"no {name}: setup/install installs the package postgresql")
    return where


def as_nobody(*command: str) -> tuple[str, ...]:
    """Return the command, run by another user where root would be refused."""
    return ("runuser", "-u", "postgres", "--", *command) if os.geteuid() == 0 else command


@contextmanager
def cluster() -> Iterator[str]:
    """Yield the URL of an empty database.

    Its folder lies beside those of pytest, which lets nobody else into them.
    """
    with TemporaryDirectory(prefix="hvcert-postgres-") as made:
        folder = Path(made)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        start = (program("pg_ctl"), "-D", str(folder / "data"), "-l", str(folder / "log"), "-w")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        call(program("initdb"), "-D", str(folder / "data"), "-A", "trust", "-U", "hvcert")
        call(*start, "-o", options, "start")
        try:
            yield f"postgresql+psycopg://hvcert@/postgres?host={folder}"
        finally:
            call(*start, "-m", "immediate", "stop")


def call(*command: str) -> None:
    done = subprocess.run(as_nobody(*command), capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stdout + done.stderr
