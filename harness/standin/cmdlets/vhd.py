"""New, Get, Test and Convert-VHD: fixed disks are real VHD and VHDX, the others hold qcow2."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from harness.standin import paths
from harness.standin.api import Given, Streams
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets.select import by_id, number, texts
from harness.standin.faults import Refused, reported
from harness.standin.host import Host
from harness.standin.layers import hard_disks
from harness.standin.lifecycle import observe
from harness.standin.machines import MachineError
from harness.standin.partitions import minimum_size
from harness.standin.payload import Payload
from harness.standin.shapes import build
from harness.standin.values import Record, Value

TYPE = "Microsoft.Vhd.PowerShell.VirtualHardDisk"
FORMATS = {".vhdx": "VHDX", ".avhdx": "VHDX", ".vhd": "VHD", ".avhd": "VHD"}
SECTORS = {"VHDX": (512, 4096), "VHD": (512, 512)}
BLOCKS = {"Fixed": 0, "Dynamic": 33554432, "Differencing": 2097152}
LEAST = 3 << 20


def virtual_disk(host: Host, path: str) -> Record:
    """Build the VirtualHardDisk object of a file."""
    local = host.local(path)
    if not local.is_file():
        raise Refused("ObjectNotFound", f"'{path}' was not found.", path)
    facts = host.disks.info(local)
    kind = FORMATS.get(paths.extension(path), "VHDX")
    logical, physical = SECTORS[kind]
    values: dict[str, Value] = {
        "ComputerName": host.name,
        "Path": path,
        "VhdFormat": kind,
        "VhdType": facts.kind,
        "FileSize": facts.file_size,
        "Size": facts.virtual_size,
        "MinimumSize": _minimum_size(local, facts.payload),
        "LogicalSectorSize": logical,
        "PhysicalSectorSize": physical,
        "BlockSize": BLOCKS[facts.kind],
        "ParentPath": host.windows(facts.parent) if facts.parent else "",
        "DiskIdentifier": facts.payload.identifier if facts.payload else _identifier(host, path),
        "FragmentationPercentage": None if facts.kind == "Differencing" else 0,
        "Alignment": 1,
        "Attached": in_use(host, path),
    }
    return build(TYPE, host.release, values, TYPE, None)


def _identifier(host: Host, path: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{host.name}:{path.casefold()}")).upper()


def _minimum_size(local: Path, disk: Payload | None) -> int | None:
    """Return the end of the last partition of a fixed VHDX; other kinds have no such size here."""
    if disk is None or disk.form != "VHDX":
        return None
    return minimum_size(local, disk.offset)


def in_use(host: Host, path: str) -> bool:
    """Tell whether a VM that is not Off has the file as its disk now."""
    return any(
        paths.same(d.path, path)
        for vm in list(host.world.vms.values())
        if vm.state != "Off"
        for d in hard_disks(vm.settings)
    )


def get_vhd(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Get-VHD: by path, or every disk of a VM by -VMId."""
    ids = given.get("VMId")
    for wanted in ids if isinstance(ids, list) else []:
        with reported(given, host.release, streams):
            vm = by_id(host, UUID(str(wanted)))
            observe(host, vm)
            yield from [virtual_disk(host, d.path) for d in hard_disks(vm.settings)]
    for path in texts(given.get("Path")):
        with reported(given, host.release, streams):
            yield virtual_disk(host, paths.full(path))


def new_vhd(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """New-VHD: -Dynamic (default), -Fixed, or -Differencing over -ParentPath."""
    for path in texts(given.get("Path")):
        with reported(given, host.release, streams):
            if "SourceDisk" in given:
                raise Refused("NotSupported", "The stand-in host has no physical disks.")
            yield _create(host, given, _new_path(host, path))


def _new_path(host: Host, path: str) -> str:
    if paths.extension(path) not in (".vhdx", ".vhd"):
        raise Refused("InvalidParameter", f"'{path}' does not end in .vhd or .vhdx.", path)
    if host.local(path).exists():
        raise Refused("OperationFailed", f"The file '{path}' exists already.", path)
    return paths.full(path)


def _create(host: Host, given: Given, path: str) -> Record:
    if "ParentPath" in given:
        parent = paths.full(str(given["ParentPath"]))
        if not host.is_file(parent):
            raise Refused("ObjectNotFound", f"The parent disk '{parent}' was not found.", parent)
        if paths.extension(parent).replace("a", "") != paths.extension(path):
            raise Refused("InvalidParameter", "A disk and its parent have the same format.")
        local = host.folder_for(path)
        host.disks.create(local, kind="Differencing", parent=host.local(parent))
        return virtual_disk(host, path)
    size = number(given, "SizeBytes") or 0
    if size < LEAST or size % 512:
        raise Refused("InvalidParameter", f"{size} bytes is no valid size of a virtual disk.")
    kind = "Fixed" if given.flag("Fixed") else "Dynamic"
    host.disks.create(host.folder_for(path), size, kind)
    return virtual_disk(host, path)


def test_vhd(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Test-VHD: True, or an error and False."""
    for path in texts(given.get("Path")):
        good = False
        with reported(given, host.release, streams):
            _check(host, paths.full(path))
            good = True
        yield good


def _check(host: Host, path: str) -> None:
    local = host.local(path)
    if not local.is_file():
        raise Refused("ObjectNotFound", f"'{path}' was not found.", path)
    try:
        facts = host.disks.info(local)
        if facts.parent:
            host.disks.info(facts.parent)
        if not in_use(host, path):
            host.disks.check(local)
    except MachineError as broken:
        raise Refused("OperationFailed", f"'{path}' is no valid disk: {broken}", path) from None


def convert_vhd(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Convert-VHD: a full copy of a disk that no running VM uses."""
    with reported(given, host.release, streams):
        source = paths.full(str(given["Path"]))
        target = _new_path(host, str(given["DestinationPath"]))
        facts = host.disks.info(host.local(_existing(host, source)))
        kind = str(given.get("VHDType", facts.kind))
        if kind not in ("Fixed", "Dynamic") or "ParentPath" in given:
            raise Refused("NotSupported", "The stand-in converts to Fixed and Dynamic disks only.")
        if in_use(host, source):
            raise Refused("ObjectInUse", f"'{source}' is used by a virtual machine.", source)
        host.disks.convert(host.local(source), host.folder_for(target), kind)
        if given.flag("DeleteSource"):
            host.remove(source)
        if given.flag("Passthru"):
            yield virtual_disk(host, target)


def _existing(host: Host, path: str) -> str:
    if not host.is_file(path):
        raise Refused("ObjectNotFound", f"'{path}' was not found.", path)
    return path


CMDLETS = (
    Cmdlet("New-VHD", new_vhd),
    Cmdlet("Get-VHD", get_vhd),
    Cmdlet("Test-VHD", test_vhd),
    Cmdlet("Convert-VHD", convert_vhd),
)
