"""Resizes that a host must refuse while the VM runs, and what a restart leaves of a grown disk.

Source: certification cases VHD-03 and VHD-04.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.checks.expansion import HostDisk, Space, judge_intact
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured
from harness.host.session import Attempt, RefusedBy
from harness.units import Bytes, MiB
from harness.verdict import Verdict, all_of, pass_if

IDE, VHD, BELOW_MINIMUM, SHRUNK_VHD, PARENT = REFUSALS = (
    "vhdx on IDE",
    "vhd",
    "below MinimumSize",
    "shrinking a vhd",
    "parent of a checkpoint",
)

NOT_ABOUT_SIZE = frozenset({"AccessDenied", "ObjectNotFound", "Unavailable", "OutOfMemory"})
"""First parts of error ids that say nothing of this resize: trouble of the host's."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A disk and its file system at one moment: by the host, by the guest, by its files."""

    host: Measured[HostDisk]
    capacity: Measured[Bytes]
    space: Measured[Space]
    files: Measured[Mapping[str, str]]

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Return all raw texts."""
        parts = (self.host, self.capacity, self.space, self.files)
        return tuple(piece for part in parts for piece in part.evidence)


def below_minimum(disk: Measured[HostDisk]) -> Bytes:
    """Return a size below the least that the host says the disk can have.

    Raises EvidenceError when the host names none, though the disk has a partition.
    """
    least = disk.value.minimum
    if least is None or least <= 2 * MiB:
        text = disk.evidence[0].answer if disk.evidence else ""
        raise EvidenceError("Get-VHD", "MinimumSize of a disk with a partition", text)
    return (least // MiB // 2) * MiB


def judge_refused(asked: Bytes, attempt: Attempt, before: Condition, after: Condition) -> Verdict:
    """Judge VHD-03: the host refused by Resize-VHD's own error, and nothing changed.

    Raises EvidenceError when the refusal was of another kind: parameter binding, a missing file.
    """
    return all_of(
        f"the host refused {asked} [{attempt.fqid}]; size ({after.capacity.value}), file system"
        " and files are as before",
        _judge_attempt(asked, attempt),
        _judge_same(before, after),
    )


def _judge_attempt(asked: Bytes, attempt: Attempt) -> Verdict:
    refusal = attempt.refusal
    if refusal is None:
        because = f"the host resized the disk to {asked} while the VM was running"
        return pass_if(False, because, attempt.evidence)  # noqa: FBT003  # as pass_if has it
    about = refusal.by is RefusedBy.CMDLET and refusal.code.split(",")[0] not in NOT_ABOUT_SIZE
    if not about:
        wanted = f"refusal of the resize (got {refusal.by.value}: {refusal.code})"
        raise EvidenceError("Resize-VHD", wanted, "")
    return pass_if(True, f"the host refused {asked}", attempt.evidence)  # noqa: FBT003  # ditto


def _judge_same(before: Condition, after: Condition) -> Verdict:
    changes = [
        f"{what} was {was}, now {now}"
        for what, was, now in (
            ("the host's size", before.host.value.size, after.host.value.size),
            ("the guest's capacity", before.capacity.value, after.capacity.value),
            ("the file system's size", before.space.value.size, after.space.value.size),
        )
        if was != now
    ]
    proof = before.evidence + after.evidence
    same = pass_if(not changes, "; ".join(changes) or "nothing changed", proof)
    return all_of("nothing changed", same, judge_intact(before.files, after.files))


def judge_lasting(
    asked: Bytes, good: Measured[bool], before: Condition, after: Condition
) -> Verdict:
    """Judge VHD-04: after stop and start host and guest show the new size, and the data is there.

    ``good`` is Test-VHD's answer while the VM was off.
    """
    sizes = (after.host.value.size, after.capacity.value)
    size = pass_if(
        sizes == (asked, asked),
        f"after stop and start the host shows {sizes[0]} and the guest {sizes[1]}, not {asked}",
        after.host.evidence + after.capacity.evidence,
    )
    space = pass_if(
        after.space.value.size == before.space.value.size,
        f"df showed {before.space.value.size} before the stop, now {after.space.value.size}",
        before.space.evidence + after.space.evidence,
    )
    valid = pass_if(good.value, "Test-VHD does not accept the disk", good.evidence)
    return all_of(
        f"after stop and start host and guest show {asked}, Test-VHD accepts the disk, files are"
        " intact",
        size,
        space,
        valid,
        judge_intact(before.files, after.files),
    )
