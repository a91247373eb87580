"""kexec into a kernel: only a word that this case put on the command line proves it.

A new boot id alone also fits a boot through the firmware. Source: certification case KX-01.
"""

from __future__ import annotations

from harness.checks.kdump import COMMAND_LINE, parse_count
from harness.evidence import Evidence, Measured, Probe
from harness.verdict import Outcome, Verdict, pass_if

LOADED = Probe(("cat", "/sys/kernel/kexec_loaded"), parse_count)
FIRMWARE_WORDS = ("BOOT_IMAGE=", "hvcert_nonce=")
__all__ = ["COMMAND_LINE", "LOADED", "judge_kexec", "judge_loaded", "with_nonce"]


def with_nonce(line: str, nonce: str) -> str:
    """Return a boot's command line for the next kernel: without what the boot loader added."""
    kept = [word for word in line.split() if not word.startswith(FIRMWARE_WORDS)]
    return " ".join((*kept, f"hvcert_nonce={nonce}"))


def judge_loaded(loaded: Measured[int], tried: tuple[Evidence, ...]) -> Verdict:
    """Judge whether a kernel is ready to be booted; ``tried``: the commands that loaded it."""
    ok = loaded.value == 1
    why = "the kernel is loaded" if ok else "kexec did not load the guest's own kernel"
    return pass_if(ok, why, (*tried, *loaded.evidence))


def judge_kexec(
    before: str, boot: Measured[str] | None, line: Measured[str], nonce: str
) -> Verdict:
    """Judge the boot after kexec; ``before`` is the boot id of the one that loaded the kernel."""
    proof = line.evidence + (boot.evidence if boot else ())
    if boot is None or boot.value == before:
        return Verdict(Outcome.FAIL, "the guest did not boot anew after kexec", proof)
    ok = f"hvcert_nonce={nonce}" in line.value.split()
    why = "a new boot with this case's nonce on its command line"
    return pass_if(ok, why if ok else "the new boot is not by kexec: no nonce in it", proof)
