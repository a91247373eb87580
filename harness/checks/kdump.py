"""kdump: armed, crashed, and what the core shows. The core decides, not that a guest came back.

Sources: certification cases KD-01 to KD-05 and NMI-03; kernel/panic.c, drivers/tty/sysrq.c and
arch/x86/kernel/nmi.c for the lines.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.checks import bounds
from harness.checks.core import CoreFile, CoreHeader
from harness.checks.kdump_state import parse_kdump
from harness.checks.kernel_log import KernelLog
from harness.checks.panic import parse_panic
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured, Probe
from harness.units import Bytes, GiB, MiB
from harness.verdict import Outcome, Verdict, pass_if


@dataclass(frozen=True, slots=True)
class Trigger:
    """How a case makes the guest crash. ``mark``: the log's first line of it.

    ``reasons``: what may stand after "not syncing: "; ``trace``: what the trace goes through where
    an old kernel dies without that line, "" where none does.
    """

    name: str
    mark: str
    reasons: tuple[str, ...]
    trace: str = ""


SYSRQ = Trigger(
    "sysrq c", "Trigger a crash", ("sysrq triggered crash", "Fatal exception"), "sysrq_handle_crash"
)
"""Before 5.0 the kernel dereferenced a null pointer instead of calling panic()."""

NMI = Trigger("NMI", "NMI received for unknown reason", ("NMI: Not continuing",))
"""With kernel.unknown_nmi_panic=1."""

PANIC_ON_NMI = {"kernel.unknown_nmi_panic": "1"}


UNIT_STATES = ("active", "inactive", "failed", "activating", "deactivating", "unknown")


def parse_ready(text: str) -> bool:
    """Read what kdump's own tool or service says last; "Not ready to kdump" is no.

    Raises EvidenceError when it says neither.
    """
    word = text.strip()  # all that systemctl is-active prints
    ready = word == "active" if word in UNIT_STATES else parse_kdump(text).ready
    if ready is None:
        raise EvidenceError("kdump service", "word whether it is ready", text)
    return ready


def parse_count(text: str) -> int:
    """Read a decimal number alone."""
    if not text.strip().isdigit():
        raise EvidenceError("kernel", "decimal number", text)
    return int(text)


LOADED = Probe(("cat", "/sys/kernel/kexec_crash_loaded"), parse_count)
RESERVED = Probe(("cat", "/sys/kernel/kexec_crash_size"), parse_count)
COMMAND_LINE = Probe(("cat", "/proc/cmdline"), str.strip)


def ready(status: tuple[str, ...]) -> Probe[bool]:
    """Ask the distribution's own tool or service."""
    return Probe(status, parse_ready, privileged=True, fails_ok=True)


def reservation(memory: Bytes) -> str:
    """Return the kernel option that reserves enough for a capture kernel, by the guest's memory."""
    wanted = bounds.CRASH_KERNEL if memory < 2 * GiB else bounds.CRASH_KERNEL_LARGE
    return f"crashkernel={wanted // MiB}M"


def too_many_cpus(build: int, cpus: int) -> str:
    """Return the rule by which this host cannot dump a guest of so many vCPUs, "" where it can."""
    if build < bounds.KDUMP_ANY_CPUS_FROM_BUILD and cpus >= bounds.KDUMP_CPUS_2012R2:
        limit = bounds.KDUMP_CPUS_2012R2
        return f"host build {build} cannot dump a guest with {cpus} vCPUs (≥ {limit}: KB 2858695)"
    return ""


def judge_armed(loaded: Measured[int], reserved: Measured[int], said: Measured[bool]) -> Verdict:
    """Judge whether a crash would be captured: kernel, memory and service all have to say so."""
    proof = loaded.evidence + reserved.evidence + said.evidence
    wrong = [
        what
        for ok, what in (
            (reserved.value > 0, "no memory is reserved (kexec_crash_size 0)"),
            (loaded.value == 1, f"no capture kernel is loaded (kexec_crash_loaded {loaded.value})"),
            (said.value, "kdump's own service says that it is not ready"),
        )
        if not ok
    ]
    armed = f"armed: capture kernel loaded in {reserved.value >> 20} MiB, service ready"
    return pass_if(not wrong, "; ".join(wrong) or armed, proof)


def judge_files(
    before: Measured[tuple[CoreFile, ...]],
    first: Measured[tuple[CoreFile, ...]],
    second: Measured[tuple[CoreFile, ...]],
) -> Verdict:
    """Judge that exactly one new core is there, finished, and no longer growing."""
    proof = before.evidence + first.evidence + second.evidence
    new = new_cores(before.value, second.value)
    if not new:
        return Verdict(Outcome.FAIL, "the crash left no core", proof)
    whole = [file for file in new if not file.incomplete and file.size]
    if len(whole) != 1 or len(new) > 1:
        names = ", ".join(f"{file.path} ({file.size} bytes)" for file in new)
        why = "the core is incomplete" if not whole else "more than one core is new"
        return Verdict(Outcome.FAIL, f"{why}: {names}", proof)
    stable = whole[0] in first.value
    grew = f"the core {whole[0].name} was still growing after the guest was back"
    there = f"core {whole[0].path}, {whole[0].size} bytes"
    return pass_if(stable, there if stable else grew, proof)


def new_cores(before: tuple[CoreFile, ...], after: tuple[CoreFile, ...]) -> tuple[CoreFile, ...]:
    """Return the cores that were not there before, by path."""
    known = {file.path for file in before}
    return tuple(file for file in after if file.path not in known)


def judge_header(
    header: Measured[CoreHeader], ends: Measured[bool] | None, release: str
) -> Verdict:
    """Judge that the core is whole and of the kernel that ran; ``ends``: of a flattened one."""
    core = header.value
    proof = header.evidence + (ends.evidence if ends else ())
    if core.flattened and ends is None:
        raise EvidenceError("core", "end of the flattened file", "")
    wrong = []
    if core.incomplete or (ends is not None and not ends.value):
        wrong.append("the core breaks off before its end")
    if core.release != release:
        wrong.append(f"the core is of kernel {core.release}, the guest ran {release}")
    return pass_if(not wrong, "; ".join(wrong) or f"a whole core of kernel {release}", proof)


def judge_panic(
    log: Measured[KernelLog], nonce: str, trigger: Trigger, cpu: int | None = None
) -> Verdict:
    """Judge that the core's log holds this case's panic: its nonce, then that crash, and no other.

    ``cpu``: the one that had to panic.
    """
    found = log.value.records
    at = [n for n, record in enumerate(found) if nonce in record.message]
    if not at:
        why = "the core's log lacks what this case wrote before the crash: it is of another crash"
        return Verdict(Outcome.FAIL, why, log.evidence)
    after = found[at[-1] + 1 :]
    panics = [r for r in after if r.message.startswith("Kernel panic")]
    panic = parse_panic("\n".join(record.line for record in after))
    marked = any(trigger.mark in record.message for record in after)
    by_trace = bool(trigger.trace) and any(trigger.trace in r.message for r in after)
    wrong = []
    if len(at) != 1:
        wrong.append(f"the nonce stands in the core's log {len(at)} times")
    if not marked:
        wrong.append(f"no line of the {trigger.name} after the nonce")
    if len(panics) > 1 or not (panics or by_trace):
        wrong.append(f"{len(panics)} panics after the nonce, not 1")
    if panics and not (panic.reason or "").startswith(trigger.reasons):
        wrong.append(f"the panic is another one: {panic.reason}")
    if cpu is not None and panic.cpu != cpu:
        wrong.append(f"CPU {panic.cpu} panicked, not CPU {cpu}")
    said = f"its log holds this case's nonce and panic ({panic.reason or trigger.trace})"
    return pass_if(not wrong, "; ".join(wrong) or said, log.evidence)


def until_crash(log: Measured[KernelLog], trigger: Trigger) -> Measured[KernelLog]:
    """Return the log up to the provoked crash: what stands in it is the guest's own."""
    kept = []
    for record in log.value.records:
        if trigger.mark in record.message or record.message.startswith("Kernel panic"):
            break
        kept.append(record)
    return Measured(KernelLog(tuple(kept)), log.evidence)


def judge_reported(before: Measured[int], after: Measured[int], boot_log: KernelLog) -> Verdict:
    """Judge host event 18590: it has to be there where the guest's kernel announced to report.

    ``Hyper-V: enabling crash_kexec_post_notifiers`` (arch/x86/kernel/cpu/mshyperv.c). Elsewhere the
    crash is captured before anybody is told, so its absence says nothing.
    """
    announced = any("crash_kexec_post_notifiers" in r.message for r in boot_log.records)
    new = after.value - before.value
    told = f"the host logged event 18590 {new} times"
    return pass_if(not announced or new > 0, told, before.evidence + after.evidence)


def judge_back(before: str, after: Measured[str] | None, proof: tuple[Evidence, ...]) -> Verdict:
    """Judge that the guest booted anew by itself within the limit; ``before``: its boot id."""
    if after is None:
        limit = bounds.CRASH_BOOT_WITHIN.total_seconds()
        why = f"the guest did not boot again within {limit:.0f} s after the crash"
        return Verdict(Outcome.FAIL, why, proof)
    return pass_if(after.value != before, f"a new boot, {after.value}", after.evidence)
