"""The verdicts of DM-01 to DM-06 and DM-09, from logs of samples. Pure.

All changes are since the case's first sample; each judge raises EvidenceError where what it needs
did not happen (no pressure, no demand for more, too few samples).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from harness.checks import bounds
from harness.checks.kernel_log import KernelLog, new_records
from harness.checks.memory import Sample, curves
from harness.errors import EvidenceError
from harness.evidence import Measured
from harness.units import Bytes, MiB
from harness.verdict import Outcome, Verdict, all_of, pass_if

Samples = Measured[tuple[Sample, ...]]
NONE = Bytes(0)
LOAD = "stress-ng"
_KILLED = re.compile(r"ut of memory: Kill(?:ed)? process \d+ \(([^)]{1,32})\)")


def judge_hot_add(samples: Samples, offline: Measured[int], block: Bytes) -> Verdict:
    """Judge DM-01: host and guest rose together by at least two blocks under the ramp.

    ``offline`` is asked after the ramp. Memory that the host added and the guest left off-line
    fails, whatever else rose.
    """
    first, last = samples.value[0], samples.value[-1]
    host, guest = last.given(first), last.view(first)
    proof, series = samples.evidence + offline.evidence, curves(samples.value)
    told = f"assigned rose by {_mib(host)} from {_mib(first.after.assigned)}, the guest sees"
    told += f" {_mib(guest)} more"
    if offline.value and host - guest >= block:
        because = f"hot-added memory stays offline: {offline.value} block(s); {told}"
        return Verdict(Outcome.FAIL, because, proof, series)
    wanted = bounds.DM_BLOCKS_UP * block
    if host < wanted:
        because = f"the host did not add {_mib(wanted)} under the ramp: {told}"
        return Verdict(Outcome.FAIL, because, proof, series)
    ok = guest >= wanted - block and abs((host - guest).count) <= block.count and guest >= block
    return pass_if(ok, told, proof, series)


def judge_balloon(samples: Samples, block: Bytes, release: str) -> Verdict:
    """Judge DM-02: under pressure, with demand fallen, host and guest fall below what they had.

    ``samples`` begin before the pressure. A kernel before 5.11 whose MemTotal does not follow is
    not judged by it: not-applicable.
    """
    first, last = samples.value[0], samples.value[-1]
    host, guest = last.given(first), last.view(first)
    proof, series = samples.evidence, curves(samples.value)
    told = f"assigned fell from {_mib(first.after.assigned)} to {_mib(last.after.assigned)}"
    if host > NONE - block:
        because = f"no memory was taken back under pressure: {told}"
        return Verdict(Outcome.FAIL, because, proof, series)
    if does_not_follow(samples.value, block, release):
        because = f"MemTotal does not follow the balloon on this kernel ({release}); {told}"
        return Verdict(Outcome.NOT_APPLICABLE, because, proof, series)
    because = f"{told}, the guest sees {_mib(NONE - guest)} less"
    return pass_if(abs((host - guest).count) <= block.count, because, proof, series)


def does_not_follow(samples: Sequence[Sample], block: Bytes, release: str) -> bool:
    """Tell whether this kernel is seen not to show its balloon; only an old one may not."""
    first, last = samples[0], samples[-1]
    old = _version(release) < bounds.DM_BALLOON_SEEN_FROM
    told_by_driver = last.guest.moved is not None
    still = abs(last.view(first).count) * 4 < block.count
    return old and not told_by_driver and still and last.given(first) <= NONE - block


def _version(release: str) -> tuple[int, int]:
    found = re.match(r"(\d+)\.(\d+)", release)
    if not found:
        raise EvidenceError("kernel release", "version", release)
    return int(found[1]), int(found[2])


def judge_maximum(samples: Samples, maximum: Bytes, buffer: int) -> Verdict:
    """Judge DM-03: never above the maximum while the guest asks for more.

    Asked for more: its demand with the buffer on top is above the maximum, for long enough.
    """
    asking = [s for s in samples.value if _asked(s, buffer) > maximum.count]
    if not _lasts(asking, bounds.DM_HELD):
        most = max(_asked(s, buffer) for s in samples.value) // MiB.count
        wanted = f"demand above the maximum of {maximum} for {_seconds(bounds.DM_HELD)}"
        raise EvidenceError("memory load", f"{wanted} (it asked for {most} MiB)", "")
    top = max(max(s.before.assigned, s.after.assigned) for s in samples.value)
    because = f"asked for more than {maximum}, the guest had at most {_mib(top)}"
    return pass_if(top <= maximum, because, samples.evidence, curves(samples.value))


def judge_minimum(samples: Samples, minimum: Bytes, block: Bytes) -> Verdict:
    """Judge DM-04: never below the minimum under pressure that took memory back."""
    first, last = samples.value[0], samples.value[-1]
    if last.given(first) > NONE - block:
        raise EvidenceError("host pressure", "memory taken back: the pressure was not felt", "")
    if not _lasts(samples.value, bounds.DM_HELD):
        raise EvidenceError("host pressure", f"{_seconds(bounds.DM_HELD)} of it", "")
    least = min(min(s.before.assigned, s.after.assigned) for s in samples.value)
    because = f"under pressure the guest had at least {_mib(least)} (minimum {minimum})"
    return pass_if(least >= minimum, because, samples.evidence, curves(samples.value))


def judge_agreement(samples: Samples, block: Bytes, release: str) -> Verdict:
    """Judge DM-05: in every sample that counts, host and guest differ by at most one block."""
    first = samples.value[0]
    hidden = any(does_not_follow((first, s), block, release) for s in samples.value)
    counted = [s for s in settled(samples.value) if not (hidden and s.given(first) < NONE)]
    if len(counted) < bounds.DM_SAMPLES:
        wanted = f"{bounds.DM_SAMPLES} samples that count"
        raise EvidenceError("memory samples", f"{wanted} ({len(counted)} do)", "")
    apart = max(counted, key=lambda s: abs((s.given(first) - s.view(first)).count))
    host, guest = apart.given(first), apart.view(first)
    because = (
        f"in {len(counted)} samples that count host and guest differ by at most"
        f" {_mib(Bytes(abs((host - guest).count)))} (host {_mib(host)}, guest {_mib(guest)}"
        f" at {apart.at:.0f} s; allowed: {block})"
    )
    ok = abs((host - guest).count) <= block.count
    return pass_if(ok, because, samples.evidence, curves(samples.value))


def settled(samples: Sequence[Sample]) -> list[Sample]:
    """Return the samples that count: Assigned equal before and after, and still for 5 s."""
    still, since, value = [], None, None
    for sample in samples:
        figures = {sample.before.assigned, sample.after.assigned}
        if figures != {value}:
            value = sample.after.assigned
            since = sample.at if len(figures) == 1 else None
        elif since is not None and sample.at - since >= bounds.DM_STILL.total_seconds():
            still.append(sample)
        elif since is None:
            since = sample.at
    return still


def judge_resumed(saved: Samples, after: Samples, peak: Bytes, block: Bytes) -> Verdict:
    """Judge DM-06's first half: saved ballooned, resumed; demand is reported, hot-add works.

    ``saved``: samples up to Save-VM, the guest ballooned; ``after``: from the resumed guest's
    first report on, under a ramp; ``peak``: the most that was ever plugged before.
    """
    if saved.value[-1].after.assigned >= peak:
        raise EvidenceError("memory samples", "ballooned guest before Save-VM", "")
    last, first = after.value[-1], after.value[0]
    proof, series = saved.evidence + after.evidence, curves(after.value)
    demand = max(s.after.demand for s in after.value)
    grown = last.after.assigned - peak
    seen = last.view(first) - (peak - first.after.assigned)
    parts = (
        pass_if(demand > NONE, "no demand is reported after resume", proof, series),
        pass_if(grown >= block, f"after resume no memory is added beyond {_mib(peak)}", proof),
        pass_if(seen >= NONE, f"added after resume: host {_mib(grown)}, guest {_mib(seen)}", proof),
    )
    told = f"resumed with {_mib(first.after.assigned)}, demand reported"
    return all_of(f"{told}; then {_mib(grown)} were added beyond what it had before", *parts)


def judge_clean_stop(before: Samples, startup: Bytes, state: Measured[str]) -> Verdict:
    """Judge DM-06's second half: a ballooned guest shuts down when asked."""
    if before.value[-1].after.assigned >= startup:
        raise EvidenceError("memory samples", "ballooned guest before Stop-VM", "")
    because = f"a guest ballooned to {_mib(before.value[-1].after.assigned)} is {state.value}"
    proof = before.evidence + state.evidence
    return pass_if(state.value == "Off", f"{because} after Stop-VM", proof)


def judge_starved(
    starved: Samples, fed: Samples, logs: tuple[Measured[KernelLog], Measured[KernelLog]],
    buffer: int, block: Bytes,
) -> Verdict:  # fmt: skip
    """Judge DM-09: without free memory on the host demand stays unmet and assigned does not rise.

    The guest answers all along, its kernel kills nothing but the load, and when memory returns
    (``fed``) it gets more. Raises EvidenceError when the host had memory to give after all.
    """
    level = starved.value[0].after.assigned
    unmet = [s for s in starved.value if _asked(s, buffer) > s.after.assigned.count]
    if not _lasts(unmet, bounds.DM_HELD):
        raise EvidenceError("memory load", f"unmet demand for {_seconds(bounds.DM_HELD)}", "")
    if max(s.after.assigned for s in starved.value) > level:
        wanted = "lack of memory: the host had some to give (is memory_reserve too large?)"
        raise EvidenceError("host pressure", wanted, "")
    victims = killed(logs)
    others = sorted({v for v in victims if not v.startswith(LOAD)})
    proof = starved.evidence + fed.evidence + logs[1].evidence
    grown = fed.value[-1].after.assigned - level
    seen = fed.value[-1].view(starved.value[0])
    told = f"demand stayed unmet at {_mib(level)}; the kernel killed {len(victims)} of the load"
    return all_of(
        f"{told}; with memory back the host gave {_mib(grown)}, the guest sees {_mib(seen)}",
        pass_if(not others, f"the kernel killed {', '.join(others)}", proof),
        pass_if(grown >= block, f"with memory back assigned rose by {_mib(grown)} only", proof),
        pass_if(
            seen >= block,
            f"with memory back the guest sees {_mib(seen)} more",
            proof,
            curves((*starved.value, *fed.value)),
        ),
    )


def killed(logs: tuple[Measured[KernelLog], Measured[KernelLog]]) -> tuple[str, ...]:
    """Return the names of the programs that the kernel killed for lack of memory."""
    fresh = new_records(logs[0].value, logs[1].value)
    if fresh is None:
        raise EvidenceError(
            "kernel log", "boot in which the case began", logs[1].evidence[0].answer
        )
    return tuple(hit[1] for record in fresh if (hit := _KILLED.search(record.message)))


def _asked(sample: Sample, buffer: int) -> int:
    return sample.after.demand.count * (100 + buffer) // 100


def _lasts(samples: Sequence[Sample], long: timedelta) -> bool:
    return bool(samples) and samples[-1].at - samples[0].at >= long.total_seconds()


def _seconds(long: timedelta) -> str:
    return f"{long.total_seconds():.0f} s"


def _mib(size: Bytes) -> str:
    return f"{size.count / MiB.count:.0f} MiB"
