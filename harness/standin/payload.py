"""Where a disk file's content lies, and how QEMU is to open it.

Files are told by what is in them: qcow2 (OS disks and templates, dynamic and differencing disks),
or a real fixed VHD or VHDX, whose payload QEMU opens as raw.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.standin import vhd, vhdx
from harness.standin.machines import MachineError
from harness.standin.vhdx_layout import BLOCK, SIGNATURE, NotVhdx, Scattered

QCOW2 = b"QFI\xfb"


@dataclass(frozen=True, slots=True)
class Payload:
    """A fixed disk's content: ``size`` bytes at ``offset`` in the file; ``identifier`` its own.

    ``open_end``: the payload ends with the file, so QEMU may let it grow.
    """

    form: str
    offset: int
    size: int
    identifier: str
    open_end: bool


def payload_of(path: Path) -> Payload | None:
    """Return where a fixed disk's content lies; None for a file of any other kind.

    Raises MachineError for a VHDX or VHD that is damaged.
    """
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise MachineError(f"{path}: {error.strerror}") from error
    try:
        if start == SIGNATURE:
            disk = vhdx.read(path)
            end = disk.size % BLOCK == 0
            return Payload("VHDX", disk.payload, disk.size, disk.identifier, end)
        if start[:4] != QCOW2 and path.suffix.lower() == ".vhd":
            size, identity = vhd.read(path)
            return Payload("VHD", 0, size, str(identity).upper(), open_end=False)
    except Scattered:
        return None
    except (NotVhdx, vhd.NotVhd) as wrong:
        raise MachineError(f"{path}: {wrong}") from wrong
    return None


def driver_of(path: Path) -> str:
    """Return QEMU's driver for a file that is no fixed disk of ours: vhdx, or qcow2."""
    with path.open("rb") as file:
        return "vhdx" if file.read(8) == SIGNATURE else "qcow2"


def raw_node(path: Path, payload: Payload) -> dict[str, Any]:
    """Return the payload as QEMU's block layer names it: part of a file, as a disk of its own."""
    file = {"driver": "file", "filename": str(path.absolute())}
    node: dict[str, Any] = {"driver": "raw", "offset": payload.offset, "file": file}
    return node if payload.open_end else node | {"size": payload.size}


def reference(path: Path, payload: Payload | None) -> str:
    """Return how a child names its parent: by its path, or as a part of it."""
    return (
        str(path.absolute()) if payload is None else "json:" + json.dumps(raw_node(path, payload))
    )


def file_of(name: str) -> Path:
    """Return the file behind a name that QEMU gives a node: a path, or ``json:{…}`` of options."""
    if not name.startswith("json:"):
        return Path(name)
    node: dict[str, Any] = json.loads(name.removeprefix("json:"))
    while isinstance(node.get("file"), dict):
        node = node["file"]
    return Path(str(node.get("filename") or node.get("file.filename")))
