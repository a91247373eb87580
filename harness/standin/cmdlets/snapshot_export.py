"""Export-VMSnapshot: a checkpoint as files of their own, whatever the VM does meanwhile."""

from __future__ import annotations

from collections.abc import Iterable

from harness.standin import layers, paths
from harness.standin.api import Given, Streams
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets.select import locked
from harness.standin.cmdlets.snapshot import Found, asked
from harness.standin.faults import OLD, Refused, reported
from harness.standin.host import Host
from harness.standin.objects import snapshot_object
from harness.standin.values import Value
from harness.standin.world import Snapshot, Vm


def export_snapshot(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Export-VMSnapshot: disks with all their parents' content, and a configuration file."""
    for found in list(asked(host, given, streams)):
        with reported(given, host.release, streams):
            yield from _export(host, given, streams, found)


def _export(host: Host, given: Given, streams: Streams, found: Found) -> list[Value]:
    vm, snapshot = found

    def act(vm: Vm) -> list[Value]:
        write_out(host, vm, snapshot, paths.full(str(given["Path"])))
        return [snapshot_object(host, vm, snapshot)] if given.flag("Passthru") else []

    return locked(host, vm, given, streams, act)


def write_out(host: Host, vm: Vm, snapshot: Snapshot, path: str) -> None:
    """Write the checkpoint below ``path``; a folder of an earlier export there is refused."""
    home = paths.join(path, vm.name)
    if host.local(home).exists():
        raise Refused("OperationFailed", f"The folder '{home}' exists already.", home)
    made: list[str] = []
    try:
        for drive in layers.hard_disks(snapshot.settings):
            target = paths.join(home, "Virtual Hard Disks", _own_name(drive.path))
            made.append(target)
            host.disks.convert(host.local(drive.path), host.folder_for(target))
        suffix = "XML" if host.release.build < OLD else "vmcx"
        name = f"{str(vm.id).upper()}.{suffix}"
        host.folder_for(paths.join(home, "Virtual Machines", name)).write_text(vm.name)
    except BaseException:
        for target in made:
            host.remove(target)
        raise


def _own_name(path: str) -> str:
    """Name the copy after the disk; what was a checkpoint's differencing disk is whole now."""
    suffix = paths.extension(path).replace(".avhd", ".vhd")
    return f"{paths.stem(path)}{suffix}"


CMDLETS = (Cmdlet("Export-VMSnapshot", export_snapshot),)
