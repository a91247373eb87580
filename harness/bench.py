"""What a certification case works with: one VM, its guest, and the word that makes a verdict.

The bench watches every boot of the guest: its platform is measured, its preparations are made sure
of, its kernel log is judged before the case acts and again before the guest goes away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from harness.checks import health, kernel, mmio
from harness.checks.kernel_log import KERNEL_LOG, KernelLog
from harness.checks.platform import PLATFORM_PROBES, Platform, identify
from harness.deadline import wait_for
from harness.distro import FAMILIES, Family
from harness.errors import DeadlineExceeded, EvidenceError, GuestUnreachable
from harness.evidence import Evidence, Measured, Probe
from harness.guest.boot import BOOT_ID, ClosableShell, wait_for_new_boot
from harness.guest.measure import measure
from harness.guest.prepare import due, prepare
from harness.guest.tools import require
from harness.host.command import GapPath
from harness.inventory.model import FixedAddress
from harness.silence import watched
from harness.verdict import Decided, NotApplicable, Outcome, Verdict

if TYPE_CHECKING:
    from harness.guest.shell import GuestShell
    from harness.host.facts import HostFacts
    from harness.host.fillers import Fillers
    from harness.host.vm import Vm
    from harness.inventory.model import Guest, Host

T = TypeVar("T")
BOOT_WITHIN = timedelta(minutes=10)
LOGIN_WITHIN = timedelta(minutes=5)
STOP_WITHIN = timedelta(minutes=3)
ANSWER_WITHIN = timedelta(minutes=1)

Connect = Callable[["Guest", tuple[str, ...], int, timedelta], ClosableShell]
"""Open a session to the guest at the first of these addresses that answers within the limit."""


class Another(Protocol):
    """Make one more VM of the same guest for the same case; it is gone when the block ends."""

    def __call__(self, *, full: bool = False) -> AbstractContextManager[Bench]:
        """``full``: on a disk of its own instead of a differencing one."""


class Certify(Protocol):
    """Hand in a verdict; the name of the parameter where a case has several.

    ``case``: which case, where the function has several (``mark.case("DM-02", "DM-04")``); the
    first one is the default.
    """

    def __call__(self, verdict: Verdict, parameter: str = "", *, case: str = "") -> None:
        """Keep the verdict and its evidence."""


@dataclass(slots=True)
class GuestUnderTest:
    """A guest that answers: its session, its platform, and its kernel log before the case acted."""

    shell: GuestShell
    reach: Callable[[], GuestShell]
    platform: Platform
    release: str
    log_before: Measured[KernelLog]
    boot_id: str

    def measure(self, probe: Probe[T]) -> Measured[T]:
        """Ask one question; the value comes with its raw text."""
        return measure(self.shell, probe)

    def wait_for(self, what: str, poll: Callable[[], T | None], within: timedelta) -> T | None:
        """Poll until there is an answer; None when it did not come, for the judge to say so."""
        try:
            return wait_for(what, poll, within, every=timedelta(milliseconds=200))
        except DeadlineExceeded:
            return None

    def reached_again(self) -> GuestUnderTest:
        """Log in anew after the guest was saved or paused; another boot fails the case.

        What the guest had in memory is gone then: the host lost its state, or its kernel died.
        """
        self.shell = self.reach()
        boot = self.measure(BOOT_ID)
        if boot.value != self.boot_id:
            anew = f"the guest booted anew: its boot id was {self.boot_id} and is {boot.value}"
            raise Decided(Verdict(Outcome.FAIL, anew, boot.evidence))
        return self

    @contextmanager
    def sysctl_set(self, values: dict[str, str]) -> Iterator[None]:
        """Set kernel settings inside the block; what was there is read first and put back."""
        former = {name: self.measure(kernel.sysctl(name)).value for name in values}
        for name, value in values.items():
            self.measure(kernel.set_sysctl(name, value))
        try:
            yield
        finally:
            for name, value in former.items():
                self.measure(kernel.set_sysctl(name, value))


@dataclass(slots=True)
class Bench:
    """One VM on one host for one case; ``others`` makes further ones.

    ``private_switch`` makes a private switch for VMs of the case (``harness.host.private``) and
    returns its name; it is removed with the bench.
    ``fillers`` hold the host's memory down to the inventory's reserve while a block runs.
    ``provoked``: the kinds of trouble in the kernel log that the case itself causes.
    ``beside``: the host's folder for disks that the case brings along. ``closing``: what is to be
    undone at the end of the case, the last first. ``cores``: the folder of ours for whole cores,
    None where they are not kept.
    """

    case: str
    vm: Vm
    host: Host
    guest: Guest
    host_facts: Measured[HostFacts]
    connect: Connect
    others: Another
    fillers: Fillers
    private_switch: Callable[[], str]
    provoked: frozenset[str] = frozenset()
    story: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    health: list[Verdict] = field(default_factory=list)
    context: list[Evidence] = field(default_factory=list)
    running: GuestUnderTest | None = None
    met: tuple[str, ...] = ()
    beside: str = ""
    cores: Path | None = None
    closing: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        """Say from the start what no reader of the report may miss."""
        if broken := self.host_facts.value.broken:
            self.facts["host broken on purpose"] = ", ".join(broken)

    @property
    def build(self) -> int:
        """Return the host's measured Windows build number."""
        return self.host_facts.value.build

    @property
    def family(self) -> Family:
        """Return the record of the guest's distribution family."""
        return FAMILIES[self.guest.family]

    def needs_programs(self, *programs: str) -> None:
        """Make sure that the running guest has these; raise GuestLacksTool that says what to do."""
        if self.running is None:
            raise RuntimeError("boot the guest first")
        self.context += require(self.running.shell, self.family, *programs)

    @property
    def home(self) -> str:
        """Return the folder of the VM's files on the host; it is removed with the VM."""
        return f"{self.host.vm_path}\\{self.vm.name}"

    def folder(self, name: str) -> str:
        """Return the path of a file or folder in ``home``."""
        return f"{self.home}\\{name}"

    @property
    def gap_path(self) -> GapPath:
        """Return the documented way to set the gap on this Windows release."""
        return mmio.gap_path(self.build)

    def needs_gap_path(self, path: GapPath) -> None:
        """End the case as not-applicable where this Windows release lacks the path."""
        if path not in mmio.gap_paths(self.build):
            because = f"build {self.build} has no {path.value} for the gap (since build 14393)"
            raise NotApplicable(Verdict(Outcome.NOT_APPLICABLE, because, self.host_facts.evidence))

    def needs_generation_1(self, what: str) -> None:
        """End the case as not-applicable when the host says that the VM is of Generation 2."""
        generation = self.vm.generation()
        if generation.value != 1:
            because = f"Generation {generation.value} has no {what}"
            raise NotApplicable(Verdict(Outcome.NOT_APPLICABLE, because, generation.evidence))

    @contextmanager
    def another(self, *, full: bool = False) -> Iterator[Bench]:
        """Make one more VM of this guest; what its health and its evidence say counts here, too."""
        with self.others(full=full) as other:
            try:
                yield other
                other.judge_health()
            finally:
                self.health += other.health
                self.context += other.context
                self.facts = other.facts | self.facts

    def boot(self) -> GuestUnderTest:
        """Start the VM and log in; prepare the guest, measure its platform, read its log."""
        self.story.append("started the VM")
        self.vm.start()
        with watched(self.vm, self.context):
            shell = self._prepared(self._reach())
        self.running = self._look_at(shell)
        return self.running

    def stop(self) -> None:
        """Judge the guest's health, then shut it down."""
        self.judge_health()
        self.running = None
        self.story.append("shut the VM down")
        with watched(self.vm, self.context):
            self.vm.stop()

    def reboot(self) -> GuestUnderTest:
        """Judge the guest's health, then let it reboot itself."""
        guest = self.running
        self.judge_health()
        self.running = guest
        return self.next_boot("rebooted the guest", _reboot, BOOT_WITHIN + STOP_WITHIN)

    def next_boot(
        self, story: str, trigger: Callable[[GuestShell], object], within: timedelta
    ) -> GuestUnderTest:
        """Do what makes the guest boot anew, and wait for that boot by its boot id.

        ``trigger`` may lose its connection. Raises DeadlineExceeded when no other boot, or only a
        capture kernel, answers: what the host shows then is kept. The log of the boot that ends
        here is the caller's to judge.
        """
        guest, self.running = self.running, None
        if guest is None:
            raise EvidenceError("guest", "boot that could end (the VM is not up)", story)
        self.story.append(story)
        with suppress(GuestUnreachable, DeadlineExceeded):
            trigger(guest.shell)
        before = Measured(guest.boot_id, guest.log_before.evidence)
        with watched(self.vm, self.context):
            shell, _ = wait_for_new_boot(before, self._reach_once, within)
        self.running = self._look_at(shell)
        return self.running

    def judge_health(self) -> None:
        """Judge the kernel log of this boot against its beginning; once per boot."""
        guest, self.running = self.running, None
        if guest is None:
            return
        try:
            after = guest.reached_again().measure(KERNEL_LOG)
        except Decided as anew:
            self.health.append(anew.verdict)
            return
        self.health.append(health.judge_health(guest.log_before, after, self.provoked))

    def _reach(self) -> GuestShell:
        where = self.guest.address
        if isinstance(where, FixedAddress):
            return self.connect(self.guest, (where.ip,), where.port, BOOT_WITHIN)
        self.met = self.vm.wait_for_address(BOOT_WITHIN)
        return self.connect(self.guest, self.met, 22, LOGIN_WITHIN)

    def _reach_again(self) -> GuestShell:
        """Log in where the guest was met; ask the host anew only when it is not there any more."""
        if self.met:
            with suppress(GuestUnreachable):
                return self.connect(self.guest, self.met, 22, LOGIN_WITHIN)
        return self._reach()

    def _reach_once(self) -> ClosableShell:
        """Log in if the guest's own kernel answers now: a capture kernel may run sshd, too."""
        where = self.guest.address
        known = (where.ip,) if isinstance(where, FixedAddress) else self.vm.addresses()
        if not known:
            raise GuestUnreachable(self.guest.name, "the host reports no address")
        port = where.port if isinstance(where, FixedAddress) else 22
        shell = self.connect(self.guest, known, port, ANSWER_WITHIN)
        try:
            capture = shell.run(("test", "-e", "/proc/vmcore"), within=ANSWER_WITHIN)
        except DeadlineExceeded as late:
            raise GuestUnreachable(self.guest.name, str(late)) from late
        if capture.exit_status == 0:
            raise GuestUnreachable(self.guest.name, "it is the capture kernel that answers")
        return shell

    def _prepared(self, shell: GuestShell) -> GuestShell:
        wanted = due(self.guest.preparations, self.case)
        if not wanted:
            return shell
        done = prepare(shell, wanted)
        self.context += done.evidence
        self.facts["preparations"] = "; ".join(f"{p.file}: {p.reason}" for p in wanted)
        if not done.reboot:
            return shell
        self.story.append("rebooted after a declared preparation")
        self.vm.stop()
        self.vm.start()
        again = self._reach()
        left = prepare(again, wanted)
        if left.reboot:
            raise EvidenceError("preparation", "lasting effect over a reboot", str(wanted))
        return again

    def _look_at(self, shell: GuestShell) -> GuestUnderTest:
        seen = {name: measure(shell, probe) for name, probe in PLATFORM_PROBES.items()}
        facts = self.host_facts.value
        platform = identify(seen, facts.manufacturer, facts.model)
        release = measure(shell, kernel.RELEASE)
        log = measure(shell, KERNEL_LOG)
        boot = measure(shell, BOOT_ID)
        self.context += [piece for found in seen.values() for piece in found.evidence]
        self.context += [*self.host_facts.evidence, *release.evidence, *log.evidence]
        self.facts |= {
            "platform": platform.name,
            "banner": _banner(platform.banner, facts.broken),
            "kernel": release.value,
            "host build": str(facts.build),
            "host release": facts.caption,
            "distribution": f"{self.guest.family} {self.guest.release}",
        }
        self.health.append(health.judge_health_at_login(log))
        return GuestUnderTest(shell, self._reach_again, platform, release.value, log, boot.value)


def _banner(platform: str, broken: tuple[str, ...]) -> str:
    return f"{platform} BROKEN ON PURPOSE ({', '.join(broken)})" if broken else platform


def _reboot(shell: GuestShell) -> None:
    shell.run(("systemctl", "reboot"), privileged=True, within=ANSWER_WITHIN)
