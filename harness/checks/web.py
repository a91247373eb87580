"""DM-07: a web server under rising load, with static and with dynamic memory. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from harness.checks import bounds
from harness.checks.apache_bench import PERCENTILES, Load
from harness.checks.memory import Sample, curves
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured, Probe
from harness.series import Point, Series
from harness.units import Bytes, KiB, MiB
from harness.verdict import Verdict, all_of, pass_if

OVER = "times startup memory held by the web server"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the load. ``share``: what the server's processes hold, of the startup memory.

    ``samples``: of its measured time, at least one; ``swapped``: out at its end.
    """

    share: float
    load: Measured[Load]
    samples: Measured[tuple[Sample, ...]]
    swapped: Measured[Bytes]

    @property
    def rate(self) -> float:
        """Return the good answers per second."""
        return self.load.value.rate

    @property
    def assigned(self) -> Bytes:
        """Return what the host had assigned at the end."""
        return self.samples.value[-1].after.assigned

    @property
    def proof(self) -> tuple[Evidence, ...]:
        """All texts, in the order of asking."""
        return self.load.evidence + self.samples.evidence + self.swapped.evidence


@dataclass(frozen=True, slots=True)
class Round:
    """The steps that one guest took under one setting; ``all_samples``: also those in between."""

    name: str
    steps: tuple[Step, ...]
    all_samples: tuple[Sample, ...]

    @property
    def best(self) -> Step:
        """Return the step with the highest rate."""
        return max(self.steps, key=lambda step: step.rate)

    @property
    def proof(self) -> tuple[Evidence, ...]:
        """All texts of all steps."""
        return tuple(piece for step in self.steps for piece in step.proof)


def parse_swapped(text: str) -> Bytes:
    """Read the sum of the column Used (KiB) of /proc/swaps; only its header: nothing."""
    head, *rows = text.splitlines() or [""]
    if not re.match(r"Filename\s+Type\s+Size\s+Used\s", head):
        raise EvidenceError("/proc/swaps", "header", text)
    used = [line.split()[-2] for line in rows if len(line.split()) >= 5]
    if len(used) != len(rows) or not all(size.isdecimal() for size in used):
        raise EvidenceError("/proc/swaps", "amount in use", text)
    return sum(map(int, used)) * KiB


SWAPPED = Probe(("cat", "/proc/swaps"), parse_swapped)


def collapse(static: Round) -> int:
    """Return the number of the first step at which the static guest collapsed.

    That is one with less than half of its best rate, after it, or with too many errors. Raises
    EvidenceError where there is none, or where even the first one went wrong.
    """
    best = static.steps.index(static.best)
    for number, step in enumerate(static.steps):
        slow = number > best and step.rate < bounds.WEB_COLLAPSED * static.best.rate
        if not slow and step.load.value.errors <= bounds.WEB_ERRORS:
            continue
        if number == 0:
            wanted = f"first step that it bears ({_told(step)}): the load is too large"
            raise EvidenceError("static guest", wanted, step.load.evidence[-1].answer)
        return number
    wanted = f"collapse ({'; '.join(map(_told, static.steps))}): the load is too small"
    raise EvidenceError("static guest", wanted, static.steps[-1].load.evidence[-1].answer)


def judge_web(
    static: Round, dynamic: Round, announced: Round, block: Bytes, *, ours: bool
) -> Verdict:
    """Judge DM-07 at the first step at which the static guest collapsed.

    There the dynamic guest keeps its rate without an error, and up to there the host has assigned
    it a block more at each step. ``announced``: the round with the settings of the announcement,
    reported only. ``ours``: the host's balancer is the stand-in's. Raises EvidenceError where the
    static guest never collapsed.
    """
    at = collapse(static)
    fell, kept, best = static.steps[at], dynamic.steps[at], dynamic.best
    share = kept.rate / best.rate if best.rate else 0.0
    errors = kept.load.value.gave_up or f"{kept.load.value.failed} errors"
    clean = not kept.load.value.errors
    told = (
        f"with {fell.share:g} times its startup memory held the static guest fell from"
        f" {static.best.rate:.1f} to {_told(fell)}; the dynamic one kept {share:.0%} of its best"
        f" {best.rate:.1f}/s ({_told(kept)}) with {errors}"
    )
    series = (*_pictures(static, dynamic, announced), *curves(dynamic.all_samples))
    return all_of(
        f"{told}; assigned: {_assigned(dynamic)}; with the announcement's settings:"
        f" {', '.join(map(_told, announced.steps))}" + (f"; {OURS}" if ours else ""),
        pass_if(share >= bounds.WEB_KEPT, told, static.proof + kept.proof, series),
        pass_if(clean, f"the dynamic guest answered with {errors}", kept.proof),
        _judge_growth(dynamic, at, block),
        pass_if(ok=True, because="", evidence=announced.proof),
    )


OURS = (
    "rates and latencies are an emulator's, and its host's balancer is ours: this shows that the"
    " case works, nothing about Hyper-V"
)


def _judge_growth(dynamic: Round, at: int, block: Bytes) -> Verdict:
    sizes = [step.assigned for step in dynamic.steps[: at + 1]]
    grown = [after - before for before, after in pairwise(sizes)]
    because = f"assigned did not rise by {block} at each step: {_assigned(dynamic)}"
    return pass_if(all(more >= block for more in grown), because, dynamic.proof)


def _assigned(one: Round) -> str:
    sizes = (f"{step.assigned // MiB}" for step in one.steps)
    return f"{' → '.join(sizes)} MiB"


def _told(step: Step) -> str:
    load = step.load.value
    if load.gave_up:
        return f"none at {step.share:g} ({load.gave_up})"
    median = f", median {load.within[50]} ms" if load.within else ""
    wrong = f", {load.failed} of {load.answered} wrong" if load.failed else ""
    return f"{load.rate:.1f}/s at {step.share:g}{median}{wrong}"


def _pictures(*rounds: Round) -> tuple[Series, ...]:
    """Return rate, latency and memory over the steps: a curve for each round in every picture."""
    pictures: dict[str, Callable[[Step], float | None]] = {
        "transactions/s": lambda step: step.rate,
        **{f"ms ({percent} % are faster)": _within(percent) for percent in PERCENTILES},
        "MiB assigned": lambda step: _mib(step.assigned),
        "MiB in the guest": lambda step: _mib(step.samples.value[-1].guest.total),
        "MiB swapped out": lambda step: _mib(step.swapped.value),
    }
    return tuple(
        Series(one.name, unit, _points(one, of), OVER)
        for unit, of in pictures.items()
        for one in rounds
    )


def _within(percent: int) -> Callable[[Step], float | None]:
    return lambda step: step.load.value.within.get(percent)


def _points(one: Round, of: Callable[[Step], float | None]) -> tuple[Point, ...]:
    seen = ((step.share, of(step)) for step in one.steps)
    return tuple((share, round(value, 2)) for share, value in seen if value is not None)


def _mib(size: Bytes) -> float:
    return size.count / MiB.count
