"""File systems of a guest, and what each says of itself on its device before any mount.

A freeze leaves its mark: ext4 clears needs_recovery. xfs dirties its log on purpose, so that a
mount without recovery has to show everything, and nothing may be wrong once the log is replayed.
``e2fsck -fn`` alone tells nothing: it passes on copies that were taken without a freeze.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.errors import EvidenceError
from harness.evidence import Measured, Probe
from harness.verdict import Verdict, pass_if

EXT = ("ext2", "ext3", "ext4")
WRITABLE = (*EXT, "xfs", "btrfs")
_PAIR = re.compile(r'([A-Z:-]+)="([^"]*)"')
_FEATURES = re.compile(r"^Filesystem features:\s*(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Mounted:
    """A mounted file system on a device; ``uuid`` finds it again on a copy of the disk."""

    device: str
    target: str
    kind: str
    uuid: str


@dataclass(frozen=True, slots=True)
class Volume:
    """A disk or partition that a copy shows; ``kind`` is "" without a file system."""

    device: str
    kind: str
    uuid: str


def parse_mounts(text: str) -> tuple[Mounted, ...]:
    """Read ``findmnt -P``; each file system that can be written, once, at its first place.

    ``SOURCE="/dev/sda1" TARGET="/" FSTYPE="ext4" UUID="0d8f…" OPTIONS="rw,noatime"``. FAT (the
    EFI system partition) is left out: it has no freeze, and nothing is claimed of it.
    """
    found: dict[str, Mounted] = {}
    for row in _rows(text):
        writable = row.get("FSTYPE") in WRITABLE and "rw" in row.get("OPTIONS", "").split(",")
        device = row.get("SOURCE", "").partition("[")[0]
        if writable and device.startswith("/dev/"):
            if not row.get("UUID"):
                raise EvidenceError("findmnt", f"UUID of {device}", text)
            one = Mounted(device, row["TARGET"], row["FSTYPE"], row["UUID"])
            found.setdefault(one.uuid, one)
    if not found:
        raise EvidenceError("findmnt", "file system that can be written and frozen", text)
    return tuple(found.values())


def parse_volumes(text: str) -> tuple[Volume, ...]:
    """Read ``lsblk -P``: ``NAME="sdb1" TYPE="part" FSTYPE="ext4" UUID="0d8f…"``."""
    rows = _rows(text)
    if not rows:
        raise EvidenceError("lsblk", "disk", text)
    return tuple(Volume(f"/dev/{r['NAME']}", r["FSTYPE"], r["UUID"]) for r in rows)


def _rows(text: str) -> list[dict[str, str]]:
    return [dict(pairs) for line in text.splitlines() if (pairs := _PAIR.findall(line))]


MOUNTS = Probe(
    ("findmnt", "-P", "-o", "SOURCE,TARGET,FSTYPE,UUID,OPTIONS", "-t", ",".join(WRITABLE)),
    parse_mounts,
)
DISK_NAMES = Probe(("ls", "/sys/block"), lambda text: frozenset(text.split()))


def volumes(disk: str) -> Probe[tuple[Volume, ...]]:
    """Ask what is on a disk (``/dev/sdb``)."""
    argv = ("lsblk", "-P", "-o", "NAME,TYPE,FSTYPE,UUID", disk)
    return Probe(argv, parse_volumes, privileged=True)


@dataclass(frozen=True, slots=True)
class ExtState:
    """What of an ext file system's superblock tells whether it stood still."""

    journal: bool
    needs_recovery: bool


def parse_ext(text: str) -> ExtState:
    """Read ``dumpe2fs -h``."""
    found = _FEATURES.search(text)
    if not found:
        raise EvidenceError("dumpe2fs", "Filesystem features line", text)
    features = found[1].split()
    return ExtState("has_journal" in features, "needs_recovery" in features)


def ext_state(device: str) -> Probe[ExtState]:
    """Ask an ext file system's superblock on its device."""
    return Probe(("dumpe2fs", "-h", device), parse_ext, privileged=True)


def judge_ext(where: str, state: Measured[ExtState]) -> Verdict:
    """Judge an ext file system by its superblock; raise EvidenceError where it has no journal."""
    if not state.value.journal:
        text = state.evidence[0].answer if state.evidence else ""
        raise EvidenceError(f"ext on {where}", "journal: a freeze leaves no mark without one", text)
    dirty = state.value.needs_recovery
    said = "needs recovery: it was copied while it was being written" if dirty else "is clean"
    return pass_if(not dirty, f"{where}: ext {said}", state.evidence)


def judge_checked(where: str, kind: str, status: Measured[int]) -> Verdict:
    """Judge xfs by ``xfs_repair -n`` (its log replayed), btrfs by ``btrfs check --readonly``."""
    tool = {"xfs": "xfs_repair -n after the replay of its log"}.get(kind, "btrfs check --readonly")
    found = "finds nothing" if status.value == 0 else f"ended with status {status.value}"
    return pass_if(status.value == 0, f"{where}: {tool} {found}", status.evidence)
