"""Fixed disks as files: made, grown and checked; what goes wrong is a MachineError."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.standin import vhd, vhdx
from harness.standin.machines import MachineError
from harness.standin.payload import payload_of
from harness.standin.vhdx_layout import NotVhdx

VHD_LARGEST = 2040 << 30
"""Bytes; what a .vhd can be at most, by Microsoft's page of New-VHD."""


def create(path: Path, size: int) -> None:
    """Make a fixed VHD or VHDX, by the file's name."""
    if path.suffix.lower() == ".vhd":
        if size > VHD_LARGEST:
            raise MachineError(f"{path}: a VHD has at most {VHD_LARGEST >> 30} GiB")
        _done(path, lambda: vhd.create(path, size))
    else:
        _done(path, lambda: vhdx.create(path, size))


def grow(path: Path, size: int) -> None:
    """Make a fixed disk larger; a VHDX also while a machine has it open."""
    disk = payload_of(path)
    if disk is None:
        raise MachineError(f"{path}: it is no fixed disk")
    if size < disk.size:
        raise MachineError(f"{path}: a fixed disk is not made smaller")
    if disk.form == "VHD":
        _done(path, lambda: vhd.grow(path, size))
    else:
        _done(path, lambda: vhdx.grow(path, size))


def _done(path: Path, step: Callable[[], None]) -> None:
    try:
        step()
    except OSError as error:
        raise MachineError(f"{path}: {error.strerror}") from error
    except (NotVhdx, vhd.NotVhd) as wrong:
        raise MachineError(f"{path}: {wrong}") from wrong
