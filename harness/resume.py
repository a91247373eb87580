"""Makes the folder of an interrupted run ready to go on: what was settled stays, the rest is anew.

A case is settled when the run wrote its verdicts and then, after its clean-up, its time. What was
interrupted starts over on a fresh VM; its recording is put aside.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from harness.errors import ResultsError
from harness.report.result import CaseResult, to_json
from harness.report.store import Store
from harness.verdict import Outcome

KEPT = "verdicts-before.jsonl"
APPENDED = ("verdicts-*.jsonl", "plan-*.jsonl", "times-*.jsonl")
ENDS = ("verdicts.jsonl", "junit.xml", "report.html")
"""What the end of a run writes: it is made anew."""
JOBS, JOBS_BEFORE = "jobs.jsonl", "jobs-before.jsonl"
"""The list of jobs is written when the plan is whole; a resumed run makes it anew of that plan."""


def inventory_of(folder: Path) -> Path:
    """Return the inventory that a run began with; ResultsError when it is another one by now."""
    facts = Store(folder).facts()
    path = Path(str(facts.get("inventory", "")))
    kept = folder / "inventory.yaml"
    try:
        same = _digest(path) == _digest(kept)
    except OSError as gone:
        said = f"{folder}: its inventory {path} cannot be read ({gone.strerror})"
        raise ResultsError(f"{said}; put it back to resume the run") from gone
    if not same:
        said = f"{folder}: the inventory {path} is not what the run began with ({kept})"
        raise ResultsError(f"{said}; put it back to resume the run, or begin a new one")
    return path


def settled(store: Store) -> frozenset[str]:
    """Return the recordings of the cases that need not run again."""
    planned: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
    for row in store.planned():
        planned[row.recording].add(row.key)
    judged: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
    for row in store.judged():
        if row.outcome is not Outcome.NOT_RUN:
            judged[row.recording].add(row.key)
    timed = store.times().keys()
    return frozenset(r for r, keys in planned.items() if r in timed and keys <= judged[r])


def prepare(folder: Path, retries: int = 0) -> frozenset[str]:
    """Keep what is settled and put the rest aside; return the recordings that stay."""
    store = Store(folder)
    try:
        for path in _files(folder, APPENDED):
            _cut_torn_line(path)
        _keep_whole_plan(folder)
        done = settled(store) - _to_try_again(store.results(), retries)
        rows = [row for row in store.judged() if row.recording in done]
        for path in _files(folder, APPENDED[:1]):
            path.unlink()
        (folder / KEPT).write_text("".join(json.dumps(to_json(row)) + "\n" for row in rows))
        for path in (folder / "recordings").glob("*.jsonl"):
            if f"recordings/{path.name}" not in done and ".interrupted-" not in path.name:
                _put_aside(path)
        for name in ENDS:
            (folder / name).unlink(missing_ok=True)
    except OSError as broken:
        said = f"{folder}: cannot be made ready to resume ({broken.strerror})"
        raise ResultsError(f"{said}; free some space and run again") from broken
    return done


def _keep_whole_plan(folder: Path) -> None:
    """Keep the plan for the resumed run; one that a kill has cut off is made anew."""
    if (folder / JOBS).exists():
        (folder / JOBS).replace(folder / JOBS_BEFORE)
    if not (folder / JOBS_BEFORE).exists():
        for path in folder.glob("plan-*.jsonl"):
            path.unlink()


def _to_try_again(rows: Iterable[CaseResult], retries: int) -> set[str]:
    """Return the recordings of cases that were between two tries."""
    return {r.recording for r in rows if not r.as_expected and len(r.earlier) < retries}


def _files(folder: Path, patterns: Iterable[str]) -> list[Path]:
    return [path for pattern in patterns for path in sorted(folder.glob(pattern))]


def _cut_torn_line(path: Path) -> None:
    """Cut off what a killed process left of its last line: the next one must not join it."""
    data = path.read_bytes()
    if data and not data.endswith(b"\n"):
        path.write_bytes(data[: data.rfind(b"\n") + 1])


def _put_aside(path: Path) -> None:
    number = len(list(path.parent.glob(f"{path.stem}.interrupted-*.jsonl"))) + 1
    path.rename(path.with_name(f"{path.stem}.interrupted-{number}.jsonl"))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
