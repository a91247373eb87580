"""Known issues: fails that somebody has looked at already, each with its end. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase

from harness.report.result import CaseResult
from harness.verdict import Outcome


@dataclass(frozen=True, slots=True)
class KnownIssue:
    """A fail that is known. ``guest`` and ``host`` may have wildcards (``debian-*``).

    ``expires``: the last day on which it excuses anything. ``link``: where it is worked on.
    """

    case: str
    guest: str
    host: str
    reason: str
    link: str
    expires: date

    def __str__(self) -> str:
        """Return the issue as reports show it."""
        return f"{self.reason} ({self.link})"

    @property
    def where(self) -> str:
        """Return what it is about."""
        return f"{self.case} {self.guest}@{self.host}"

    def speaks_of(self, row: CaseResult) -> bool:
        """Return whether it is about the row, whatever the row's outcome."""
        hosts = (row.host, row.place)
        return (
            row.case == self.case
            and fnmatchcase(row.guest, self.guest)
            and any(fnmatchcase(host, self.host) for host in hosts)
        )


def applied(
    rows: Iterable[CaseResult], issues: Sequence[KnownIssue], today: date
) -> tuple[CaseResult, ...]:
    """Return the rows, each fail with the issue that it matches; an expired one excuses nothing."""
    alive = [issue for issue in issues if issue.expires >= today]

    def known(row: CaseResult) -> CaseResult:
        found = next((issue for issue in alive if issue.speaks_of(row)), None)
        excused = found is not None and row.outcome is Outcome.FAIL and not row.expected_failure
        return replace(row, known=str(found) if excused else "")

    return tuple(known(row) for row in rows)


def to_look_at(
    rows: Sequence[CaseResult], issues: Sequence[KnownIssue], today: date
) -> tuple[str, ...]:
    """Return a sentence for each entry of the list that is of no use any more."""
    said = []
    for issue in issues:
        mine = [row for row in rows if issue.speaks_of(row)]
        if issue.expires < today:
            said.append(f"known issue {issue.where} has expired on {issue.expires}: {issue}")
        elif mine and all(row.outcome is Outcome.PASS for row in mine):
            said.append(f"known issue {issue.where} no longer fails, remove it: {issue}")
    return tuple(said)
