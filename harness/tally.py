"""Keeps in one file what each case of many runs ended with, over commits and machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.errors import ResultsError
from harness.report.flakiness import Run, render_flakiness
from harness.report.result import CaseResult, from_json, to_json
from harness.report.store import Store

FACTS = ("run", "started", "commit", "select", "markers", "faults", "shard")
SAME = ("inventory", "faults")
UNSAID: Mapping[str, Any] = {"parameter": "", "because": "", "evidence": (), "story": ()}


def tally(book: Path, folders: Iterable[Path]) -> Path:
    """Add finished runs to the book, each once; write its table beside it and return that file.

    The book has a line of JSON per run: name, day, commit, what was asked, and its verdicts without
    evidence; a reason only where one did not pass. Runs of a book have one inventory and the same
    faults; commit and selection may differ, as each row of the table counts its own verdicts.
    Raises ResultsError for a run of another inventory or other faults, for a checkout with changes
    and for a file that is no book.
    """
    kept = _read(book)
    for folder in folders:
        line = _line(folder)
        asked = {key: line[key] for key in SAME}
        if any({key: other.get(key) for key in SAME} != asked for other in kept.values()):
            said = f"{folder}: another inventory or other faults than the runs of {book}"
            raise ResultsError(f"{said} ({asked}); give it a book of its own")
        kept.setdefault(line["run"], line)
    table = book.with_suffix(".md")
    try:
        book.write_text("".join(f"{json.dumps(line)}\n" for _, line in sorted(kept.items())))
        table.write_text(render_flakiness([_run(line) for _, line in sorted(kept.items())]))
    except OSError as broken:
        said = f"{broken.filename}: cannot keep the runs ({broken.strerror})"
        raise ResultsError(f"{said}; free some space there, and give them again") from broken
    return table


def _read(book: Path) -> dict[str, dict[str, Any]]:
    if not book.exists():
        return {}
    try:
        lines = [dict(json.loads(line)) for line in book.read_text().splitlines()]
        return {line["run"]: line for line in lines}
    except (OSError, ValueError, TypeError, KeyError) as broken:
        said = f"{book}: not a book of `hvcert tally` ({broken!r})"
        raise ResultsError(f"{said}; name another file") from broken


def _line(folder: Path) -> dict[str, Any]:
    store = Store(folder)
    facts, rows = store.facts(), store.verdicts()
    commit = str(facts.get("commit", ""))
    if not commit or commit.endswith("-dirty"):
        said = f"{folder}: of commit {commit or 'unknown'}, so that nobody can tell what ran"
        raise ResultsError(f"{said}; run from a checkout without changes")
    asked = {"inventory": Path(str(facts.get("inventory"))).name}
    named = {key: facts.get(key) for key in FACTS}
    return named | asked | {"verdicts": [_short(row) for row in rows]}


def _short(row: CaseResult) -> dict[str, Any]:
    told = replace(row, evidence=(), facts={}, story=(), series=(), recording="", steps=())
    tries = tuple(replace(earlier, evidence=(), recording="") for earlier in row.earlier)
    because = "" if row.word == "pass" else row.because
    short = to_json(replace(told, earlier=tries, because=because, seconds=round(row.seconds, 1)))
    return {key: value for key, value in short.items() if value}


def _run(line: Mapping[str, Any]) -> Run:
    return line, tuple(from_json(UNSAID | row) for row in line["verdicts"])
