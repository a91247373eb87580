"""What is new between two runs. Pure: verdicts in, differences out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

KINDS = (
    "new failure",
    "new error",
    "newly flaky",
    "still failing",
    "fixed",
    "slower",
    "appeared",
    "gone",
)
"""How a case can differ, what needs a look first."""

RED = ("new failure", "new error")
ENOUGH = 5
"""So many earlier passes tell a spread; with fewer nothing is called slower."""
SIGMAS = 3.0
MAD_TO_SIGMA = 1.4826
"""A normal distribution's standard deviation in median absolute deviations."""
LEAST = 2.0
"""Seconds: a smaller difference is never called slower."""

Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """A verdict as one run has it. ``key``: case, parameter, guest, place.

    ``expected``: it leaves the run green. ``known``: the known issue that it matches, "" for none.
    """

    key: Key
    outcome: str
    because: str
    seconds: float
    expected: bool = True
    known: str = ""
    flaky: bool = False

    @property
    def red(self) -> bool:
        """Return whether the product failed, and nobody knew."""
        return not self.expected and not self.known and self.outcome in ("fail", "pass")

    @property
    def unsure(self) -> bool:
        """Return whether the harness could not tell."""
        return self.outcome in ("error", "not-run")

    @property
    def title(self) -> str:
        """Return the case with its parameter, and where."""
        case, parameter, guest, place = self.key
        return f"{case}{f'[{parameter}]' if parameter else ''} {guest}@{place}"


@dataclass(frozen=True, slots=True)
class Difference:
    """One case that is not what it was; ``before`` or ``after`` is None where it was not there."""

    kind: str
    before: Seen | None
    after: Seen | None
    said: str = field(default="")

    @property
    def title(self) -> str:
        """Return which case."""
        seen = self.after or self.before
        return seen.title if seen else ""

    def __str__(self) -> str:
        """Return one line for people."""
        return f"{self.kind:14} {self.title}: {self.said}"


def compare(before: Iterable[Seen], after: Iterable[Seen]) -> list[Difference]:
    """Return what differs between two runs, times aside; what needs a look first comes first."""
    old, new = ({seen.key: seen for seen in run} for run in (before, after))
    found = [
        difference
        for key in old.keys() | new.keys()
        if (difference := _difference(old.get(key), new.get(key)))
    ]
    return in_order(found)


def in_order(found: Iterable[Difference]) -> list[Difference]:
    """Sort differences by kind and case."""
    return sorted(found, key=lambda d: (KINDS.index(d.kind), d.title))


def _difference(before: Seen | None, after: Seen | None) -> Difference | None:
    if after is None:
        return Difference("gone", before, None, "it is not in the later run")
    kind = _wrong(before, after) if after.red or after.unsure else _right(before, after)
    was = before.outcome if before else "not there"
    change = f"{was} -> {after.outcome}: {after.because}"
    return Difference(kind, before, after, change) if kind else None


def _wrong(before: Seen | None, after: Seen) -> str:
    if after.red:
        return "still failing" if before and before.red else "new failure"
    return "" if before and before.unsure else "new error"


def _right(before: Seen | None, after: Seen) -> str:
    if before is None:
        return "appeared"
    if before.red or before.unsure:
        return "fixed"
    return "newly flaky" if after.flaky and not before.flaky else ""


def slower(
    before: Iterable[Seen], after: Iterable[Seen], history: Mapping[Key, Sequence[float]]
) -> list[Difference]:
    """Return the cases that took longer than their history's spread explains.

    ``history``: seconds of earlier passes of each case. A case with fewer than ``ENOUGH`` has none.
    """
    old = {seen.key: seen for seen in before}
    found = []
    for seen in after:
        times = history.get(seen.key, ())
        if seen.outcome != "pass" or seen.key not in old or len(times) < ENOUGH:
            continue
        usual = median(times)
        spread = MAD_TO_SIGMA * median(abs(time - usual) for time in times)
        if seen.seconds > usual + max(SIGMAS * spread, LEAST):
            said = (
                f"{seen.seconds:.1f} s, usually {usual:.1f} s ± {spread:.1f} s ({len(times)} runs)"
            )
            found.append(Difference("slower", old[seen.key], seen, said))
    return in_order(found)


def candidates(before: Iterable[Seen], after: Iterable[Seen]) -> list[Seen]:
    """Return what may be slower: only its history has to be read."""
    old = {seen.key: seen.seconds for seen in before}
    return [s for s in after if s.outcome == "pass" and s.seconds > old.get(s.key, 1e9) + LEAST]
