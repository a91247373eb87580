"""A live backup as a case sees it: a writer in the guest, one call of the host, and a copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from harness.bench import Bench, GuestUnderTest
from harness.checks import bounds
from harness.checks.backup import (
    UPTIME,
    Signs,
    Tick,
    judge_refused_checkpoint,
)
from harness.checks.filesystems import DISK_NAMES, EXT, MOUNTS, Mounted, judge_checked, judge_ext
from harness.checks.freeze import CURSOR, FreezeLog, freeze_log
from harness.checks.records import Acknowledged, Written, judge_prefix, judge_stall
from harness.deadline import SYSTEM, wait_for
from harness.errors import CommandFailed, EvidenceError, HostError
from harness.evidence import Evidence, Measured
from harness.guest.boot import BOOT_ID
from harness.guest.copies import Inspected, inspect
from harness.guest.files import run_or_fail
from harness.guest.writer import acknowledged, start_writers, stop_writers
from harness.host.copies import (
    attach_over,
    attempt_checkpoint,
    checkpoint_names,
)
from harness.host.lifecycle import disks
from harness.verdict import NotApplicable, Outcome, Verdict, all_of

T = TypeVar("T")
WRITING_WITHIN = timedelta(minutes=3)
LOGGED_WITHIN = timedelta(seconds=30)
SHOWN_WITHIN = timedelta(minutes=3)
UP = "active\n"
TOOLS = {**dict.fromkeys(EXT, "dumpe2fs"), "xfs": "xfs_repair", "btrfs": "btrfs"}
"""What tells of each file system on its device."""


def has_production_checkpoints(bench: Bench) -> bool:
    """Return whether this Windows release has production checkpoints."""
    return bench.build >= bounds.BACKUP_CHECKPOINT_FROM_BUILD


def _no_production(bench: Bench) -> Verdict:
    because = f"build {bench.build} has no production checkpoints (since build 14393)"
    return Verdict(Outcome.NOT_APPLICABLE, because, bench.host_facts.evidence)


def needs_production_checkpoints(bench: Bench) -> None:
    """End the case as not-applicable where this Windows release has no production checkpoints."""
    if not has_production_checkpoints(bench):
        raise NotApplicable(_no_production(bench))


REFUSED = "hvcert production"
MERGED_WITHIN = timedelta(minutes=10)


def judge_refused_production(bench: Bench) -> Verdict:
    """Try a production checkpoint, which has to fail now; not-applicable on 2012 R2.

    One that was made all the same is removed: what is backed up next is whole disks again.
    """
    if not has_production_checkpoints(bench):
        return _no_production(bench)
    attempt = attempt_checkpoint(bench.vm, REFUSED)
    left = checkpoint_names(bench.vm)
    if REFUSED in left.value:
        bench.vm.remove_checkpoint(REFUSED)
        whole = lambda: not any(parent for _, parent in disks(bench.vm)) or None  # noqa: E731
        wait_for(f"the merge of the disks of {bench.vm.name}", whole, MERGED_WITHIN)
    return judge_refused_checkpoint(attempt, left)


def needs_own_disk(bench: Bench) -> None:
    """Raise HostError when one of the VM's disks is the child of another."""
    for path, parent in disks(bench.vm):
        if parent:
            raise HostError(
                bench.host.name,
                f"{path} is a differencing disk of {parent}: live backup is judged on whole disks",
                "give the guest a template instead of an existing VM",
            )


@dataclass(slots=True)
class Moment:
    """One look at a running guest: its boot, its clock, what its writers have acknowledged."""

    boot: Measured[str]
    tick: Measured[Tick]
    acknowledged: tuple[Measured[Acknowledged], ...]


@dataclass(slots=True)
class Backup:
    """What is seen of one backup: looks before and after the call, the VM's states meanwhile."""

    bench: Bench
    guest: GuestUnderTest
    places: tuple[Mounted, ...]
    states: list[Measured[str]] = field(default_factory=list)
    cursor: str = ""
    before: Moment | None = None
    after: Moment | None = None
    log: Measured[FreezeLog] | None = None
    written: tuple[Written, ...] = ()

    @contextmanager
    def watched(self, *, expect_freeze: bool = True) -> Iterator[None]:
        """Look at the guest before and after the block, which makes the host back it up."""
        self.cursor = self.guest.measure(CURSOR).value
        self.before = self._look()
        yield
        self.guest.reached_again()
        self.after = self._look()
        self.log = self._freeze_log(expect_freeze)
        self._await_both_sides()

    def poll(self) -> None:
        """Note the VM's state; called while the host works."""
        answer = self.bench.vm.look()
        self.states.append(Measured(answer.one().string("State"), (answer.evidence,)))

    def signs(self, copy_state: Measured[str]) -> Signs:
        """Return what tells an online backup; ``copy_state`` of its checkpoint or restored VM."""
        before, after, log = self.before, self.after, self.log
        if before is None or after is None or log is None:
            raise EvidenceError("backup", "call that was watched to its end", "")
        boots, ticks = (before.boot, after.boot), (before.tick, after.tick)
        return Signs(log, boots, ticks, tuple(self.states), copy_state)

    def judge_copy(self, copy: tuple[Inspected, ...]) -> Verdict:
        """Judge content and consistency of every file system, and the writers' stalls."""
        by_uuid = {one.place.uuid: one for one in copy}
        missing = [place.target for place in self.places if place.uuid not in by_uuid]
        if missing:
            raise EvidenceError("copy", f"file system of {', '.join(missing)}", str(copy))
        parts = [
            part
            for place, written in zip(self.places, self.written, strict=True)
            for part in _judged(written, by_uuid[place.uuid])
        ]
        return all_of("; ".join(part.because for part in parts), *parts)

    def _look(self) -> Moment:
        shell = self.guest.shell
        written = tuple(acknowledged(shell, n) for n in range(len(self.places)))
        return Moment(self.guest.measure(BOOT_ID), self._tick(), written)

    def _tick(self) -> Measured[Tick]:
        earliest = SYSTEM.monotonic()
        uptime = self.guest.measure(UPTIME)
        latest = SYSTEM.monotonic()
        clock = Evidence("the controller's clock around it", f"{earliest:.2f} {latest:.2f}")
        return Measured(Tick(earliest, latest, uptime.value), (*uptime.evidence, clock))

    def _freeze_log(self, expect_freeze: bool) -> Measured[FreezeLog]:  # noqa: FBT001
        probe = freeze_log(self.guest.platform.freeze_services, self.cursor)
        seen = [self.guest.measure(probe)]

        def complete() -> bool | None:
            seen.append(self.guest.measure(probe))
            return seen[-1].value.complete or None

        if expect_freeze and not seen[-1].value.complete:  # the journal lags behind a freeze
            self.guest.wait_for("the freeze service's log", complete, LOGGED_WITHIN)
        return seen[-1]

    def _await_both_sides(self) -> None:
        """Wait until every writer has gone on after the call; the judge says when one has not."""
        assert self.before is not None  # noqa: S101  # watched() has looked
        assert self.after is not None  # noqa: S101
        ends = []
        for number, after in enumerate(self.after.acknowledged):
            later = self.guest.wait_for(
                f"record {after.value.last + 2}",
                _beyond(self.guest, number, after.value.last + 1),
                WRITING_WITHIN,
            )
            ends.append(later or acknowledged(self.guest.shell, number))
        befores, afters = self.before.acknowledged, self.after.acknowledged
        self.written = tuple(Written(*one) for one in zip(befores, afters, ends, strict=True))


def _judged(written: Written, one: Inspected) -> Iterator[Verdict]:
    where = f"{one.place.target} ({one.place.kind})"
    yield judge_prefix(where, written, one.records)
    if one.state is not None:
        yield judge_ext(where, one.state)
    elif one.checked is not None:
        yield judge_checked(where, one.place.kind, one.checked)
    yield judge_stall(where, written.end)


def _beyond(
    guest: GuestUnderTest, number: int, last: int
) -> Callable[[], Measured[Acknowledged] | None]:
    def poll() -> Measured[Acknowledged] | None:
        seen = acknowledged(guest.shell, number)
        return seen if seen.value.last > last else None

    return poll


@contextmanager
def writing(bench: Bench, guest: GuestUnderTest) -> Iterator[Backup]:
    """Let a writer work on every file system of the guest inside the block."""
    needs_own_disk(bench)
    places = guest.measure(MOUNTS)
    bench.needs_programs(*sorted({tool for p in places.value if (tool := TOOLS.get(p.kind))}))
    bench.context += [*places.evidence, *start_writers(guest.shell, places.value)]
    try:
        for number, place in enumerate(places.value):
            wait_for(
                f"{bounds.BACKUP_RECORDS_FIRST} records on {place.target}",
                _begun(guest, number),
                WRITING_WITHIN,
            )
        yield Backup(bench, guest, places.value)
    finally:
        stop_writers(guest.shell, places.value)


def _begun(guest: GuestUnderTest, number: int) -> Callable[[], bool | None]:
    def poll() -> bool | None:
        try:
            seen = acknowledged(guest.shell, number)
        except (EvidenceError, CommandFailed):  # no record yet
            return None
        return seen.value.last >= bounds.BACKUP_RECORDS_FIRST or None

    return poll


def inspected(
    bench: Bench, guest: GuestUnderTest, copies: tuple[str, ...], places: tuple[Mounted, ...]
) -> tuple[Inspected, ...]:
    """Attach a differencing disk over each copied disk to a running guest, and look at it."""
    found: list[Inspected] = []
    for number, copy in enumerate(copies):
        child = bench.folder(f"look-{number}.{copy.rpartition('.')[2]}")
        with new_disk(guest) as name:
            attach_over(bench.vm, copy, child)
        found += inspect(guest.shell, name(), places)
    return tuple(found)


@contextmanager
def new_disk(guest: GuestUnderTest) -> Iterator[Callable[[], str]]:
    """Yield what waits for the device (``/dev/sdb``) of the disk that the block attaches."""
    before = guest.measure(DISK_NAMES).value

    def appeared() -> str | None:
        new = sorted(guest.measure(DISK_NAMES).value - before)
        return f"/dev/{new[0]}" if new else None

    yield lambda: wait_for("the new disk in the guest", appeared, SHOWN_WITHIN)


@contextmanager
def freeze_service_stopped(guest: GuestUnderTest) -> Iterator[None]:
    """Stop the guest's freeze service inside the block; raise EvidenceError when none runs."""
    units = tuple(f"{name}.service" for name in guest.platform.freeze_services)
    active = tuple(u for u in units if guest.shell.run(("systemctl", "is-active", u)).stdout == UP)
    if not active:
        raise EvidenceError("freeze service", f"running one of {', '.join(units)}", "")
    run_or_fail(guest.shell, ("systemctl", "stop", *active))
    try:
        yield
    finally:
        run_or_fail(guest.shell, ("systemctl", "start", *active))
