"""Runs the same again and again, over as many sittings as it takes; nothing is retried."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.errors import ResultsError
from harness.report.flakiness import Run, render_flakiness, same_question
from harness.report.store import Store

TABLE = "flakiness.md"


def repeat(
    times: int, results: Path, once: Callable[[], tuple[int, Path]], say: Callable[[str], None]
) -> int:
    """Run until there are that many runs that asked the same; write the table; return the status.

    ``once`` makes one run and returns its exit status and folder. The first run of a sitting tells
    what is asked; finished runs in ``results`` that asked the same of the same commit count. The
    status is the worst of all runs that count: an error, then a fail.
    """
    status, folder = once()
    asked = _facts(folder)
    runs = [run for run in _finished(results) if same_question(asked, run[0])]
    if not any(facts["run"] == asked["run"] for facts, _ in runs):
        runs.append((asked, Store(folder).verdicts()))
    say(f"{len(runs)} of {times} runs")
    while len(runs) < times:
        now, folder = once()
        status = max(status, now)
        runs.append((_facts(folder), Store(folder).verdicts()))
        _write(results, runs)
        say(f"{len(runs)} of {times} runs")
    say(_write(results, runs))
    unexpected = any(not row.as_expected for _, rows in runs for row in rows)
    return max(status, int(unexpected))


def _facts(folder: Path) -> dict[str, Any]:
    facts = folder / "run.json"
    if not facts.exists() or not (folder / "verdicts.jsonl").exists():
        said = f"{folder}: the run reached no verdict, so that it is not repeated"
        raise ResultsError(f"{said}; see above what is wrong, and run again")
    return dict(json.loads(facts.read_text()))


def _finished(results: Path) -> list[Run]:
    folders = sorted(path.parent for path in results.glob("*/verdicts.jsonl"))
    kept = (path for path in folders if not path.is_symlink() and (path / "run.json").exists())
    return [(_facts(path), Store(path).verdicts()) for path in kept]


def _write(results: Path, runs: list[Run]) -> str:
    text = render_flakiness(runs)
    try:
        (results / TABLE).write_text(text)
    except OSError as broken:
        said = f"{results / TABLE}: cannot write the table ({broken.strerror})"
        raise ResultsError(f"{said}; the runs are kept") from broken
    return text
