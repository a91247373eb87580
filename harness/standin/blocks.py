"""Which block nodes a running QEMU has, switching its disks to overlays, merging them back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path

from harness.deadline import wait_for
from harness.errors import DeadlineExceeded
from harness.standin.machines import MachineError
from harness.standin.payload import file_of
from harness.standin.qmp import Json, Qmp

POLL = timedelta(milliseconds=30)
Overlays = Sequence[tuple[Path, Path]]
"""Pairs: a disk's file as it is attached, the file of the new overlay over it."""


def nodes(qmp: Qmp) -> dict[Path, str]:
    """Return the name of the block node of each disk file that is open, parents included."""
    found = qmp.execute("query-named-block-nodes", {"flat": True})
    return {file_of(n["file"]): n["node-name"] for n in found if n["drv"] != "file"}


def switch(qmp: Qmp, overlays: Overlays) -> None:
    """Put a new overlay over each disk, all of them at one instant or none."""
    known = nodes(qmp)
    actions = []
    for disk, overlay in overlays:
        if disk.absolute() not in known:
            raise MachineError(f"{disk}: the machine has no such disk")
        names = {"node-name": known[disk.absolute()], "snapshot-node-name": _unused(known)}
        data = names | {"snapshot-file": str(overlay.absolute()), "format": "qcow2"}
        actions.append({"type": "blockdev-snapshot-sync", "data": data})
        known[overlay.absolute()] = names["snapshot-node-name"]
    if actions:
        qmp.execute("transaction", {"actions": actions})


def grow(qmp: Qmp, disk: Path, size: int) -> None:
    """Make a disk that is open larger (bytes); the guest is told that its capacity changed."""
    known = nodes(qmp)
    if disk.absolute() not in known:
        raise MachineError(f"{disk}: the machine has no such disk")
    qmp.execute("block_resize", {"node-name": known[disk.absolute()], "size": size})


def _unused(known: dict[Path, str]) -> str:
    taken = set(known.values())
    return next(name for n in count(1) if (name := f"overlay{n}") not in taken)


def merge(qmp: Qmp, child: Path, parent: Path, within: timedelta) -> None:
    """Merge a disk of a chain that is in use into the one below it; both stay as files."""
    known, job = nodes(qmp), "merge"
    arguments = {
        "job-id": job,
        "device": _root(qmp, child.absolute()),
        "top-node": known[child.absolute()],
        "base-node": known[parent.absolute()],
        "auto-dismiss": False,
    }
    qmp.execute("block-commit", arguments)
    try:
        found = wait_for(f"the merge of {child}", lambda: _copied(qmp, job), within, every=POLL)
        if found["status"] == "ready":  # the disk that is being written waits to be told
            qmp.execute("job-complete", {"id": job})
        wait_for(f"the end of {child}'s merge", lambda: _over(qmp, job), within, every=POLL)
    except DeadlineExceeded as error:
        qmp.execute("block-job-cancel", {"device": job, "force": True})
        raise MachineError(str(error)) from error
    qmp.execute("job-dismiss", {"id": job})


def chain(qmp: Qmp, device: str) -> tuple[Path, ...]:
    """Return the files of the disk that a device (by its id) has now, the topmost first."""
    for entry in qmp.execute("query-block"):
        if entry.get("inserted") and entry.get("qdev", "").rpartition("/")[2] == device:
            return tuple(_chain(entry["inserted"]["image"]))
    raise MachineError(f"the machine has no device {device}")


def _root(qmp: Qmp, disk: Path) -> str:
    """Return the node that a device uses and whose chain of files has that disk in it."""
    for device in qmp.execute("query-block"):
        inserted = device.get("inserted")
        if inserted and disk in _chain(inserted["image"]):
            return str(inserted["node-name"])
    raise MachineError(f"{disk}: the machine has no such disk")


def _chain(image: Json) -> Iterator[Path]:
    while image:
        yield file_of(image["filename"])
        image = image.get("backing-image")


def _copied(qmp: Qmp, job: str) -> Json:
    """Return the job once its copying is done, None while it goes on."""
    jobs = qmp.execute("query-jobs")
    found: Json = next((entry for entry in jobs if entry["id"] == job), {})
    if not found or found.get("error"):
        raise MachineError(f"the merge failed: {found.get('error', 'its job vanished')}")
    return found if found["status"] in ("ready", "concluded") else None


def _over(qmp: Qmp, job: str) -> Json:
    found = _copied(qmp, job)
    return found if found and found["status"] == "concluded" else None
