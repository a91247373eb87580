"""SCSI disks plugged into and pulled out of a running QEMU; the guest is told by its controller."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from harness.deadline import wait_for
from harness.errors import DeadlineExceeded
from harness.standin import blocks
from harness.standin.commandline import block_node, device_of, node
from harness.standin.machines import DiskSpec, MachineError
from harness.standin.qmp import Qmp

POLL = timedelta(milliseconds=50)
LET_GO = timedelta(seconds=60)
"""A disk with requests on their way is let go of when they are done."""


def attach(qmp: Qmp, disk: DiskSpec) -> None:
    """Open the disk's file and show it to the guest; all of it, or nothing."""
    qmp.execute("blockdev-add", block_node(disk))
    try:
        qmp.execute("device_add", device_of(disk))
    except MachineError:
        qmp.execute("blockdev-del", {"node-name": node(disk)})
        raise


def detach(qmp: Qmp, disk: DiskSpec) -> None:
    """Take the device away and close its files; returns when they are closed."""
    device = device_of(disk)["id"]
    known = blocks.nodes(qmp)
    open_files = [path for path in blocks.chain(qmp, device) if path in known]
    names = [known[path] for path in open_files]
    qmp.execute("device_del", {"id": device})

    def closed() -> bool | None:
        for name in names:  # those that QEMU opened on its own account go with their child
            with suppress(MachineError):
                qmp.execute("blockdev-del", {"node-name": name})
        return None if set(names) & set(blocks.nodes(qmp).values()) else True

    try:
        wait_for(f"the release of {open_files[0]}", closed, LET_GO, every=POLL)
    except DeadlineExceeded as error:
        raise MachineError(str(error)) from error
