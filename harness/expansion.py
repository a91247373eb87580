"""Grows a data disk under its guest's hands: file system, workload, growth, and what is left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from harness.checks import bounds, disks, expansion, partitioning, workload
from harness.checks.disk_free import DISK_FREE
from harness.checks.expansion import NEW_DATA, NEW_ROOM, Growth, Moment, Space
from harness.checks.kernel import parse_word
from harness.checks.resizing import Condition
from harness.checks.storage import Storage, parse_storage
from harness.checks.workload import Fio
from harness.deadline import wait_for
from harness.distro.tools import present
from harness.errors import CommandFailed, EvidenceError
from harness.evidence import Measured, Probe
from harness.guest.measure import as_evidence, measure
from harness.guest.tools import require
from harness.host.disk import DataDisk, add_fixed, discard
from harness.units import Bytes, MiB

if TYPE_CHECKING:
    from harness.bench import Bench, GuestUnderTest
    from harness.checks.file_systems import FileSystem
    from harness.evidence import Evidence

T = TypeVar("T")
SLOW = timedelta(minutes=15)
"""For commands that write or check a whole file system, and for the workload's first half."""

APPEARS = timedelta(minutes=2)
EVERY = timedelta(seconds=1)
FILES, FILE_SIZE = 3, 8 * MiB
"""Written before the growth, and compared afterwards."""


@dataclass(slots=True)
class Volume:
    """A data disk with a file system in the guest.

    ``disk`` is the disk's name there (``sdb``), ``node`` that of disk or partition that has the
    file system; both are those of this boot. The label finds it again in another.
    """

    guest: GuestUnderTest
    drive: DataDisk
    file_system: FileSystem
    disk: str
    node: str
    label: str

    @property
    def mount(self) -> str:
        """Return where it is mounted."""
        return f"/mnt/hvcert-{self.label}"

    @property
    def files(self) -> tuple[str, ...]:
        """Return the files that were there before the growth."""
        return tuple(f"{self.mount}/kept-{n}" for n in range(FILES))

    def do(self, *argv: str, stdin: str = "") -> Evidence:
        """Run a privileged command that has to succeed."""
        shell = self.guest.shell
        done = shell.run(argv, privileged=True, stdin=stdin.encode(), within=SLOW)
        if done.exit_status:
            raise CommandFailed(shell.name, argv, done.exit_status, done.stderr)
        return as_evidence(shell.name, done)

    def ask(self, probe: Probe[T]) -> Measured[T]:
        """Ask a question that may take a while."""
        return measure(self.guest.shell, probe, within=SLOW)

    def boots(self, guest: GuestUnderTest) -> None:
        """Mount it in another boot of the guest, where its disk may have another name."""
        self.guest = guest
        mounted(self)
        argv = ("findmnt", "--noheadings", "--output", "SOURCE", self.mount)
        source = self.ask(Probe(argv, parse_word)).value.removeprefix("/dev/")
        known = self.ask(disks.DISKS).value
        self.disk, self.node = disks.disk_of(source, known), source

    def space(self) -> Measured[Space]:
        """Return what df says of it."""
        return expansion.space_of(self.mount, self.ask(DISK_FREE))

    def condition(self) -> Condition:
        """Return how disk and file system stand, by the host, the guest and the files."""
        return Condition(
            self.drive.look(),
            self.ask(disks.capacity(self.disk)),
            self.space(),
            self.ask(disks.checksums(self.files)),
        )


def plugged_in(bench: Bench, guest: GuestUnderTest, name: str, size: Bytes) -> tuple[DataDisk, str]:
    """Make a fixed disk of that file name, plug it in, and return it with its name in the guest."""
    before = guest.measure(disks.DISKS)
    drive = new_drive(bench, name, size)

    def appeared() -> str | None:
        return disks.new_disk(before.value, guest.measure(disks.DISKS).value, size)

    return drive, wait_for(f"the disk {drive.path} in the guest", appeared, APPEARS, every=EVERY)


def new_drive(bench: Bench, name: str, size: Bytes, controller: str = "SCSI") -> DataDisk:
    """Make a fixed disk and give it to the VM; it is gone when the case ends."""
    path = f"{bench.beside}\\{name}"
    drive = add_fixed(bench.vm, path, size, controller)
    bench.closing.callback(discard, drive)
    bench.story.append(f"gave the VM a fixed disk of {size}, {name}, on {controller}")
    return drive


def formatted(  # noqa: PLR0913, PLR0917  # what a volume is made of
    guest: GuestUnderTest,
    bench: Bench,
    drive: DataDisk,
    disk: str,
    label: str,
    file_system: FileSystem,
    *,
    partitioned: bool,
) -> Volume:
    """Make the file system, on the bare disk or on a GPT partition, mount it and write files."""
    node = disks.partition_of(disk) if partitioned else disk
    volume = Volume(guest, drive, file_system, disk, node, label)
    if partitioned:
        _run(volume, _tools(bench, guest, partitioning.making, partitioning.MAKERS, disk))
        wait_for(f"/dev/{node}", lambda: _there(volume, f"/dev/{node}"), APPEARS, every=EVERY)
    volume.do(*file_system.make(label, f"/dev/{node}"))
    mounted(volume)
    for path in volume.files:
        size = f"count={FILE_SIZE // MiB}"
        volume.do("dd", "if=/dev/urandom", f"of={path}", "bs=1M", size, "conv=fsync")
    return volume


def _there(volume: Volume, path: str) -> bool | None:
    seen = volume.guest.shell.run(("test", "-b", path))
    return True if seen.exit_status == 0 else None


def mounted(volume: Volume) -> None:
    """Mount it by its label, which finds it under any name."""
    volume.do("mkdir", "-p", volume.mount)
    volume.do("mount", "-L", volume.label, volume.mount)


def _tools(
    bench: Bench,
    guest: GuestUnderTest,
    choose: partitioning.Choice,
    known: tuple[str, ...],
    disk: str,
) -> tuple[partitioning.Step, ...]:
    """Return the steps by a tool that is there; GuestLacksTool names the first where none is."""
    steps = choose(guest.measure(present(known)).value, f"/dev/{disk}")
    if not steps:
        require(guest.shell, bench.family, *(n for n in known if n in ("sfdisk", "partx")))
    return steps


def _run(volume: Volume, steps: tuple[partitioning.Step, ...]) -> list[Evidence]:
    return [volume.do(*step.argv, stdin=step.stdin) for step in steps]


@contextmanager
def working(volume: Volume, size: Bytes) -> Iterator[str]:
    """Have the verifying workload run on the volume; yields its unit's name."""
    unit = f"hvcert-{volume.label}"
    volume.ask(workload.start(unit, f"{volume.mount}/work", size, _report(volume)))
    try:
        yield unit
    finally:
        volume.ask(workload.stop(unit))


def _report(volume: Volume) -> str:
    return f"/run/hvcert-{volume.label}.json"


def grown(bench: Bench, volume: Volume) -> Growth:
    """Grow the disk in the middle of the workload, and everything on it; return all that was seen.

    The workload's file is more than half of the small file system, so use passes 50 % while it is
    written for the first time.
    """
    start, asked = bounds.EXPANSION_FROM, bounds.EXPANSION_TO
    kept = volume.ask(disks.checksums(volume.files))
    with working(volume, volume.space().value.size // (100 * MiB) * (58 * MiB)) as unit:
        space_before = _half_used(volume, unit)
        begin = _moment(volume, unit)
        attempt = volume.drive.attempt_resize(asked)
        bench.story.append(f"grew {volume.drive.path} to {asked} under the workload")
        host = volume.drive.look()
        seen, rescanned = _capacity(volume, asked)
        tool = _grow_file_system(bench, volume)
        space_after = volume.space()
        end = _later(volume, unit, begin)
    work = volume.ask(workload.report_of(_report(volume)))
    volume.ask(workload.forget(unit))
    fill = _filled(volume)
    full = volume.space()
    sound = _checked(volume)
    return Growth(
        volume.disk, start, asked, attempt, host, seen, rescanned, space_before, space_after, tool,
        begin, end, work, fill, full, kept, volume.ask(disks.checksums(volume.files)), sound,
        volume.ask(expansion.STORAGE),
    )  # fmt: skip


def _half_used(volume: Volume, unit: str) -> Measured[Space]:
    """Wait until use passes the bound; a workload that ended before that is no workload."""

    def passed() -> Measured[Space] | None:
        space = volume.space()
        if expansion.half_used(space.value):
            return space
        state = volume.ask(workload.state(unit))
        if not state.value.active:
            raise EvidenceError("workload", "running writer", state.evidence[0].answer)
        return None

    return wait_for(f"use above half of {volume.mount}", passed, SLOW, every=EVERY)


def _moment(volume: Volume, unit: str) -> Moment:
    return Moment(volume.ask(workload.state(unit)), volume.ask(disks.written(volume.disk)))


def _later(volume: Volume, unit: str, begin: Moment) -> Moment:
    """Return the workload's state once it has written on, or ended, or did not within a minute."""

    def on() -> Moment | None:
        now = _moment(volume, unit)
        more = now.written.value.count - begin.written.value.count > (1 * MiB).count
        return now if more or not now.unit.value.active else None

    return volume.guest.wait_for("more of the workload", on, timedelta(minutes=1)) or _moment(
        volume, unit
    )


def _capacity(volume: Volume, asked: Bytes) -> tuple[Measured[Bytes], Measured[Bytes] | None]:
    """Return the capacity that the guest sees by itself, and after a rescan if that was needed."""

    def noticed() -> Measured[Bytes] | None:
        seen = volume.ask(disks.capacity(volume.disk))
        return seen if seen.value == asked else None

    seen = volume.guest.wait_for("the new capacity", noticed, bounds.CAPACITY_WITHIN)
    if seen is not None:
        return seen, None
    late = volume.ask(disks.capacity(volume.disk))
    volume.do("tee", f"/sys/class/block/{volume.disk}/device/rescan", stdin="1\n")
    return late, volume.ask(disks.capacity(volume.disk))


def _grow_file_system(bench: Bench, volume: Volume) -> Measured[Storage]:
    """Grow partition and file system as an administrator would; a tool's failure is an answer."""
    steps: tuple[partitioning.Step, ...] = ()
    if volume.node != volume.disk:
        steps = _tools(bench, volume.guest, partitioning.growing, partitioning.GROWERS, volume.disk)
    grow = volume.file_system.grow(f"/dev/{volume.node}", volume.mount)
    said: list[Evidence] = []
    for step in (*steps, partitioning.Step(grow)):
        shell = volume.guest.shell
        done = shell.run(step.argv, privileged=True, stdin=step.stdin.encode(), within=SLOW)
        said.append(as_evidence(shell.name, done))
    return Measured(parse_storage(said[-1].answer), tuple(said))


def _filled(volume: Volume) -> Measured[Fio]:
    """Use more than the small disk held; where there is no such room df shows it afterwards."""
    shell = volume.guest.shell
    argv = ("fallocate", "--length", str(NEW_ROOM.count), f"{volume.mount}/room")
    done = shell.run(argv, privileged=True, within=SLOW)
    fill = volume.ask(workload.fill(f"{volume.mount}/new", NEW_DATA))
    return Measured(fill.value, (as_evidence(shell.name, done), *fill.evidence))


def _checked(volume: Volume) -> Measured[bool]:
    """Unmount, let the file system's own checker look, and mount again; reads come from disk."""
    volume.do("umount", volume.mount)
    shell = volume.guest.shell
    argv = volume.file_system.check(f"/dev/{volume.node}")
    done = shell.run(argv, privileged=True, within=SLOW)
    mounted(volume)
    proof = as_evidence(shell.name, done)
    return Measured(done.exit_status == 0, (proof,))
