"""Builds one image: packages to a tree, that to a disk, one boot that installs the boot loader."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from harness.errors import LabError
from harness.standin.image import cache, mirrors, tools
from harness.standin.image.keys import Keys, lab_keys
from harness.standin.image.records import IMAGES, Image
from harness.units import GiB

SPACE = 4 * GiB  # tree 0.9, packages 0.6, raw disk 0.9, finished image 0.9, and some air
FIRST_SECTOR = 2048
FULL = ("No space left on device", "have enough free space")  # libc and apt
FINISHED = b"lab-finish: done"
BOOT = (
    "console=ttyS0 root=LABEL=root rw quiet mitigations=off tsc=reliable no_timer_check"
    " random.trust_cpu=on systemd.unit=kernel-command-line.target"
    " systemd.run=/usr/local/sbin/lab-finish systemd.run_success_action=poweroff"
    " systemd.run_failure_action=poweroff"
)
Say = Callable[[str], None]


def find_image(name: str) -> Path | None:
    """Return the finished image of that name, or None when it has not been built yet."""
    path = cache.image_path(_record(name), lab_keys().public)
    return path if path.exists() else None


def ensure_image(name: str, say: Say) -> Path:
    """Return the image, built first when it is not in the cache; raise LabError when that fails."""
    image, keys = _record(name), lab_keys()
    path = cache.image_path(image, keys.public)
    if path.exists():
        return path
    tools.require_tools()
    try:
        with cache.building(path, say):
            if not path.exists():
                _build(image, keys, path, say)
    except OSError as error:
        raise LabError(
            f"cannot write to {path.parent}: {error.strerror}; set HVCERT_CACHE to another folder"
        ) from error
    return path


def _record(name: str) -> Image:
    if name not in IMAGES:
        raise LabError(f"no image is named {name!r}; there are {', '.join(sorted(IMAGES))}")
    return IMAGES[name]


def _build(image: Image, keys: Keys, path: Path, say: Say) -> None:
    log = path.with_suffix(".log")
    log.unlink(missing_ok=True)
    with _work_folder(image, path.parent) as work:
        _require_space(work)
        try:
            say(f"building {image.name}: packages, a file system, one boot; a few minutes")
            _make_disk(image, keys, work, log)
            say(f"building {image.name}: its own boot installs GRUB")
            _finish(work, log)
            _publish(work, path, log)
        except (LabError, OSError) as error:
            raise LabError(_explain(image, error, log, work)) from error
    log.unlink(missing_ok=True)
    say(f"built {path}")


@contextmanager
def _work_folder(image: Image, images: Path) -> Iterator[Path]:
    """Yield a folder that is gone afterwards; what a killed build left goes first.

    It is outside the home when built as an ordinary user: mmdebstrap then works as another user
    id, which a closed home folder would keep out.
    """
    root = os.geteuid() == 0
    parent = images if root else Path("/var/tmp")  # noqa: S108 - mkdtemp below makes it private
    prefix = f".build-{image.name}-{os.geteuid()}-"
    for left in parent.glob(f"{prefix}*"):
        _remove(left)
    work = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        if not root:
            work.chmod(0o777)  # the mapped root of the user namespace writes here
        yield work
    finally:
        _remove(work)


def _remove(work: Path) -> None:
    """Remove a work folder, unless something of this machine is still mounted in it."""
    mounts = (line.split(" ")[1] for line in Path("/proc/self/mounts").read_text().splitlines())
    if any(Path(mount).is_relative_to(work) for mount in mounts):
        return
    shutil.rmtree(work, ignore_errors=True)
    if work.exists():  # files of the user ids that mmdebstrap worked as
        with contextlib.suppress(LabError):
            tools.read(("unshare", "--map-auto", "--map-root-user", "rm", "-rf", str(work)))
        shutil.rmtree(work, ignore_errors=True)


def _stage(work: Path) -> Path:
    """Copy the recipe to where also the user ids that mmdebstrap works as can read it."""
    recipe = work / "recipe"
    for name in cache.INPUTS:
        source, target = cache.RECIPE / name, recipe / name
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(source, target)
    tools.read(("chmod", "-R", "go=u-w", str(recipe)))
    return recipe


def _require_space(work: Path) -> None:
    free = shutil.disk_usage(work).free
    if free < SPACE.count:
        raise LabError(
            f"an image needs {SPACE} free at {work.parent}, there are {free >> 20} MiB;"
            " free some, or set HVCERT_CACHE to a folder on a larger disk"
        )


def boot_record(sectors: int, disk_id: bytes) -> bytes:
    """Return a DOS partition table of one active Linux partition that fills a disk of that size."""
    count = sectors - FIRST_SECTOR
    entry = bytes.fromhex("80feffff83feffff") + struct.pack("<II", FIRST_SECTOR, count)
    return bytes(440) + disk_id + bytes(2) + entry + bytes(48) + b"\x55\xaa"


def mmdebstrap_command(
    image: Image, recipe: Path, lines: tuple[str, ...], settings: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the argv that makes the tree and, in its last hook, the disk."""
    packages = (recipe / "packages.txt").read_text().split()
    scripts = recipe / "scripts"
    kept_out = ("man", "doc", "locale", "info")
    return (
        "mmdebstrap",
        "--mode=root" if os.geteuid() == 0 else "--mode=unshare",
        "--variant=minbase",
        "--format=null",
        "--skip=download/empty,essential/unlink,cleanup/apt",
        '--aptopt=APT::Install-Recommends "false"',
        *(f"--aptopt={setting}" for setting in settings),
        *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in kept_out),
        "--dpkgopt=force-unsafe-io",
        f"--setup-hook={scripts / 'setup.sh'}",
        f"--essential-hook={scripts / 'essential.sh'}",
        f"--customize-hook={scripts / 'customise.sh'}",
        f"--customize-hook={scripts / 'disk.sh'}",
        f"--include={','.join((*packages, image.kernel, *image.packages))}",
        image.suite,
        "-",
        *lines,
    )


def _make_disk(image: Image, keys: Keys, work: Path, log: Path) -> None:
    sources = mirrors.parse_mirrors(tools.read(mirrors.TARGETS))
    settings = mirrors.parse_settings(tools.read(mirrors.SETTINGS))
    recipe = _stage(work)
    debs = cache.cache_root() / "debs" / image.suite
    debs.mkdir(parents=True, exist_ok=True)
    disk = work / "disk.raw"
    with disk.open("wb") as file:
        file.write(boot_record(image.disk_mib * 2048, secrets.token_bytes(4)))
        file.truncate(image.disk_mib << 20)
    disk.chmod(0o666)
    environment = {
        "TMPDIR": str(work),
        "INITRD": "No",
        "DEBIAN_FRONTEND": "noninteractive",
        "LAB_RECIPE": str(recipe),
        "LAB_USER_PUBLIC_KEY": (keys.folder / "id_ed25519.pub").read_text().strip(),
        "LAB_HOST_KEY": (keys.folder / "ssh_host_ed25519_key").read_text(),
        "LAB_HOST_PUBLIC_KEY": (keys.folder / "ssh_host_ed25519_key.pub").read_text().strip(),
        "LAB_DEBS": str(debs),
        "LAB_WORK": str(work),
        "LAB_HOSTNAME": image.name,
        "LAB_FS_MIB": str(image.disk_mib - 1),
    }
    command = mmdebstrap_command(image, recipe, mirrors.apt_lines(image, sources), settings)
    isolated = tools.ISOLATED if os.geteuid() == 0 else ()
    tools.run((*isolated, *command), log, timedelta(minutes=30), environment)


def finish_command(work: Path) -> tuple[str, ...]:
    """Return the argv of the one boot that lets the guest install its own boot loader."""
    drive = f"if=none,id=disk,format=raw,file={work / 'disk.raw'},cache=unsafe,discard=unmap"
    return (
        "qemu-system-x86_64",
        *("-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1024M"),
        *("-M", "pc", "-nodefaults", "-display", "none", "-no-reboot"),
        *("-device", "virtio-scsi-pci", "-drive", drive, "-device", "scsi-hd,drive=disk"),
        *("-device", "virtio-rng-pci", "-serial", f"file:{work / 'serial.log'}"),
        *("-kernel", str(work / "vmlinuz"), "-initrd", str(work / "initrd"), "-append", BOOT),
    )


def _finish(work: Path, log: Path) -> None:
    serial = work / "serial.log"
    try:
        tools.run(finish_command(work), log, timedelta(minutes=8))
    finally:
        said = serial.read_bytes() if serial.exists() else b""
        with log.open("ab") as file:
            file.write(b"\nserial console of the last boot:\n" + said)
    if FINISHED not in said:
        raise LabError("the guest's own boot did not install its boot loader")


def _publish(work: Path, path: Path, log: Path) -> None:
    """Write the finished image beside its final name, then move it there in one step."""
    fresh = path.with_suffix(".partial")
    convert = ("qemu-img", "convert", "-O", "qcow2", str(work / "disk.raw"), str(fresh))
    try:
        tools.run(convert, log, timedelta(minutes=10))
        fresh.chmod(0o444)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _explain(image: Image, error: Exception, log: Path, work: Path) -> str:
    text = log.read_text(errors="replace") if log.exists() else ""
    if any(sign in f"{text} {error}" for sign in FULL):
        return (
            f"image {image.name}: the disk of {work.parent} is full; free {SPACE},"
            " or set HVCERT_CACHE to a folder on a larger disk; nothing half-written is left"
        )
    return f"image {image.name} could not be built: {error}; the log is {log}"
