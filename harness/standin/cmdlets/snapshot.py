"""Checkpoint-VM and the VMSnapshot nouns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.standin import checkpoints
from harness.standin.api import Given, Streams
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets.select import each, live, locked, snapshot_of, texts, vms
from harness.standin.cmdlets.vm import new_name
from harness.standin.faults import Refused, reported
from harness.standin.host import Host
from harness.standin.objects import snapshot_object, virtual_machine
from harness.standin.parts import Part
from harness.standin.values import Record, Value
from harness.standin.wildcard import has_wildcards, matches
from harness.standin.world import Snapshot, Vm

Found = tuple[Vm, Snapshot]


def checkpoint_vm(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Checkpoint-VM; with -Passthru the new checkpoint."""

    def act(vm: Vm) -> list[Value]:
        name = new_name(given["SnapshotName"]) if "SnapshotName" in given else ""
        snapshot = checkpoints.take(host, vm, name)
        return [snapshot_object(host, vm, snapshot)] if given.flag("Passthru") else []

    return each(host, given, streams, act, "Name")


def get_snapshot(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Get-VMSnapshot: of VMs (by name), by Id, of a parent or child."""
    for vm, snapshot in asked(host, given, streams):
        yield snapshot_object(host, vm, snapshot)


def asked(host: Host, given: Given, streams: Streams) -> Iterator[Found]:
    """Yield the checkpoints that a cmdlet's parameters name."""
    with reported(given, host.release, streams):
        if "Id" in given:
            yield _by_id(host, given["Id"])
        elif "ChildOf" in given or "ParentOf" in given:
            yield from _relatives(host, given)
        elif "VMSnapshot" in given:
            yield from _from_objects(host, given)
        else:
            for vm in vms(host, given, streams):
                with reported(given, host.release, streams):
                    yield from _named(vm, given)


def _by_id(host: Host, wanted: Value) -> Found:
    for vm in host.world.vms.values():
        for snapshot in vm.snapshots.values():
            if snapshot.id == wanted:
                return vm, snapshot
    raise Refused("ObjectNotFound", f"No checkpoint has the ID {wanted!s}.", str(wanted))


def _relatives(host: Host, given: Given) -> Iterator[Found]:
    if "ChildOf" in given:
        vm, snapshot = live(host, given["ChildOf"]), snapshot_of(given["ChildOf"])
        yield from ((vm, s) for s in vm.snapshots.values() if s.parent == snapshot.id)
        return
    record = given["ParentOf"]
    vm = live(host, record)
    below = isinstance(record, Record) and isinstance(record.live, Part)
    parent = snapshot_of(record).parent if below else vm.current
    if parent:
        yield vm, vm.snapshots[parent]


def _from_objects(host: Host, given: Given) -> Iterator[Found]:
    value = given["VMSnapshot"]
    for record in value if isinstance(value, list) else [value]:
        yield live(host, record), snapshot_of(record)


def _named(vm: Vm, given: Given) -> list[Found]:
    everyone = sorted(vm.snapshots.values(), key=lambda s: s.created)
    names = texts(given.get("Name"))
    found = [s for s in everyone if not names or any(matches(n, s.name) for n in names)]
    if names and not found and not any(has_wildcards(n) for n in names):
        raise Refused(
            "InvalidParameter",
            f"Hyper-V was unable to find a checkpoint with name \"{names[0]}\" of '{vm.name}'.",
            names[0],
        )
    return [(vm, s) for s in found]


def _on_each(
    host: Host, given: Given, streams: Streams, found: Found, *, remove: bool
) -> list[Value]:
    vm, snapshot = found

    def act(vm: Vm) -> list[Value] | None:
        if not remove:
            checkpoints.apply(host, vm, snapshot)
            return [snapshot_object(host, vm, snapshot)] if given.flag("Passthru") else []
        tree = given.flag("IncludeAllChildSnapshots")
        for one in checkpoints.descendants(vm, snapshot) if tree else [snapshot]:
            checkpoints.remove(host, vm, one)
        return None

    return locked(host, vm, given, streams, act)


def restore_snapshot(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Restore-VMSnapshot: the VM ends Off, or Saved when the checkpoint holds memory."""
    for found in list(asked(host, given, streams)):
        with reported(given, host.release, streams):
            yield from _on_each(host, given, streams, found, remove=False)


def remove_snapshot(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Remove-VMSnapshot; returns when the disks are merged, unless a machine uses them."""
    for found in list(asked(host, given, streams)):
        with reported(given, host.release, streams):
            yield from _on_each(host, given, streams, found, remove=True)


def rename_snapshot(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Rename-VMSnapshot."""
    for vm, snapshot in list(asked(host, given, streams)):
        with reported(given, host.release, streams):
            snapshot.name = new_name(given["NewName"])
            if given.flag("Passthru"):
                yield virtual_machine(host, vm)


CMDLETS = (
    Cmdlet("Checkpoint-VM", checkpoint_vm),
    Cmdlet("Get-VMSnapshot", get_snapshot),
    Cmdlet("Restore-VMSnapshot", restore_snapshot),
    Cmdlet("Remove-VMSnapshot", remove_snapshot),
    Cmdlet("Rename-VMSnapshot", rename_snapshot),
)
