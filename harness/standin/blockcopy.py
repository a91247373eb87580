"""Copies of a running machine's disks as they are at one instant (QMP blockdev-backup)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from harness.deadline import wait_for
from harness.errors import DeadlineExceeded
from harness.standin import blocks
from harness.standin.machines import MachineError
from harness.standin.qmp import Json, Qmp

POLL = timedelta(milliseconds=100)
Names = Mapping[str, str]
"""Block node of a disk → block node of the file that it is copied to."""


@contextmanager
def targets(qmp: Qmp, copies: Sequence[tuple[Path, Path]]) -> Iterator[Names]:
    """Open the files that shall be written; they are closed when the block ends."""
    known, names = blocks.nodes(qmp), dict[str, str]()
    try:
        for number, (disk, target) in enumerate(copies):
            if disk.absolute() not in known:
                raise MachineError(f"{disk}: the machine has no such disk")
            name = f"copy{number}"
            file = {"driver": "file", "filename": str(target.absolute())}
            qmp.execute("blockdev-add", {"driver": "qcow2", "node-name": name, "file": file})
            names[known[disk.absolute()]] = name
        yield names
    finally:
        for name in names.values():
            with suppress(MachineError):  # QEMU has ended
                qmp.execute("blockdev-del", {"node-name": name})


def begin(qmp: Qmp, names: Names) -> None:
    """Fix the content of all disks at one instant: from now on the copies do not change."""
    actions = [
        {
            "type": "blockdev-backup",
            "data": {
                "job-id": f"job-{target}",
                "device": disk,
                "target": target,
                "sync": "full",
                "auto-dismiss": False,
            },
        }
        for disk, target in names.items()
    ]
    if actions:
        qmp.execute("transaction", {"actions": actions})


def finish(qmp: Qmp, names: Names, within: timedelta) -> None:
    """Wait until everything is copied; raise MachineError when one of the copies failed."""
    jobs = [f"job-{target}" for target in names.values()]
    try:
        ended = wait_for("the copies of the disks", lambda: _ended(qmp, jobs), within, every=POLL)
    except DeadlineExceeded as error:
        for job in jobs:
            qmp.execute("block-job-cancel", {"device": job, "force": True})
        wait_for("the end of the copies", lambda: _ended(qmp, jobs), within, every=POLL)
        raise MachineError(str(error)) from error
    finally:
        for job in jobs:
            with suppress(MachineError):
                qmp.execute("job-dismiss", {"id": job})
    failed = [str(job["error"]) for job in ended if job.get("error")]
    if failed:
        raise MachineError(f"a disk could not be copied: {failed[0]}")


def _ended(qmp: Qmp, jobs: Sequence[str]) -> list[Json] | None:
    found = [job for job in qmp.execute("query-jobs") if job["id"] in jobs]
    return found if all(job["status"] == "concluded" for job in found) else None
