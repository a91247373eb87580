"""Provoked crashes: a guest is armed, made to panic, and asked for what its kdump saved.

The steps are the same wherever the core goes; ``neighbour`` is about dumps over a network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol, TypeVar

from harness.bench import Bench, GuestUnderTest
from harness.chance import CHANCE
from harness.checks import bounds, capture, core, health, kdump, reach
from harness.checks.core import CoreFile
from harness.checks.kernel_log import KernelLog, parse_kernel_log
from harness.distro.dumping import LOCAL, Target
from harness.errors import CommandFailed, DeadlineExceeded, EvidenceError
from harness.evidence import Evidence, Measured, Probe
from harness.guest import changes
from harness.guest.boot import BOOT_ID
from harness.guest.files import read_file, run_or_fail, write_file
from harness.guest.measure import as_evidence, measure
from harness.guest.shell import GuestShell
from harness.host.events import crash_reports
from harness.verdict import NotApplicable, Outcome, Verdict, all_of

OPEN_WITHIN = timedelta(minutes=15)
"""For putting a core in order and reading its log, on an emulated guest."""

COPIED_WITHIN = timedelta(minutes=30)
"""For copying a core to the results, over the SSH of an emulated guest."""

TRIGGERED_WITHIN = timedelta(seconds=30)
"""A command that crashes the guest never ends; the dump takes longer than this wait."""

T = TypeVar("T")
Act = Callable[[GuestShell], object]


class Place(Protocol):
    """A machine that keeps cores: a guest of the case, or one of the lab."""

    @property
    def shell(self) -> GuestShell:
        """Return the session to it."""

    def measure(self, probe: Probe[T]) -> Measured[T]:
        """Ask one question; the value comes with its raw text."""

    def wait_for(self, what: str, poll: Callable[[], T | None], within: timedelta) -> T | None:
        """Poll until there is an answer; None when it did not come."""


@dataclass(frozen=True, slots=True)
class Keeper:
    """Where cores go: the target as the guest is told, and the machine that keeps them.

    ``check``: judges whether the target would take a dump now.
    """

    target: Target
    place: Callable[[], Place]
    check: Callable[[], Verdict]

    def refuses(self) -> Verdict | None:
        """Return the verdict that says why the target takes no dump, None where it does."""
        said = self.check()
        return said if said.outcome is Outcome.FAIL else None


def local(bench: Bench) -> Keeper:
    """Return the guest's own disk as the keeper of its cores."""

    def check() -> Verdict:
        guest = _running(bench)
        run_or_fail(guest.shell, ("mkdir", "-p", "--", LOCAL.folder))  # as kdump does
        return reach.judge_room(guest.measure(reach.room(LOCAL.folder)))

    return Keeper(LOCAL, lambda: _running(bench), check)


def needs_dumps(bench: Bench) -> None:
    """End the case as not-applicable where this Windows release cannot dump such a guest."""
    rule = kdump.too_many_cpus(bench.build, bench.guest.processors)
    if rule:
        raise NotApplicable(Verdict(Outcome.NOT_APPLICABLE, rule, bench.host_facts.evidence))


def prove(
    bench: Bench, keeper: Keeper, trigger: kdump.Trigger, act: Act, *, cpu: int | None = None
) -> Verdict:
    """Arm the guest, crash it, judge what that left; a guest that is not armed is not crashed."""
    armed = arm(bench, keeper.target)
    if armed.outcome is not Outcome.PASS:
        return armed
    crashed = Crash(bench, keeper, trigger, cpu).provoke(act)
    return all_of(crashed.because, armed, crashed)


def arm(bench: Bench, target: Target) -> Verdict:
    """Have the distribution's own kdump capture crashes to the target; reboot; judge it armed."""
    guest = bench.running or bench.boot()
    dumping = bench.family.dumping
    bench.needs_programs(bench.family.kdump.program, "makedumpfile")
    found, read = read_file(guest.shell, dumping.file)
    text = dumping.configured(target, found or "")
    option = bench.family.kernel_option("kdump", kdump.reservation(bench.guest.memory))
    done = [read, *write_file(guest.shell, dumping.file, text), *changes.make(guest.shell, option)]
    if dumping.capture:
        done += changes.make(guest.shell, dumping.capture)
    bench.context += done
    bench.story.append(f"configured kdump for {target.kind.value}: {dumping.file}")
    guest = bench.reboot()
    guest.wait_for("kdump's service", lambda: _ready(bench), bounds.ARMED_WITHIN)
    said = guest.measure(kdump.ready(dumping.status))
    return kdump.judge_armed(guest.measure(kdump.LOADED), guest.measure(kdump.RESERVED), said)


def _ready(bench: Bench) -> bool | None:
    return _running(bench).measure(kdump.ready(bench.family.dumping.status)).value or None


@dataclass(slots=True)
class Crash:
    """One provoked crash and what is known of it, step by step.

    ``provoked``: kinds of health problems that the case causes before the crash. ``file`` and
    ``log``: the core and what was read from it, once they were found.
    """

    bench: Bench
    keeper: Keeper
    trigger: kdump.Trigger
    cpu: int | None = None
    provoked: frozenset[str] = frozenset()
    file: CoreFile | None = None
    log: Measured[KernelLog] | None = None
    nonce: str = field(default_factory=lambda: f"hvcert-crash-{CHANCE.nonce()}")

    def provoke(self, act: Act) -> Verdict:
        """Crash the armed guest, wait for its next boot, judge what the crash left."""
        bench, dying = self.bench, _running(self.bench)
        if refused := self.keeper.refuses():
            return refused
        ordinary = dying.measure(kdump.COMMAND_LINE)
        before, reported = self._cores(), crash_reports(bench.vm.session, bench.vm.name)
        bench.context += _told(dying.shell, self.nonce)
        try:
            back = bench.next_boot(f"crashed the guest by {self.trigger.name}", act, self._limit)
        except DeadlineExceeded as late:
            looked = bench.vm.look().evidence
            proof = (*before.evidence, looked, Evidence("next boot", str(late), dying.shell.name))
            return kdump.judge_back(dying.boot_id, None, proof)
        said = [kdump.judge_back(dying.boot_id, back.measure(BOOT_ID), ())]
        said += self._judge_core(dying, before)
        if self.file:
            keep(bench, self.keeper.place().shell, self.file)
        if all(part.outcome is Outcome.PASS for part in said):
            said.append(capture.judge_capture(self._capture_log(), back.platform, ordinary))
        events = crash_reports(bench.vm.session, bench.vm.name)
        said.append(kdump.judge_reported(reported, events, dying.log_before.value))
        return all_of("; ".join(part.because for part in said), *said)

    @property
    def _limit(self) -> timedelta:
        return bounds.CRASH_BOOT_WITHIN

    def _cores(self) -> Measured[tuple[CoreFile, ...]]:
        return self.keeper.place().measure(core.cores(self.keeper.target.folder))

    def _judge_core(
        self, dying: GuestUnderTest, before: Measured[tuple[CoreFile, ...]]
    ) -> list[Verdict]:
        first = self._cores()
        keeper = self.keeper.place()
        keeper.wait_for("a second look at the core", lambda: None, bounds.CORE_STABLE_FOR)
        second = self._cores()
        files = kdump.judge_files(before, first, second)
        if files.outcome is not Outcome.PASS:
            refused = self.keeper.refuses()
            return [refused, files] if refused else [files]
        self.file = file = kdump.new_cores(before.value, second.value)[0]
        header = keeper.measure(core.head(file.path))
        ends = keeper.measure(core.tail(file)) if header.value.flattened else None
        whole = kdump.judge_header(header, ends, dying.release)
        log = read_log(keeper.shell, file, flattened=header.value.flattened)
        if isinstance(log, Verdict):
            return [files, whole, log]
        self.log = log
        own = kdump.until_crash(log, self.trigger)
        self.bench.health.append(health.judge_health(dying.log_before, own, self.provoked))
        return [files, whole, kdump.judge_panic(log, self.nonce, self.trigger, self.cpu)]

    def _capture_log(self) -> Measured[KernelLog]:
        name = self.bench.family.dumping.capture_log
        if self.file is None:
            raise EvidenceError("capture kernel's log", "core that it is kept beside", name)
        own = name.startswith("/")
        guest = _running(self.bench) if own else self.keeper.place()
        path = name if own else f"{self.file.path.rpartition('/')[0]}/{name}"
        return guest.measure(Probe(("cat", "--", path), parse_kernel_log, privileged=True))


def by_sysrq(shell: GuestShell) -> None:
    """Crash the guest by magic SysRq; the command does not end."""
    shell.run(SYSRQ, privileged=True, stdin=b"c\n", within=TRIGGERED_WITHIN)


def by_sysrq_on(cpu: int) -> Act:
    """Return what crashes the guest by magic SysRq on that CPU."""
    argv = ("taskset", "-c", str(cpu), *SYSRQ)
    return lambda shell: shell.run(argv, privileged=True, stdin=b"c\n", within=TRIGGERED_WITHIN)


SYSRQ = ("tee", "/proc/sysrq-trigger")


def read_log(
    shell: GuestShell, file: CoreFile, *, flattened: bool
) -> Measured[KernelLog] | Verdict:
    """Return the log in a core, read by makedumpfile; a verdict that fails where it cannot."""
    ordered = f"/var/tmp/hvcert-{file.name}"  # noqa: S108  # in a guest of ours
    text = f"{ordered}.dmesg"
    path = ordered if flattened else file.path
    steps: list[tuple[str, ...]] = [("makedumpfile", "--dump-dmesg", path, text)]
    if flattened:
        source = f"--property=StandardInput=file:{file.path}"
        run = ("systemd-run", "--quiet", "--wait", "--collect", source)
        steps.insert(0, (*run, "makedumpfile", "-R", ordered))
    done: list[Evidence] = []
    for argv in steps:
        ran = shell.run(argv, privileged=True, within=OPEN_WITHIN)
        done.append(as_evidence(shell.name, ran))
        if ran.exit_status:
            last = (ran.stderr or ran.stdout).strip().splitlines()[-1:] or ["it said nothing"]
            why = f"makedumpfile cannot open the core: {last[0]}"
            return Verdict(Outcome.FAIL, why, tuple(done))
    log = measure(shell, Probe(("cat", "--", text), parse_kernel_log, privileged=True))
    shell.run(("rm", "-f", "--", ordered, text), privileged=True)
    return Measured(log.value, (*done, *log.evidence))


def keep(bench: Bench, shell: GuestShell, file: CoreFile) -> None:
    """Copy a core from where it is to the results, where that was asked for."""
    if bench.cores is None:
        return
    name = f"{bench.case}-{file.name}"
    copy = ("cat", "--", file.path)
    done = shell.save(copy, bench.cores / name, privileged=True, within=COPIED_WITHIN)
    if done.exit_status:
        raise CommandFailed(shell.name, done.argv, done.exit_status, done.stderr)
    bench.context.append(as_evidence(shell.name, done))
    bench.story.append(f"kept the core as {bench.cores.name}/{name}")


def _told(shell: GuestShell, nonce: str) -> tuple[Evidence, ...]:
    """Write the nonce to the kernel's log, and everything else to disk."""
    wrote = shell.run(("tee", "/dev/kmsg"), privileged=True, stdin=f"{nonce}\n".encode())
    synced = shell.run(("sync",), privileged=True)
    return as_evidence(shell.name, wrote), as_evidence(shell.name, synced)


def _running(bench: Bench) -> GuestUnderTest:
    if bench.running is None:
        raise EvidenceError("guest", "boot that answers", bench.vm.name)
    return bench.running
