"""Images of every accepted format become a VHDX; what is none is refused in one sentence."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness import image
from harness.errors import ImageError
from harness.units import MiB


def made(folder: Path, form: str, *options: str) -> Path:
    raw, path = folder / "source", folder / f"x.{form}"
    raw.write_bytes(bytes(510) + image.BOOT_SIGNATURE + bytes((8 << 20) - 512))
    command = ("qemu-img", "convert", "-f", "raw", "-O", form, *options, str(raw), str(path))
    subprocess.run(command, check=True)
    return path


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("raw", ()),
        ("qcow2", ()),
        ("vhdx", ()),
        ("vpc", ("-o", "subformat=fixed,force_size=on")),
        ("vpc", ("-o", "subformat=dynamic,force_size=on")),
    ],
)
def test_each_format_becomes_a_vhdx_of_the_same_disk(
    tmp_path: Path, form: str, options: tuple[str, ...]
) -> None:
    found = image.look_at(made(tmp_path, form, *options))
    assert (found.form, found.size) == (form, 8 * MiB)
    with image.as_vhdx(found) as path:
        compare = (
            "qemu-img",
            "compare",
            "-f",
            found.form,
            "-F",
            "vhdx",
            str(found.path),
            str(path),
        )
        subprocess.run(compare, check=True)
    assert not path.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no such file"),
        (b"root:x:0:0", "no boot sector"),
        (bytes(1 << 20), "no boot sector"),
        (b"KDMV" + bytes(2000), "vmdk|failed|no boot sector"),
    ],
)
def test_what_is_no_disk_image_is_refused(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "x.img"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ImageError, match=words):
        image.look_at(path)


def test_an_image_that_cannot_be_converted_leaves_nothing(tmp_path: Path) -> None:
    path = made(tmp_path, "qcow2")
    found = image.look_at(path)
    path.write_bytes(b"QFI\xfb" + bytes(600))
    with pytest.raises(ImageError, match="convert failed"), image.as_vhdx(found):
        pass
    assert {p.name for p in tmp_path.iterdir()} == {"source", "x.qcow2"}
