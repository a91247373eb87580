"""How often each case passed over many runs, and how its times spread. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from harness.report.result import CaseResult

Run = tuple[Mapping[str, Any], Sequence[CaseResult]]
"""The facts of run.json and the verdicts."""

ASKED = ("commit", "inventory", "select", "markers", "faults")


@dataclass(frozen=True, slots=True)
class Often:
    """One case × parameter × guest × host over all runs.

    ``words``: how often it ended with each outcome (an expected failure is a word of its own).
    ``unexpected``: verdicts that do not leave a run green. ``seconds``: of each verdict.
    """

    title: str
    where: str
    words: Mapping[str, int]
    unexpected: int
    seconds: tuple[float, ...]

    @property
    def spread(self) -> str:
        """Return least, median and most seconds: ``61 / 64 / 92``."""
        return f"{min(self.seconds):.0f} / {median(self.seconds):.0f} / {max(self.seconds):.0f}"


def same_question(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two runs asked the same of the same state of the project.

    A checkout with changes, or no checkout at all, is another state each time.
    """
    commit = str(one.get("commit", ""))
    if not commit or commit.endswith("-dirty"):
        return False
    return all(one.get(key) == other.get(key) for key in ASKED)


def count(runs: Iterable[Run]) -> tuple[Often, ...]:
    """Count every verdict of the runs; what was not run counts as that, never as nothing."""
    found: dict[tuple[str, ...], list[CaseResult]] = {}
    for _, rows in runs:
        for row in rows:
            found.setdefault(row.key, []).append(row)
    return tuple(
        Often(
            rows[0].title,
            f"{rows[0].guest}@{rows[0].host}",
            dict(sorted(Counter(row.word for row in rows).items())),
            sum(not row.as_expected for row in rows),
            tuple(row.seconds for row in rows),
        )
        for _, rows in sorted(found.items())
    )


def render_flakiness(runs: Sequence[Run]) -> str:
    """Return the table in Markdown, with the commits and days of the runs."""
    often = count(runs)
    commits = Counter(str(facts.get("commit") or "unknown") for facts, _ in runs)
    days = sorted({str(facts.get("started", "?"))[:10] for facts, _ in runs})
    unsteady = [one for one in often if one.unexpected]
    wrong = sum(one.unexpected for one in unsteady)
    judged = (
        f"{wrong} of them not as expected, in {len(unsteady)} cases" if wrong else "all as expected"
    )
    return "\n".join(
        (
            "# How often each case passed",
            "",
            f"{len(runs)} runs, {' to '.join(dict.fromkeys((days[0], days[-1])))}, of commit"
            f" {', '.join(f'{name} ({n})' for name, n in sorted(commits.items()))}.",
            f"{sum(sum(one.words.values()) for one in often)} verdicts, {judged}.",
            "",
            "| Case | Guest | Verdicts | Not as expected | Seconds: least / median / most |",
            "|---|---|---|--:|--:|",
            *(
                f"| {one.title} | {one.where} |"
                f" {', '.join(f'{n} {word}' for word, n in one.words.items())} |"
                f" {one.unexpected} | {one.spread} |"
                for one in often
            ),
            "",
        )
    )
