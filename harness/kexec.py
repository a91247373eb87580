"""kexec: the guest loads its own kernel with a word on its command line, and boots it."""

from __future__ import annotations

from harness.bench import ANSWER_WITHIN, BOOT_WITHIN, STOP_WITHIN, Bench
from harness.chance import CHANCE
from harness.checks import kexec
from harness.errors import DeadlineExceeded
from harness.evidence import Evidence
from harness.guest.boot import BOOT_ID
from harness.guest.measure import as_evidence
from harness.guest.shell import GuestShell
from harness.verdict import Outcome, Verdict, all_of


def prove(bench: Bench) -> Verdict:
    """Load the running kernel, start it as the distribution does, judge which kernel came up."""
    guest = bench.boot()
    bench.needs_programs("kexec")
    nonce = CHANCE.nonce()
    line = guest.measure(kexec.COMMAND_LINE)
    initrd = bench.family.dumping.initrd.format(release=guest.release)
    argv = (
        f"/boot/vmlinuz-{guest.release}",
        f"--initrd={initrd}",
        f"--command-line={kexec.with_nonce(line.value, nonce)}",
    )
    tried = _load(guest.shell, argv)
    loaded = kexec.judge_loaded(guest.measure(kexec.LOADED), tried)
    if loaded.outcome is not Outcome.PASS:
        return loaded
    bench.judge_health()
    bench.running = guest
    try:
        back = bench.next_boot("booted its kernel by kexec", _start, BOOT_WITHIN + STOP_WITHIN)
    except DeadlineExceeded as late:
        proof = (*tried, bench.vm.look().evidence, Evidence("next boot", str(late)))
        return Verdict(Outcome.FAIL, "the guest did not boot anew after kexec", proof)
    booted = back.measure(BOOT_ID)
    judged = kexec.judge_kexec(guest.boot_id, booted, back.measure(kexec.COMMAND_LINE), nonce)
    return all_of(judged.because, loaded, judged)


def _load(shell: GuestShell, argv: tuple[str, ...]) -> tuple[Evidence, ...]:
    """Load by the old call, else by the new one: a locked-down kernel has only that."""
    done: list[Evidence] = []
    for how in (("kexec", "-l"), ("kexec", "-s", "-l")):
        ran = shell.run((*how, *argv), privileged=True)
        done.append(as_evidence(shell.name, ran))
        if ran.exit_status == 0:
            break
    return tuple(done)


def _start(shell: GuestShell) -> None:
    shell.run(("systemctl", "kexec"), privileged=True, within=ANSWER_WITHIN)
