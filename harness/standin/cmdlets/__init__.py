"""The cmdlets of the stand-in host; adding one is a function in its noun's file."""

from harness.standin.cim import cmdlets as cim
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets import (
    adapter,
    drive,
    firmware,
    integration,
    memory,
    server_backup,
    snapshot,
    snapshot_export,
    switch,
    vhd,
    vhd_resize,
    video,
    vm,
    vm_new,
    vm_state,
    vmhost,
)

NOUNS = (
    adapter, cim, drive, firmware, integration, memory, server_backup, snapshot, snapshot_export,
    switch, vhd, vhd_resize, video, vm, vm_new, vm_state, vmhost,
)  # fmt: skip
HYPERV_CMDLETS: tuple[Cmdlet, ...] = tuple(c for noun in NOUNS for c in noun.CMDLETS)
