"""Disk images on this machine: what they are, and the VHDX that a host can take; by qemu-img."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ImageError
from harness.units import Bytes

PROGRAM = "qemu-img"
FORMATS = {"raw": "raw", "qcow2": "qcow2", "vpc": "VHD", "vhdx": "VHDX"}
"""QEMU's names of what is accepted."""

BOOT_SIGNATURE = b"\x55\xaa"


@dataclass(frozen=True, slots=True)
class Image:
    """A disk image: ``form`` by QEMU's name, ``size`` of the disk in it."""

    path: Path
    form: str
    size: Bytes


def look_at(path: Path) -> Image:
    """Return what the file is; ImageError when it is no disk image that boots a VM."""
    if not path.is_file():
        raise ImageError(str(path), "there is no such file", "give a raw, qcow2, VHD or VHDX image")
    form = ("-f", "vpc") if _has_vhd_footer(path) else ()
    told = json.loads(_run(path, "info", "--output=json", *form, str(path)))
    found = Image(path, str(told["format"]), Bytes(int(told["virtual-size"])))
    if found.form not in FORMATS:
        advice = f"give one of {', '.join(FORMATS.values())}"
        raise ImageError(str(path), f"it is of the format {found.form}", advice)
    if found.form == "raw" and not _boots(path):
        what = "it is neither qcow2, VHD nor VHDX, and as a raw disk it has no boot sector"
        raise ImageError(str(path), what, "give the image of a whole disk")
    return found


def _has_vhd_footer(path: Path) -> bool:
    """Whether a fixed VHD ends it: QEMU takes one for raw."""
    if path.stat().st_size < 1024:
        return False
    with path.open("rb") as file:
        file.seek(-512, 2)
        return file.read(8) == b"conectix"


def _boots(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(512)[510:512] == BOOT_SIGNATURE


@contextmanager
def as_vhdx(image: Image) -> Iterator[Path]:
    """Yield the image as a dynamic VHDX in a file of its own, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="hvcert-image-", dir=image.path.parent) as folder:
        made = Path(folder) / f"{image.path.stem}.vhdx"
        options = ("-f", image.form, "-O", "vhdx", "-o", "subformat=dynamic")
        _run(image.path, "convert", *options, str(image.path), str(made))
        yield made


def _run(path: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603  # argv, no shell
            (PROGRAM, *arguments), capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        advice = "install QEMU's tools (Debian: qemu-utils)"
        raise ImageError(str(path), f"{PROGRAM} is missing", advice) from error
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ImageError(str(path), f"{PROGRAM} {arguments[0]} failed: {said}", "")
    return done.stdout
