"""A writer that reads back and checks what it wrote: fio, as a transient unit of systemd.

It writes one file round and round, and verifies each part soon after: direct, so that reads come
from the disk. It goes on until it is stopped; fio then says what it found, as JSON.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from harness.errors import EvidenceError
from harness.evidence import Probe
from harness.units import Bytes, KiB, MiB

PROGRAM = "fio"
BLOCK = 256 * KiB


@dataclass(frozen=True, slots=True)
class Fio:
    """What fio says at its end: ``error`` is an errno (84: what was read is not what was written).

    ``verified`` is what it read back and compared.
    """

    error: int
    written: Bytes
    verified: Bytes


def parse_fio(text: str) -> Fio:
    """Read ``--output-format=json`` of one job.

    A stopped fio first prints ``fio: terminating on signal 2``; a version note may follow.
    """
    start, end = text.find("{"), text.rfind("}")
    try:
        jobs = json.loads(text[start : end + 1])["jobs"]
        (job,) = jobs
        return Fio(
            int(job["error"]),
            Bytes(int(job["write"]["io_bytes"])),
            Bytes(int(job["read"]["io_bytes"])),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise EvidenceError("fio", "JSON of one job", text) from error


def start(unit: str, file: str, size: Bytes, report: str) -> Probe[str]:
    """Start the workload in the background; ``report`` is the file that it ends with."""
    workload = (
        *(PROGRAM, "--name=work", f"--filename={file}", f"--size={size.count}"),
        *("--rw=write", f"--bs={BLOCK.count}", "--direct=1", "--ioengine=psync"),
        "--fallocate=none",  # use grows as it writes
        *("--verify=crc32c", "--verify_backlog=64", "--verify_fatal=1"),
        *("--time_based", "--runtime=7200", "--output-format=json", f"--output={report}"),
    )
    unit_options = (
        f"--unit={unit}",
        "--property=KillSignal=SIGINT",
        "--property=TimeoutStopSec=300",
    )
    return Probe(("systemd-run", *unit_options, *workload), str, privileged=True)


def fill(file: str, size: Bytes) -> Probe[Fio]:
    """Write a file of that size once and verify it; what goes wrong is in the answer."""
    argv = (
        *(PROGRAM, "--name=fill", f"--filename={file}", f"--size={size.count}"),
        *("--rw=write", f"--bs={(1 * MiB).count}", "--direct=1", "--ioengine=psync"),
        *("--verify=crc32c", "--verify_fatal=1", "--output-format=json"),
    )
    return Probe(argv, parse_fio, privileged=True, fails_ok=True)


@dataclass(frozen=True, slots=True)
class Unit:
    """State of a systemd unit: ``active`` while it runs; ``result`` is systemd's word."""

    active: bool
    result: str


def parse_unit(text: str) -> Unit:
    """Read ``systemctl show``, e.g. ``ActiveState=active`` and ``Result=success``."""
    found = dict(line.partition("=")[::2] for line in text.splitlines())
    if "ActiveState" not in found:
        raise EvidenceError("unit", "ActiveState", text)
    return Unit(found["ActiveState"] in ("active", "activating"), found.get("Result", ""))


def state(unit: str) -> Probe[Unit]:
    """Ask whether the workload runs."""
    wanted = ("-p", "ActiveState", "-p", "SubState", "-p", "Result", "-p", "ExecMainStatus")
    return Probe(("systemctl", "show", f"{unit}.service", *wanted), parse_unit)


def stop(unit: str) -> Probe[str]:
    """Ask it to end; returns when it has. It is no error when it ended before."""
    return Probe(("systemctl", "stop", f"{unit}.service"), str, privileged=True, fails_ok=True)


def forget(unit: str) -> Probe[str]:
    """Clear a failed unit's state, so that nothing of it is left."""
    return Probe(
        ("systemctl", "reset-failed", f"{unit}.service"), str, privileged=True, fails_ok=True
    )


def report_of(path: str) -> Probe[Fio]:
    """Ask for what it said at its end."""
    return Probe(("cat", path), parse_fio, privileged=True)
