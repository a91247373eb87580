"""An NMI for a guest that hangs: real-time loops on every CPU, until the host injects one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from harness.bench import Bench
from harness.chance import CHANCE
from harness.checks import bounds, hang, kdump, kernel
from harness.checks.interrupts import ONLINE_CPUS
from harness.crash import Crash, arm, local
from harness.deadline import wait_for
from harness.errors import DeadlineExceeded, EvidenceError, GuestUnreachable
from harness.evidence import Evidence, Measured
from harness.guest.measure import measure
from harness.guest.shell import GuestShell
from harness.inventory.model import FixedAddress
from harness.verdict import Outcome, Verdict, all_of

STARTED_WITHIN = timedelta(seconds=20)
"""The command that starts the last loop does not get to end."""

SETTINGS = (*kdump.PANIC_ON_NMI.items(), hang.LOOPS_UNTHROTTLED)


@dataclass(slots=True)
class Hang:
    """Makes a guest hang, proves it, and injects one NMI; what was seen is kept."""

    bench: Bench
    word: str = field(default_factory=lambda: f"hvcert-writer-{CHANCE.nonce()}")
    seen: hang.Silence | None = None

    def __call__(self, shell: GuestShell) -> None:
        """Hang the guest of this shell and inject the NMI; EvidenceError when it still lives."""
        for name, value in SETTINGS:
            measure(shell, kernel.set_sysctl(name, value))
        cpus = measure(shell, ONLINE_CPUS).value
        where = self._address()
        before = self._heartbeat()
        shell.run(hang.writer(self.word), privileged=True)
        for cpu in sorted(cpus, reverse=True):
            with suppress(GuestUnreachable, DeadlineExceeded):
                shell.run(hang.loop_on(cpu), privileged=True, within=STARTED_WITHIN)
        self.bench.story.append(f"busy real-time loops on CPUs {', '.join(map(str, cpus))}")
        login = self._login_fails(where)
        self.seen = hang.Silence(login, before, self._heartbeat())
        hang.check_outside(self.seen)
        self.bench.vm.inject_nmi()

    def _heartbeat(self) -> Measured[str]:
        answer = self.bench.vm.look()
        return Measured(answer.one().string("Heartbeat"), (answer.evidence,))

    def _address(self) -> tuple[tuple[str, ...], int]:
        where = self.bench.guest.address
        if isinstance(where, FixedAddress):
            return (where.ip,), where.port
        return self.bench.vm.addresses(), 22

    def _login_fails(self, where: tuple[tuple[str, ...], int]) -> Evidence:
        """Wait until no login succeeds for twice the time: the writer may have had a last word."""
        guest = self.bench.guest

        def silent() -> Evidence | None:
            try:
                self.bench.connect(guest, *where, 2 * bounds.SILENT_FOR)
            except GuestUnreachable as nobody:
                return Evidence(f"ssh to {where[0]}", str(nobody), f"guest {guest.name}")
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
    crash = Crash(bench, keeper, kdump.NMI, provoked=hang.PROVOKED)
    dumped = crash.provoke(hung)
    whole = all_of(dumped.because, armed, dumped)
    if crash.log is None or hung.seen is None:
        return whole, whole
    hang.check_writer(crash.log, hung.word, kdump.NMI.mark)
    dumped = Verdict(whole.outcome, whole.because, whole.evidence + hung.seen.evidence)
    return dumped, kdump.judge_panic(crash.log, crash.nonce, kdump.NMI)
