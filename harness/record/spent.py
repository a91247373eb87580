"""Where the time of a case went, and its steps, from the recording. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from harness.record.entry import Entry, Kind
from harness.report.step import Spent, Step

HOST, GUEST = frozenset({Kind.HOST}), frozenset({Kind.GUEST, Kind.LOGIN, Kind.WAIT})
MOST = 80
"""Steps of one case that a report shows; the recording has them all."""

LONGEST = 300
"""Characters of one step that a report shows."""


def spent(entries: Iterable[Entry]) -> Spent:
    """Add up a recording; what overlapped counts once."""
    rows = tuple(entries)
    total = max((row.end for row in rows), default=0.0)
    guest = _covered(row for row in rows if row.kind in GUEST)
    both = _covered(row for row in rows if row.kind in GUEST | HOST)
    return Spent(round(total, 3), round(guest, 3), round(both - guest, 3))


def _covered(rows: Iterable[Entry]) -> float:
    covered, until = 0.0, 0.0
    for start, end in sorted((row.at, row.end) for row in rows):
        covered += max(0.0, end - max(start, until))
        until = max(until, end)
    return covered


def steps(entries: Iterable[Entry]) -> tuple[Step, ...]:
    """Return what was done, in order: questions to the host in a row are one step, as are repeats.

    Where there are more than MOST, the middle is left out, and a step says so.
    """
    found = [step for entry in entries if (step := _step(entry))]
    joined = [_joined(tuple(alike)) for _, alike in groupby(found, key=_alike)]
    left_out = len(joined) - MOST
    if left_out <= 0:
        return tuple(joined)
    gap = joined[MOST // 2]
    note = Step(gap.at, 0.0, "note", "", f"{left_out} more steps: see the recording")
    return (*joined[: MOST // 2], note, *joined[-MOST // 2 :])


def _step(entry: Entry) -> Step | None:
    kind = {Kind.GUEST: "guest", Kind.LOGIN: "login", Kind.NOTE: "note"}.get(entry.kind, "")
    if entry.kind is Kind.HOST:
        kind = "action" if entry.changes else "question"
    if not kind:
        return None
    wrong = str(entry.wrong) if entry.wrong else ""
    return Step(entry.at, entry.seconds, kind, entry.who, _short(entry.asked), wrong=_short(wrong))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def _alike(step: Step) -> tuple[str, ...]:
    if step.kind == "question" and not step.wrong:
        return (step.kind, step.who)
    return (step.kind, step.who, step.what, step.wrong)


def _joined(alike: tuple[Step, ...]) -> Step:
    if len(alike) == 1:
        return alike[0]
    what = "; ".join(dict.fromkeys(_names(alike)))
    seconds = alike[-1].at + alike[-1].seconds - alike[0].at
    return replace(alike[0], what=_short(what), seconds=seconds, times=len(alike))


def _names(alike: tuple[Step, ...]) -> Iterator[str]:
    if len({step.what for step in alike}) == 1:
        yield alike[0].what
        return
    for step in alike:  # of several questions the cmdlets are enough
        yield " | ".join(part.split(" ")[0] for part in step.what.split(" | "))
