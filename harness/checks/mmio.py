"""The low MMIO gap: what the host was given, and where the guest's low window starts.

Source: certification cases MMIO-01 and MMIO-02.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.checks import bounds
from harness.checks.kernel_log import JOURNAL, KERNEL_LOG
from harness.checks.root_bus import RootBus, parse_root_bus_of_a_boot
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured, Probe
from harness.host.command import GapPath
from harness.host.session import Attempt, Refusal, RefusedBy
from harness.units import Bytes, GiB, MiB
from harness.verdict import Outcome, Verdict, all_of, pass_if

__all__ = [
    "BETWEEN",
    "CHECKPOINT",
    "FORMER_GAP",
    "MORE_MEMORY",
    "OUT_OF_RANGE",
    "ROOT_BUS",
    "ROOT_BUS_FROM_JOURNAL",
    "ROOT_BUS_NAME",
    "GapPath",
    "gap_path",
    "gap_paths",
    "judge_gap",
    "judge_kept",
    "judge_refused_gap",
    "judge_restored",
    "judge_set",
    "memory_for",
    "other_than",
]

ROOT_BUS = Probe(KERNEL_LOG.argv, parse_root_bus_of_a_boot, privileged=True)
ROOT_BUS_FROM_JOURNAL = Probe(JOURNAL.argv, parse_root_bus_of_a_boot, privileged=True)
"""Asked when the ring buffer no longer reaches back to the boot."""

ROOT_BUS_NAME = "root bus 0000:00 whose window shows the gap"
"""What a Generation 2 VM lacks."""

OUT_OF_RANGE = (64 * MiB, 126 * MiB, 3586 * MiB, 4096 * MiB)
"""Below and above what a host accepts; 4096 MiB is also one more than a UInt32 of bytes holds."""

FORMER_GAP = 1 * GiB
"""What MMIO-02 sets first: not the default, so that a reset to it would show."""

MORE_MEMORY = 6 * GiB
BETWEEN = 1536 * MiB
CHECKPOINT = "hvcert MMIO-03"
"""MMIO-03: what the memory is changed to, and the value between a checkpoint and its return."""

SET_VM = "Microsoft.HyperV.PowerShell.Commands.SetVM"
NOT_ABOUT_VALUE = frozenset({"AccessDenied", "ObjectNotFound", "Unavailable", "InvalidState"})
UINT32 = 1 << 32


def gap_paths(build: int) -> tuple[GapPath, ...]:
    """Return the paths that a host of this build has, the documented one first."""
    if build >= bounds.GAP_CMDLET_FROM_BUILD:
        return (GapPath.CMDLET, GapPath.WMI)
    return (GapPath.WMI,)


def gap_path(build: int) -> GapPath:
    """Return the documented path on a host of this build."""
    return gap_paths(build)[0]


def memory_for(gap: Bytes) -> Bytes:
    """Return the VM memory with which the gap can be seen exactly (QEMU; a host does not mind)."""
    return 4 * GiB - gap if gap < 1 * GiB else 4 * GiB


def other_than(gap: Bytes, current: Bytes) -> Bytes:
    """Return a value to start from, so that setting ``gap`` changes something."""
    if current not in (gap, bounds.GAP_DEFAULT):
        return current
    return bounds.GAP_DEFAULT if gap != bounds.GAP_DEFAULT else 1 * GiB


def judge_set(wanted: Bytes, path: GapPath, attempt: Attempt, host: Measured[Bytes]) -> Verdict:
    """Judge one setting of a gap that every host has to take: accepted, and read back.

    Raises EvidenceError when the host refused for another reason than the value.
    """
    refusal = attempt.refusal
    if refusal is not None and not _about_the_value(path, refusal):
        raise _other_refusal(path, refusal)
    code = refusal.code if refusal else "accepted"
    because = f"the host refused a gap of {wanted}, which is in range, by {path.value} [{code}]"
    return all_of(
        f"the host took a gap of {wanted} by {path.value}",
        pass_if(refusal is None, because, attempt.evidence),
        _judge_host(wanted, host, ()),
    )


def judge_gap(
    expected: Bytes,
    former: Measured[Bytes],
    host: Measured[Bytes],
    guest: Measured[RootBus],
    *settings: Verdict,
) -> Verdict:
    """Judge MMIO-01: host and guest both show exactly the gap that was set.

    ``former`` is the host's value before, ``host`` the one read back after setting; ``settings``
    what ``judge_set`` said on the way there. Raises EvidenceError where the value was already there
    (it would prove nothing), is no multiple of 2 MiB (hosts round), or the guest's log holds no low
    window.
    """
    if any(setting.outcome is Outcome.FAIL for setting in settings):
        return all_of("", *settings)
    if former.value == expected:
        raise EvidenceError("low MMIO gap", f"former value other than {expected}", _said(former))
    if (expected % bounds.GAP_STEP).count:
        raise EvidenceError("low MMIO gap", f"multiple of {bounds.GAP_STEP}", str(expected))
    return all_of(
        f"with a gap of {expected} {_where(guest)}; the host reads {host.value} back "
        f"(before: {former.value}); {_high(guest)}",
        _judge_host(expected, host, former.evidence),
        _judge_guest(expected, guest),
    )


def judge_kept(
    expected: Bytes,
    over: str,
    host: Measured[Bytes],
    guests: Sequence[Measured[RootBus]],
    *settings: Verdict,
) -> Verdict:
    """Judge MMIO-03: host and guest still show the gap after ``over``.

    ``guests`` are the boots to judge, in order; ``settings`` what ``judge_set`` said on the way
    there. Raises EvidenceError where a log holds no window.
    """
    if any(setting.outcome is Outcome.FAIL for setting in settings):
        return all_of("", *settings)
    if not guests:
        raise EvidenceError("low MMIO gap", "boot to judge", over)
    return all_of(
        f"over {over} the gap stays {expected}: {_where(guests[-1])}",
        _judge_host(expected, host, ()),
        *(_judge_guest(expected, guest) for guest in guests),
    )


def judge_restored(
    expected: Bytes,
    between: Measured[Bytes],
    host: Measured[Bytes],
    guest: Measured[RootBus],
    *settings: Verdict,
) -> Verdict:
    """Judge MMIO-03 after a checkpoint was applied: the gap is the one at the checkpoint.

    ``between`` is what the host read back after another value was set; EvidenceError where that
    was the same one, which would prove nothing.
    """
    if any(setting.outcome is Outcome.FAIL for setting in settings):
        return all_of("", *settings)
    if between.value == expected:
        raise EvidenceError("low MMIO gap", f"value other than {expected}", _said(between))
    over = f"a checkpoint (set to {between.value} in between)"
    kept = judge_kept(expected, over, host, (guest,))
    return all_of(kept.because, *settings, kept)


def judge_refused_gap(  # noqa: PLR0913, PLR0917  # one attempt's facts, told apart by type
    asked: Bytes,
    path: GapPath,
    former: Bytes,
    attempt: Attempt,
    host: Measured[Bytes],
    guest: Measured[RootBus],
    *settings: Verdict,
) -> Verdict:
    """Judge MMIO-02: the host refused ``asked``; it and the guest still show ``former``.

    ``host`` is read after the attempt, ``guest`` after the next boot. What does not fit the
    cmdlet's UInt32 must be refused by parameter binding: else the number was changed on its way.
    ``settings`` is what ``judge_set`` said of setting ``former``: a host that refuses everything
    proves nothing.
    Raises EvidenceError when the refusal was about something else than the value.
    """
    code = attempt.refusal.code if attempt.refusal else ""
    return all_of(
        f"the host refused a gap of {asked} by {path.value} [{code}]; {_where(guest)} "
        f"and the host reads {host.value} back, as before",
        *settings,
        _judge_attempt(asked, path, attempt),
        _judge_host(former, host, ()),
        _judge_guest(former, guest),
    )


def _judge_attempt(asked: Bytes, path: GapPath, attempt: Attempt) -> Verdict:
    refusal = attempt.refusal
    if refusal is None:
        because = f"the host accepted a gap of {asked} by {path.value}"
        return pass_if(False, because, attempt.evidence)  # noqa: FBT003  # as pass_if has it
    if path is GapPath.CMDLET and asked.count >= UINT32:
        because = f"{asked} was refused by the {refusal.by.value}, not by parameter binding"
        return pass_if(refusal.by is RefusedBy.BINDING, because, attempt.evidence)
    if not _about_the_value(path, refusal):
        raise _other_refusal(path, refusal)
    return pass_if(True, f"the host refused {asked}", attempt.evidence)  # noqa: FBT003  # ditto


def _other_refusal(path: GapPath, refusal: Refusal) -> EvidenceError:
    wanted = f"refusal of the value (got {refusal.by.value}: {refusal.code})"
    return EvidenceError(f"low MMIO gap by {path.value}", wanted, "")


def _about_the_value(path: GapPath, refusal: Refusal) -> bool:
    if path is GapPath.WMI:
        return refusal.by in (RefusedBy.METHOD, RefusedBy.JOB)
    kind, _, command = refusal.code.partition(",")
    by_set_vm = refusal.by in (RefusedBy.CMDLET, RefusedBy.BINDING) and command == SET_VM
    return by_set_vm and kind not in NOT_ABOUT_VALUE


def _judge_host(expected: Bytes, host: Measured[Bytes], before: tuple[Evidence, ...]) -> Verdict:
    because = f"the host reads a gap of {host.value} back, not {expected}"
    return pass_if(host.value == expected, because, before + host.evidence)


def _judge_guest(expected: Bytes, guest: Measured[RootBus]) -> Verdict:
    wanted = bounds.GAP_TOP - expected
    because = f"{_where(guest)}, not at {wanted.count:#x} (4 GiB - {expected})"
    return pass_if(_gap(guest) == expected, because, guest.evidence)


def _gap(guest: Measured[RootBus]) -> Bytes:
    if guest.value.gap is None:
        wanted = "window of bus 0000:00 between 1 MiB and 4 GiB"
        raise EvidenceError("kernel log", wanted, guest.evidence[0].answer)
    return guest.value.gap


def _where(guest: Measured[RootBus]) -> str:
    gap = _gap(guest)
    start = (bounds.GAP_TOP - gap).count
    return f"the guest's low window starts at {start:#x} (gap {gap})"


def _high(guest: Measured[RootBus]) -> str:
    high = ", ".join(str(window) for window in guest.value.high)
    return f"upper window {high}" if high else "no upper window"


def _said(read: Measured[Bytes]) -> str:
    return read.evidence[0].answer if read.evidence else str(read.value)
