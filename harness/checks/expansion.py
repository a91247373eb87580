"""Live growth of a virtual disk: announced, used by the file system, and nothing lost meanwhile.

Source: certification cases VHD-01 to VHD-04. ``df`` does not follow a disk by itself: the file
system is grown as an administrator would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.checks import bounds
from harness.checks.disk_free import MountedSpace
from harness.checks.kernel_log import KERNEL_LOG
from harness.checks.storage import Storage, parse_storage
from harness.checks.workload import Fio, Unit
from harness.errors import EvidenceError
from harness.evidence import Measured, Probe
from harness.host.session import Attempt
from harness.units import Bytes, KiB, MiB
from harness.verdict import Verdict, all_of, pass_if

STORAGE = Probe(KERNEL_LOG.argv, parse_storage, privileged=True)
"""What the kernel logged of disks: capacities that changed, I/O errors, file systems that grew."""


@dataclass(frozen=True, slots=True)
class HostDisk:
    """What Get-VHD says; ``minimum`` is None where the host reads no partition on the disk."""

    size: Bytes
    minimum: Bytes | None
    kind: str


@dataclass(frozen=True, slots=True)
class Space:
    """A mounted file system by df, in bytes."""

    size: Bytes
    used: Bytes


@dataclass(frozen=True, slots=True)
class Moment:
    """The workload at one moment: whether it runs, and what the disk has taken since the boot."""

    unit: Measured[Unit]
    written: Measured[Bytes]


@dataclass(frozen=True, slots=True)
class Growth:
    """All that was measured while one disk grew from ``start`` to ``asked``.

    ``seen`` is the guest's capacity without a rescan, ``rescanned`` with one, None when none was
    needed. ``tool`` holds what the commands said that grew partition and file system, ``fill`` a
    file written into the new space. ``before`` and ``after`` are checksums of files written before
    the growth. ``sound``: the file system's own checker, unmounted, found nothing.
    """

    disk: str
    start: Bytes
    asked: Bytes
    attempt: Attempt
    host: Measured[HostDisk]
    seen: Measured[Bytes]
    rescanned: Measured[Bytes] | None
    space_before: Measured[Space]
    space_after: Measured[Space]
    tool: Measured[Storage]
    begin: Moment
    end: Moment
    work: Measured[Fio]
    fill: Measured[Fio]
    space_full: Measured[Space]
    before: Measured[Mapping[str, str]]
    after: Measured[Mapping[str, str]]
    sound: Measured[bool]
    log: Measured[Storage]


def space_of(mount: str, table: Measured[tuple[MountedSpace, ...]]) -> Measured[Space]:
    """Return one file system's row of df; EvidenceError when it is not there or has no sizes."""
    for row in table.value:
        if row.mount == mount and row.size_kib is not None and row.used_kib is not None:
            space = Space(int(row.size_kib) * KiB, int(row.used_kib) * KiB)
            return Measured(space, table.evidence)
    raise EvidenceError("df", f"row with sizes of {mount}", repr(table.value))


def half_used(space: Space) -> bool:
    """Return whether so much is used that the disk is to grow."""
    return space.used.count > bounds.EXPANSION_USE * space.size.count


def judge_growth(growth: Growth) -> Verdict:
    """Judge VHD-01 and VHD-02; every part that fails says so by itself.

    Raises EvidenceError where the workload did not write on both sides of the growth, verified
    nothing, or was not above half of the file system when the disk grew: that would prove nothing.
    """
    if growth.attempt.refusal is not None:
        because = f"the host refused to grow the disk to {growth.asked} [{growth.attempt.fqid}]"
        return pass_if(False, because, growth.attempt.evidence)  # noqa: FBT003  # as pass_if has it
    _must_have_worked(growth)
    return all_of(
        f"the guest saw {growth.disk} grow from {growth.start} to {growth.asked} without a rescan,"
        f" df went from {growth.space_before.value.size} to {growth.space_after.value.size} with"
        f" the file system grown by hand, {growth.work.value.verified} written meanwhile were read"
        " back and verified, earlier files are intact",
        _judge_host(growth),
        _judge_capacity(growth),
        _judge_file_system(growth),
        _judge_workload(growth),
        _judge_new_space(growth),
        judge_intact(growth.before, growth.after),
        _judge_sound(growth),
        _judge_log(growth),
    )


def _must_have_worked(growth: Growth) -> None:
    if not half_used(growth.space_before.value):
        wanted = f"use above {bounds.EXPANSION_USE:.0%} before the growth"
        raise EvidenceError("df", wanted, repr(growth.space_before.value))
    if not growth.begin.unit.value.active:
        raise EvidenceError("workload", "writer at the time of the growth", repr(growth.begin))
    meanwhile = growth.end.written.value.count - growth.begin.written.value.count
    if not growth.work.value.error and (meanwhile <= 0 or not growth.work.value.verified.count):
        raise EvidenceError("workload", "verified write over the growth", repr(growth.work.value))


def _judge_host(growth: Growth) -> Verdict:
    because = f"after Resize-VHD the host shows {growth.host.value.size}, not {growth.asked}"
    proof = growth.attempt.evidence + growth.host.evidence
    return pass_if(growth.host.value.size == growth.asked, because, proof)


def _judge_capacity(growth: Growth) -> Verdict:
    within = f"{bounds.CAPACITY_WITHIN.total_seconds():.0f} s"
    because = f"the guest still sees {growth.seen.value} on {growth.disk} after {within}"
    proof = growth.seen.evidence
    if growth.rescanned is not None:
        proof += growth.rescanned.evidence
        helped = growth.rescanned.value == growth.asked
        because += (
            f": it sees {growth.asked} only after a rescan"
            if helped
            else f", and {growth.rescanned.value} after a rescan"
        )
    return pass_if(growth.seen.value == growth.asked, because, proof)


def _judge_file_system(growth: Growth) -> Verdict:
    before, after = growth.space_before.value.size, growth.space_after.value.size
    least = bounds.EXPANSION_SHARE * (growth.asked.count - growth.start.count)
    because = (
        f"the file system did not grow with its disk: df showed {before}, now {after}"
        f" (the growing command's result: {growth.tool.value.grow or 'none that is known'})"
    )
    proof = growth.space_before.evidence + growth.tool.evidence + growth.space_after.evidence
    return pass_if(after.count - before.count >= least, because, proof)


def _judge_workload(growth: Growth) -> Verdict:
    work, unit = growth.work.value, growth.end.unit.value
    because = f"the workload ended by itself with error {work.error}"
    if work.error:
        because = f"the workload met error {work.error} ({_errno(work.error)})"
    moments = (growth.begin, growth.end)
    proof = tuple(e for m in moments for e in (*m.unit.evidence, *m.written.evidence))
    return pass_if(unit.active and not work.error, because, proof + growth.work.evidence)


def _judge_new_space(growth: Growth) -> Verdict:
    fill, used = growth.fill.value, growth.space_full.value.used
    because = f"only {used} can be used of a disk that had {growth.start} before it grew"
    if fill.error:
        because = f"writing into the new space met error {fill.error} ({_errno(fill.error)})"
    proof = growth.fill.evidence + growth.space_full.evidence
    return pass_if(not fill.error and used > growth.start, because, proof)


def judge_intact(
    before: Measured[Mapping[str, str]], after: Measured[Mapping[str, str]]
) -> Verdict:
    """Judge files by their checksums; EvidenceError when there were none."""
    if not before.value:
        raise EvidenceError("checksums", "file written before the growth", "")
    changed = [p for p, was in before.value.items() if after.value.get(p) != was]
    because = f"changed or lost since they were written: {', '.join(changed)}"
    return pass_if(not changed, because, before.evidence + after.evidence)


def _judge_sound(growth: Growth) -> Verdict:
    said = growth.sound.evidence[0].answer.strip().splitlines() if growth.sound.evidence else []
    because = f"the file system's checker found trouble: {' / '.join(said[-3:])}"
    return pass_if(growth.sound.value, because, growth.sound.evidence)


def _judge_log(growth: Growth) -> Verdict:
    hurt = [name for name in growth.log.value.io_errors if name.startswith(growth.disk)]
    because = f"the kernel logged I/O errors of {', '.join(hurt)}"
    return pass_if(not hurt, because, growth.log.evidence)


def _errno(number: int) -> str:
    return {5: "I/O error", 28: "no space left", 30: "read-only file system",
            84: "what was read is not what was written"}.get(number, "errno")  # fmt: skip


NEW_ROOM, NEW_DATA = 448 * MiB, 64 * MiB
"""Allocated in the grown file system, and written and verified after that: with what was there it
is more than the old disk held."""
