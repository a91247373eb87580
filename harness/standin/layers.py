"""The chain of disk files that checkpoints make, and its collapse when they are gone."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

from harness.standin import paths
from harness.standin.host import Host
from harness.standin.world import Drive, Settings, Vm


def overlay_name(path: str) -> str:
    """Return a name for a new file over a disk, beside it: ``a_<GUID>.avhdx``."""
    stem = (
        paths.stem(path).split("_", 1)[0] if paths.extension(path) == ".avhdx" else paths.stem(path)
    )
    return paths.join(paths.folder(path), f"{stem}_{str(uuid4()).upper()}.avhdx")


def hard_disks(settings: Settings) -> list[Drive]:
    """Return the drives that have a disk file."""
    return [d for d in settings.drives if not d.dvd and d.path]


def plan(settings: Settings) -> dict[str, str]:
    """Return disk file → new file over it, for every hard disk."""
    return {d.path: overlay_name(d.path) for d in hard_disks(settings)}


def switch_to(vm: Vm, overlays: dict[str, str]) -> None:
    """Let the VM's drives use the new files."""
    for drive in hard_disks(vm.settings):
        new = overlays[drive.path]
        vm.layers[new], drive.path = drive.path, new


def create(host: Host, overlays: dict[str, str]) -> None:
    """Make the files; on failure those that were made are gone again."""
    try:
        for below, new in overlays.items():
            host.disks.create(host.local(new), kind="Differencing", parent=host.local(below))
    except BaseException:
        drop(host, overlays)
        raise


def drop(host: Host, overlays: dict[str, str]) -> None:
    """Delete files that nothing uses."""
    for new in overlays.values():
        host.remove(new)


def collapse(host: Host, vm: Vm) -> None:
    """Merge away every file that neither "now" nor a checkpoint needs, also while a machine runs.

    Raises MachineError when a merge fails; what is left is merged when the VM goes off or is saved.
    """
    while any(_collapse_one(host, vm, node) for node in _unused(vm)):
        pass


def _all_settings(vm: Vm) -> Iterator[Settings]:
    yield vm.settings
    for snapshot in vm.snapshots.values():
        yield snapshot.settings


def _now(vm: Vm) -> Iterator[str]:
    """Yield every file that the VM's disks consist of now."""
    for drive in hard_disks(vm.settings):
        path: str | None = drive.path
        while path:
            yield path
            path = vm.layers.get(path)


def _unused(vm: Vm) -> list[str]:
    used = {d.path for s in _all_settings(vm) for d in hard_disks(s)}
    nodes = vm.layers.keys() | set(vm.layers.values())
    return sorted(nodes - used)


def _collapse_one(host: Host, vm: Vm, node: str) -> bool:
    children = [child for child, below in vm.layers.items() if below == node]
    if not children and node in vm.layers:
        host.remove(node)
        del vm.layers[node]
        return True
    if len(children) == 1:
        _merge(host, vm, children[0], node)
        return True
    return False


def _merge(host: Host, vm: Vm, child: str, into: str) -> None:
    in_use = set() if vm.state in ("Off", "Saved") else set(_now(vm))
    if child in in_use:
        host.machines.merge(vm.id, host.local(child), host.local(into))
    else:
        host.disks.commit(host.local(child))
    for grandchild, below in list(vm.layers.items()):
        if below == child:
            if grandchild not in in_use:  # the machine has told those that it has open
                host.disks.reparent(host.local(grandchild), host.local(into))
            vm.layers[grandchild] = into
    for settings in _all_settings(vm):
        for drive in hard_disks(settings):
            if drive.path == child:
                drive.path = into
    del vm.layers[child]
    host.remove(child)
