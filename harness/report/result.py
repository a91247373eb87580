"""One row of every report: a case × parameter × guest × host with its outcome and its proof."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from harness.report.step import Step
from harness.series import Series, series_from_json
from harness.verdict import Outcome


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """Where the raw text behind a verdict is kept, relative to the run's folder."""

    path: str
    asked: str
    where: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Try:
    """An earlier try of a case that was tried again, with what it was judged on."""

    outcome: Outcome
    because: str
    evidence: tuple[EvidenceFile, ...] = ()
    recording: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What a run says about one case, parameter, guest and host.

    ``expected_failure``: the inventory's reason why a fail is expected, empty when a pass is.
    ``started`` is ISO 8601 with zone, ``seconds`` this row's share of the function's
    wall time: the rows of a function add up to it.
    ``facts``: host build, distribution, kernel, platform, banner, preparations …, as measured.
    ``story``: what was done, in order, for people. ``series``: curves that belong to the verdict.
    ``recording``: every host call and guest command of the case, relative to the run's folder;
    ``steps``: the same in short.
    ``pool``: the name of interchangeable hosts that the inventory gave the case to, "" where it
    named the host itself. ``known``: the reason and link of the known issue that a fail matches, ""
    where it matches none. ``earlier``: tries before this one, the first one first.
    """

    case: str
    feature: str
    parameter: str
    guest: str
    host: str
    outcome: Outcome
    because: str
    expected_failure: str = ""
    evidence: tuple[EvidenceFile, ...] = ()
    started: str = ""
    seconds: float = 0.0
    facts: Mapping[str, str] = field(default_factory=dict)
    story: tuple[str, ...] = ()
    series: tuple[Series, ...] = ()
    recording: str = ""
    steps: tuple[Step, ...] = ()
    pool: str = ""
    known: str = ""
    earlier: tuple[Try, ...] = ()

    @property
    def place(self) -> str:
        """Return what the inventory names: the host, or the pool that it was taken from."""
        return self.pool or self.host

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Return what makes this row unique within a run, and the same row in another run."""
        return (self.case, self.parameter, self.guest, self.place)

    @property
    def flaky(self) -> bool:
        """Return whether it passed, but not at the first try."""
        return self.outcome is Outcome.PASS and bool(self.earlier)

    @property
    def title(self) -> str:
        """Return the case with its parameter: ``MMIO-01[128 MiB]``."""
        return f"{self.case}[{self.parameter}]" if self.parameter else self.case

    @property
    def as_expected(self) -> bool:
        """Return whether this row leaves the run green."""
        if self.known and self.outcome is Outcome.FAIL:
            return True
        if self.expected_failure:
            return self.outcome in (Outcome.FAIL, Outcome.NOT_APPLICABLE)
        return self.outcome in (Outcome.PASS, Outcome.NOT_APPLICABLE)

    @property
    def word(self) -> str:
        """Return the outcome as tables show it; a surprise is said."""
        if self.known and self.outcome is Outcome.FAIL:
            return "known"
        if self.flaky and not self.expected_failure:
            return "flaky"
        if not self.expected_failure:
            return self.outcome.value
        return {Outcome.FAIL: "fail (expected)", Outcome.PASS: "pass (a fail was expected)"}.get(
            self.outcome, self.outcome.value
        )


def new_name() -> str:
    """Return a name for a run that sorts by time and is unique: ``20261123-101500-3fa9c1``."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def exit_status(results: tuple[CaseResult, ...], fail_on: str = "new") -> int:
    """Return 0 all as expected, 1 a verdict failed or an expected failure passed, 2 an error.

    A case that was not run is no certificate: it counts as an error. No result at all is one, too.
    ``fail_on``: ``new`` (fails that are neither expected nor known), ``any`` (those, too) or
    ``none`` (no verdict changes the status; an error still does).
    """
    if not results or any(r.outcome in (Outcome.ERROR, Outcome.NOT_RUN) for r in results):
        return 2
    if fail_on == "none":
        return 0
    if fail_on == "any" and any(r.outcome is Outcome.FAIL for r in results):
        return 1
    return 0 if all(r.as_expected for r in results) else 1


def to_json(result: CaseResult) -> dict[str, Any]:
    """Return the row as JSON types."""
    earlier = [asdict(t) | {"outcome": t.outcome.value} for t in result.earlier]
    changed = {"outcome": result.outcome.value, "facts": dict(result.facts), "earlier": earlier}
    return asdict(result) | changed


def from_json(row: Mapping[str, Any]) -> CaseResult:
    """Read a row that ``to_json`` made."""
    return CaseResult(
        **{
            **row,
            "outcome": Outcome(row["outcome"]),
            "evidence": _evidence(row),
            "earlier": tuple(_try(earlier) for earlier in row.get("earlier", ())),
            "story": tuple(row["story"]),
            "steps": tuple(Step(**step) for step in row.get("steps", ())),
            "series": tuple(series_from_json(curve) for curve in row.get("series", ())),
        }
    )


def _evidence(row: Mapping[str, Any]) -> tuple[EvidenceFile, ...]:
    return tuple(EvidenceFile(**piece) for piece in row["evidence"])


def _try(row: Mapping[str, Any]) -> Try:
    return Try(**{**row, "outcome": Outcome(row["outcome"]), "evidence": _evidence(row)})


def in_stories(rows: Iterable[CaseResult]) -> tuple[tuple[CaseResult, ...], ...]:
    """Return the verdicts as reports order them, those together that one life of a guest gave."""
    groups: dict[tuple[str, ...], list[CaseResult]] = {}
    for row in sorted(rows, key=lambda r: (r.guest, r.host, r.case, r.parameter)):
        groups.setdefault((row.guest, row.host, row.recording or row.title), []).append(row)
    return tuple(map(tuple, groups.values()))


def anchor(story: tuple[CaseResult, ...]) -> str:
    """Return the name by which report.html can be opened where it tells the story."""
    first = story[0]
    return slug(f"{first.title}-{first.guest}-{first.host}")


def slug(text: str) -> str:
    """Return the text as a file name: letters, digits and ``. @ _ -``, at most 80 characters."""
    return re.sub(r"[^\w.@-]+", "-", text).strip("-.")[:80].rstrip("-.") or "evidence"
