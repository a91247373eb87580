"""Virtual disks on this machine: the only file that calls qemu-img.

Files that the stand-in's world names .vhdx and .avhdx hold qcow2 (a listed limit of the
stand-in), but for fixed disks that are made new: those are real (``fixed.py``). A disk that nobody
may write (a template: no write bit in its mode) is never written, also not by root. Unless said
otherwise, no machine may be running on the disk.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from harness.standin import fixed
from harness.standin.machines import MachineError
from harness.standin.payload import Payload, file_of, payload_of, reference

FIXED, DYNAMIC, DIFFERENCING = "Fixed", "Dynamic", "Differencing"

CLUSTER = {FIXED: 2 << 20, DYNAMIC: 64 << 10}
"""Bytes. The cluster size is how a Fixed disk is told from a full Dynamic one: it is in the file,
so it survives a move of the file and a restart of the stand-in."""


@dataclass(frozen=True, slots=True)
class DiskInfo:
    """What a disk file is. Sizes in bytes; ``kind`` as Hyper-V's VhdType, ``format`` as QEMU's.

    ``file_size`` is the file's length (Get-VHD's FileSize), ``parent`` the next file of the chain,
    ``payload`` where the content of a real fixed disk lies.
    """

    path: Path
    kind: str
    format: str
    virtual_size: int
    file_size: int
    parent: Path | None = None
    payload: Payload | None = None


class Disks:
    """Makes, reads, copies and merges disk files; MachineError says what qemu-img said."""

    def __init__(self, program: str = "qemu-img", limit: timedelta = timedelta(minutes=5)) -> None:
        self._program, self._limit = program, limit

    def create(
        self, path: Path, size: int = 0, kind: str = DYNAMIC, parent: Path | None = None
    ) -> DiskInfo:
        """Make a new disk; a Differencing one without a size takes its parent's size."""
        _refuse_existing(path)
        if kind == DIFFERENCING:
            if parent is None:
                raise MachineError(f"{path}: a differencing disk needs a parent")
            # Reads the parent without its lock: a machine may be running on it (another overlay).
            base = self.info(parent)
            backing = ("-u", "-F", base.format, "-b", reference(parent, base.payload))
            self._make(path, *backing, str(path), str(size or base.virtual_size))
        elif kind == FIXED:
            _refuse_too_large(path, size)
            fixed.create(path, size)
        else:
            self._make(path, *_options(kind), str(path), str(size))
        return self.info(path)

    def info(self, path: Path) -> DiskInfo:
        """Read a disk's header; also while a machine runs on it."""
        disk = payload_of(path)
        if disk:
            length = path.stat().st_size
            return DiskInfo(path, FIXED, "raw", disk.size, length, payload=disk)
        header = json.loads(self._run(path, "info", "-U", "--output=json", str(path)))
        backing = header.get("full-backing-filename")
        return DiskInfo(
            path,
            DIFFERENCING if backing else _kind(header.get("cluster-size")),
            header["format"],
            header["virtual-size"],
            path.stat().st_size,
            file_of(backing) if backing else None,
        )

    def convert(self, source: Path, target: Path, kind: str = DYNAMIC) -> DiskInfo:
        """Copy a disk with all its parents' content into one new file of its own."""
        _refuse_existing(target)
        options = ("-O", "qcow2", *_options(kind)[2:])
        found = self.info(source)
        if kind == FIXED:
            _refuse_too_large(target, found.virtual_size)
        try:
            self._run(source, "convert", *options, reference(source, found.payload), str(target))
        except MachineError:
            target.unlink(missing_ok=True)
            raise
        return self.info(target)

    def commit(self, child: Path) -> Path:
        """Merge a differencing disk into its parent; return the parent.

        The child's file stays and reads as before; the caller removes it.
        """
        parent = self.info(child).parent
        if parent is None:
            raise MachineError(f"{child}: it has no parent to be merged into")
        _refuse_read_only(parent)
        self._run(child, "commit", "-q", "-d", str(child))
        return parent

    def rebase(self, child: Path, parent: Path) -> None:
        """Give a differencing disk another parent and keep its content as it reads now."""
        self._rebase(child, parent)

    def reparent(self, child: Path, parent: Path) -> None:
        """Point a differencing disk to where its parent lies now (same content, moved file)."""
        self._rebase(child, parent, "-u")

    def resize(self, path: Path, size: int) -> DiskInfo:
        """Grow or shrink a disk; a Fixed one stays preallocated.

        A real fixed VHDX may be grown while a machine has it open.
        """
        _refuse_read_only(path)
        before = self.info(path)
        if before.payload:
            _refuse_too_large(path, size - before.virtual_size)
            fixed.grow(path, size)
            return self.info(path)
        options = ["--shrink"] if size < before.virtual_size else []
        if before.kind == FIXED and not options:
            options = ["--preallocation=falloc"]
            _refuse_too_large(path, size - before.virtual_size)
        self._run(path, "resize", "-q", "-f", before.format, *options, str(path), str(size))
        return self.info(path)

    def check(self, path: Path) -> None:
        """Raise MachineError when the file is no disk, or an inconsistent one."""
        found = self.info(path)
        if found.format in ("qcow2", "vhdx"):
            self._run(path, "check", "-q", "-f", found.format, str(path))
        elif found.payload is None and path.suffix.lower() in (".vhd", ".vhdx"):
            raise MachineError(f"{path}: the file holds no virtual disk")

    def _make(self, path: Path, *arguments: str) -> None:
        """Run ``create`` and leave no half-made file."""
        try:
            self._run(path, "create", "-q", "-f", "qcow2", *arguments)
        except MachineError:
            path.unlink(missing_ok=True)
            raise

    def _rebase(self, child: Path, parent: Path, *options: str) -> None:
        _refuse_read_only(child)
        base = self.info(parent)
        backing = ("-F", base.format, "-b", reference(parent, base.payload))
        self._run(child, "rebase", "-q", *options, "-f", "qcow2", *backing, str(child))

    def _run(self, path: Path, *arguments: str) -> str:
        """Run qemu-img; return its output, or raise with the sentence that it ended with."""
        try:
            done = subprocess.run(  # noqa: S603 - argv, no shell
                (self._program, *arguments),
                capture_output=True,
                text=True,
                errors="replace",
                timeout=self._limit.total_seconds(),
                check=False,
            )
        except FileNotFoundError as error:
            advice = "install QEMU's tools (Debian: qemu-utils)"
            raise MachineError(f"{path}: {self._program} is missing; {advice}") from error
        except subprocess.TimeoutExpired as error:
            limit = f"{self._limit.total_seconds():.0f} s"
            raise MachineError(f"{path}: {arguments[0]} took more than {limit}") from error
        if done.returncode:
            raise MachineError(f"{path}: {_sentence(done.stderr or done.stdout)}")
        return done.stdout


def _options(kind: str) -> tuple[str, str, str, str]:
    """Return the options that make a disk of that kind, the last two also for convert."""
    if kind not in CLUSTER:
        raise MachineError(f"a disk with content of its own is Fixed or Dynamic, not {kind}")
    allocation = "falloc" if kind == FIXED else "off"
    return ("-f", "qcow2", "-o", f"cluster_size={CLUSTER[kind]},preallocation={allocation}")


def _kind(cluster: int | None) -> str:
    """Tell the kind by the clusters; a file without any (raw) is as good as Fixed."""
    return FIXED if cluster in (None, CLUSTER[FIXED]) else DYNAMIC


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise MachineError(f"{path}: the file exists already")


def _refuse_too_large(path: Path, size: int) -> None:
    """Refuse at once what qemu-img would find out only by filling the disk."""
    try:
        free = shutil.disk_usage(path.absolute().parent).free
    except OSError as error:
        raise MachineError(f"{path}: {error.strerror}") from error
    if size > free:
        raise MachineError(f"{path}: {size >> 20} MiB are wanted, {free >> 20} MiB are free")


def _refuse_read_only(path: Path) -> None:
    if not path.exists():
        raise MachineError(f"{path}: no such file")
    if not path.stat().st_mode & 0o222:
        raise MachineError(f"{path}: the disk is read-only (a template) and is never written")


def _sentence(output: str) -> str:
    """Return the last line that qemu-img said, e.g. ``qemu-img: Could not open 'x': …``."""
    lines = [line for line in output.splitlines() if line.strip()] or ["qemu-img said nothing"]
    text = lines[-1].removeprefix("qemu-img: ")
    if 'Failed to get "write" lock' in output or ("shared" in output and "lock" in output):
        return "the disk is in use by a running machine"
    return "no space is left on this machine" if "No space left" in output else text
