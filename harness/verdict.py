"""The one result type; judges build it, reports read it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from harness.evidence import Evidence
from harness.series import Series


class Outcome(Enum):
    """The five words of every report; judges use the first three."""

    PASS = "pass"  # noqa: S105  # not a password
    FAIL = "fail"
    NOT_APPLICABLE = "not-applicable"
    ERROR = "error"
    NOT_RUN = "not-run"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome, the sentence that explains it, and the proof; ``series``: curves to draw."""

    outcome: Outcome
    because: str
    evidence: tuple[Evidence, ...]
    series: tuple[Series, ...] = ()

    def __post_init__(self) -> None:
        if self.outcome in (Outcome.PASS, Outcome.FAIL) and not self.evidence:
            raise ValueError("a verdict needs evidence")


def pass_if(
    ok: bool,  # noqa: FBT001
    because: str,
    evidence: tuple[Evidence, ...],
    series: tuple[Series, ...] = (),
) -> Verdict:
    """Pass or fail with the same sentence and the same proof."""
    return Verdict(Outcome.PASS if ok else Outcome.FAIL, because, evidence, series)


def all_of(because: str, *parts: Verdict) -> Verdict:
    """Join verdicts of one case: the worst outcome wins, its sentence leads, all proof stays."""
    failed = [part for part in parts if part.outcome is Outcome.FAIL]
    evidence = tuple(piece for part in parts for piece in part.evidence)
    series = tuple(dict.fromkeys(curve for part in parts for curve in part.series))
    if failed:
        return Verdict(Outcome.FAIL, "; ".join(part.because for part in failed), evidence, series)
    return Verdict(Outcome.PASS, because, evidence, series)


class Decided(Exception):
    """Ends a case early: its verdict holds for all that the case had still to prove."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        super().__init__(verdict.because)


class NotApplicable(Decided):
    """Ends a case as not-applicable; carries the verdict with the rule that says so."""
