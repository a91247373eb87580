"""An NMI for a guest that hangs: real-time loops on every CPU, until the host injects one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from harness.bench import LOGIN_WITHIN, Bench
from harness.chance import CHANCE
from harness.checks import bounds, hang, kdump, kernel
from harness.checks.interrupts import ONLINE_CPUS
from harness.checks.kernel_log import KERNEL_LOG
from harness.crash import Crash, arm, local
from harness.deadline import wait_for
from harness.errors import DeadlineExceeded, EvidenceError, GuestUnreachable
from harness.evidence import Evidence, Measured
from harness.guest.files import run_or_fail
from harness.guest.measure import measure
from harness.guest.shell import GuestShell
from harness.inventory.model import FixedAddress
from harness.verdict import Outcome, Verdict, all_of

STARTED_WITHIN = timedelta(seconds=20)
"""The command that starts the loops may not get to end."""

WRITES = timedelta(seconds=30)
"""For a writer to be heard: its words go to the kernel's log by way of the journal."""

SETTINGS = (*kdump.PANIC_ON_NMI.items(), hang.LOOPS_UNTHROTTLED)


@dataclass(slots=True)
class Hang:
    """Makes a guest hang, proves it, and injects one NMI; what was seen is kept."""

    bench: Bench
    word: str = field(default_factory=lambda: f"hvcert-writer-{CHANCE.nonce()}")
    cpus: tuple[int, ...] = ()
    where: tuple[tuple[str, ...], int] = ((), 0)
    before: Measured[str] | None = None
    seen: hang.Silence | None = None

    def prepare(self, shell: GuestShell) -> None:
        """Have the guest panic on an NMI and its loops not throttled; start the writer."""
        for name, value in SETTINGS:
            measure(shell, kernel.set_sysctl(name, value))
        self.cpus = measure(shell, ONLINE_CPUS).value
        for cpu in self.cpus:  # there since 6.12, and no error where there is none
            shell.run(("tee", hang.RESERVE.format(cpu)), privileged=True, stdin=b"0\n")
        self.where, self.before = self._address(), self._heartbeat()
        run_or_fail(shell, hang.writer(self.word))
        wait_for(f"the first word of a writer in {shell.name}", lambda: self._wrote(shell), WRITES)

    def __call__(self, shell: GuestShell) -> None:
        """Hang the guest of this shell and inject the NMI; EvidenceError when it still lives."""
        if self.before is None:
            raise RuntimeError("prepare the guest first")
        with suppress(GuestUnreachable, DeadlineExceeded):
            shell.run(hang.loops_on(self.cpus), privileged=True, within=STARTED_WITHIN)
        self.bench.story.append(f"busy real-time loops on CPUs {', '.join(map(str, self.cpus))}")
        login = self._login_fails()
        self.seen = hang.Silence(login, self.before, self._heartbeat())
        hang.check_outside(self.seen)
        self.bench.vm.inject_nmi()

    def _wrote(self, shell: GuestShell) -> bool | None:
        log = measure(shell, KERNEL_LOG).value
        return any(self.word in record.message for record in log.records) or None

    def _heartbeat(self) -> Measured[str]:
        answer = self.bench.vm.look()
        return Measured(answer.one().string("Heartbeat"), (answer.evidence,))

    def _address(self) -> tuple[tuple[str, ...], int]:
        where = self.bench.guest.address
        if isinstance(where, FixedAddress):
            return (where.ip,), where.port
        return self.bench.vm.wait_for_address(LOGIN_WITHIN), 22

    def _login_fails(self) -> Evidence:
        """Wait until no login succeeds for twice the time: the writer may have had a last word."""
        guest = self.bench.guest

        def silent() -> Evidence | None:
            try:
                self.bench.connect(guest, *self.where, 2 * bounds.SILENT_FOR)
            except GuestUnreachable as nobody:
                return Evidence(f"ssh to {self.where[0]}", str(nobody), f"guest {guest.name}")
            return None

        try:
            return wait_for(f"the end of logins to {guest.name}", silent, bounds.HANGS_WITHIN)
        except DeadlineExceeded as still:
            raise EvidenceError("SSH", "silence (the guest does not hang)", str(still)) from still


def prove(bench: Bench) -> tuple[Verdict, Verdict]:
    """Return the verdicts of KD-04 (the dump of a hung guest) and NMI-03 (panic by NMI)."""
    keeper = local(bench)
    armed = arm(bench, keeper.target)
    if armed.outcome is not Outcome.PASS:
        return armed, armed
    hung = Hang(bench)
    if bench.running is None:
        raise RuntimeError("an armed guest runs")
    hung.prepare(bench.running.shell)
    crash = Crash(bench, keeper, kdump.NMI, provoked=hang.PROVOKED)
    dumped = crash.provoke(hung)
    whole = all_of(dumped.because, armed, dumped)
    if crash.log is None or hung.seen is None:
        return whole, whole
    hang.check_writer(crash.log, hung.word, kdump.NMI.mark)
    dumped = Verdict(whole.outcome, whole.because, whole.evidence + hung.seen.evidence)
    return dumped, kdump.judge_panic(crash.log, crash.nonce, kdump.NMI)
