"""Runs the cases against each fault, as anybody would run them, and draws the detection matrix."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.errors import LabError
from harness.standin.releases import RELEASES
from harness.standin.seeded.expected import EXPECTED
from harness.standin.seeded.fault import Level
from harness.standin.seeded.kept import SUFFIX, archives, keep, next_archive, unpacked
from harness.standin.seeded.matrix import Row, Square, compare, document, render, stamps
from harness.standin.seeded.table import FAULTS, require_known

SENTINELS: Mapping[str, str] = {
    "NMI": "NMI-01",
    "MMIO": "(MMIO-01 and 1024)",
    "KX": "KX-01",
    "FB": "FB-02",
    "VHD": "VHD-03",
    "BAK": "BAK-02",
    "DM": "(DM-05 and not stock)",
}
"""A quick case per feature: one that a fault does not touch must not notice it.

What is proved together runs together: FB-01 to FB-04, and DM-01, DM-02 and DM-04 to DM-06.
"""

SAME = {"KD": "KX"}  # kdump and kexec are one feature
FEW = 2

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Kept:
    """``recordings``: folder of an archive per fault. ``document``: the matrix in Markdown."""

    recordings: Path
    document: Path


@dataclass(frozen=True, slots=True)
class Sitting:
    """How a sitting of the full matrix goes.

    ``results``: where its runs and ``matrix.json`` go. ``options`` go to ``hvcert run``. ``few``:
    two sentinels instead of one per feature. ``kept``: where the recordings of rows without a red
    square and the document go, None: nowhere. ``stale``: rows of earlier commits are not run again.
    ``complete``: of a kept row only the sentinels run that it lacks; they are added to it.
    """

    results: Path
    options: Sequence[str] = ()
    few: bool = False
    kept: Kept | None = None
    stale: bool = False
    complete: bool = False


def selftest(names: Iterable[str], sitting: Sitting, say: Say) -> int:
    """Run every named fault, or all; return 0, or 1 when a square of the matrix is red.

    What an earlier sitting has reached on the same commit is not run again: it is read from
    ``matrix.json``.
    """
    wanted = tuple(names) or tuple(fault.name for fault in FAULTS)
    require_known(wanted)
    sitting.results.mkdir(parents=True, exist_ok=True)
    book, commit = sitting.results / "matrix.json", _commit()
    rows: dict[str, Any] = json.loads(book.read_text()) if book.exists() else {}
    drawn = _drawn(sitting.kept) if sitting.kept else {}
    for name in wanted:
        if sitting.kept and sitting.complete and name in drawn:
            row = _completed(name, drawn[name], sitting.kept, sitting, say)
        elif name in rows and (sitting.stale or rows[name]["commit"] == commit):
            continue
        else:
            row = _whole(name, sitting, say)
        rows[name] = row
        book.write_text(json.dumps(rows, indent=1) + "\n")
        if sitting.kept:
            sitting.kept.document.write_text(document(drawn | rows))
    table = {n: tuple(Square(**s) for s in rows[n]["squares"]) for n in wanted}
    say(render(table))
    return _status(table)


def _whole(name: str, sitting: Sitting, say: Say) -> dict[str, Any]:
    """Run a fault's own cases and the sentinels, and keep the recordings of a row without red."""
    run = _run(name, _selection(name, few=sitting.few), sitting, say)
    squares = _compared(name, run)
    say(_verdict(squares))
    if sitting.kept and not any(square.problem for square in squares):
        for earlier in archives(sitting.kept.recordings).get(name, ()):
            earlier.unlink()  # what completed the row before was of other runs
        keep(run, next_archive(name, sitting.kept.recordings))
    return _row(squares, _commit())


def _completed(
    name: str, row: dict[str, Any], kept: Kept, sitting: Sitting, say: Say
) -> dict[str, Any]:
    """Run the sentinels that a kept row lacks; what they add is kept when nothing is red."""
    lacking = _lacking(name, {square["case"] for square in row["squares"]})
    if not lacking:
        return row
    run = _run(name, " or ".join(lacking), sitting, say)
    with unpacked(archives(kept.recordings)[name]) as folders:
        squares = _compared(name, *folders, run)
    say(_verdict(squares))
    if not any(square.problem for square in squares):
        keep(run, next_archive(name, kept.recordings))
    commits = dict.fromkeys((*row["commit"].split(", "), _commit()))
    return _row(squares, ", ".join(commits))


def _row(squares: Iterable[Square], commit: str) -> dict[str, Any]:
    return {
        "commit": commit,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "squares": [asdict(square) for square in squares],
    }


def _drawn(kept: Kept) -> dict[str, Any]:
    """Return the rows that the document has, with what their kept recordings say."""
    rows = {}
    text = kept.document.read_text() if kept.document.exists() else ""
    of_fault = archives(kept.recordings)
    for name, (commit, at) in stamps(text).items():
        with unpacked(of_fault.get(name, ())) as folders:
            if folders:
                squares = [asdict(square) for square in _compared(name, *folders)]
                rows[name] = {"commit": commit, "at": at, "squares": squares}
    return rows


def quick(recordings: Path, say: Say) -> int:
    """Judge the kept recordings of all faults by today's rules; return 0, or 1 for a red square.

    A fault that has cells and no recording is red.
    """
    of_fault = archives(recordings)
    with unpacked(path for paths in of_fault.values() for path in paths) as folders:
        if folders:
            _replay(folders)
        judged = {folder.name: folder / "replay" for folder in folders}
        table = {
            name: _compared(name, *(judged[path.name.removesuffix(SUFFIX)] for path in paths))
            for name, paths in of_fault.items()
        }
    table |= {fault.name: UNRECORDED for fault in FAULTS if fault.name not in table}
    say(render(dict(sorted(table.items()))))
    return _status(table)


UNRECORDED = (
    Square("no recording", "-", "none", expected=True, problem="run the full matrix with --keep"),
)


def _replay(folders: Iterable[Path]) -> None:
    command = (sys.executable, "-m", "harness.cli", "replay", *map(str, folders))
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own program
    if done.returncode not in (0, 1):
        raise LabError(f"the recordings cannot be judged again: {done.stderr.strip()}")


def _status(table: Mapping[str, tuple[Square, ...]]) -> int:
    return int(any(square.problem for squares in table.values() for square in squares))


def _verdict(squares: Iterable[Square]) -> str:
    red = [f"  RED {square.title}: {square.problem}" for square in squares if square.problem]
    return "\n".join(red) or "  as said beforehand"


def _selection(name: str, *, few: bool) -> str:
    own = tuple(dict.fromkeys(cell.case for cell in EXPECTED[name]))
    others = _lacking(name, set())
    return " or ".join((*own, *(others[:FEW] if few else others)))


def _lacking(name: str, cases: set[str]) -> tuple[str, ...]:
    """Return the sentinels of the features that neither the fault's cells nor the cases touch."""
    seen = {*cases, *(cell.case for cell in EXPECTED[name])}
    touched = {case.split("-", maxsplit=1)[0] for case in seen}
    touched |= {SAME[feature] for feature in touched & SAME.keys()}
    return tuple(case for feature, case in SENTINELS.items() if feature not in touched)


def _run(name: str, selection: str, sitting: Sitting, say: Say) -> Path:
    """Run cases against a fault and return the run; one without verdicts is an error."""
    say(f"{name}: running {selection}")
    results = sitting.results / name
    command = (sys.executable, "-m", "harness.cli", "run", "--long", f"--fault={name}")
    given = (f"--results={results.absolute()}", "--select", selection, *sitting.options)
    latest = results / "latest"
    latest.unlink(missing_ok=True)  # of an earlier sitting
    done = subprocess.run((*command, *given), capture_output=True, text=True, check=False)  # noqa: S603  # our own program
    if not (latest / "verdicts.jsonl").exists():
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise LabError(f"the run with fault {name} reached no verdict: {said}")
    return latest.resolve()


def _compared(name: str, *runs: Path) -> tuple[Square, ...]:
    """Compare verdicts with what a fault must do; an expected failure says nothing."""
    lines = [line for run in runs for line in (run / "verdicts.jsonl").read_text().splitlines()]
    rows = [row for row in map(json.loads, lines) if not row.get("expected_failure")]
    builds = {row["facts"].get("host build") for row in rows if row.get("facts")} - {None}
    verdicts = [Row(r["case"], r["parameter"], r["outcome"], r["because"]) for r in rows]
    windows = _release(next(iter(builds), "17763"))
    wire = any(fault.name == name and fault.level is Level.WIRE for fault in FAULTS)
    return compare(EXPECTED.get(name, ()), verdicts, windows, wire=wire)


def _release(build: str) -> str:
    return next((r.key for r in RELEASES.values() if str(r.build) == build), "2019")


JUDGED = ("harness", "testcases")
"""What a row depends on: a change of documents or recordings leaves it as it is."""


def _commit() -> str:
    """Return the last commit of what is judged, ``-dirty`` after changes, or ``unknown``."""
    last = _git("log", "-1", "--format=%h", "--", *JUDGED).strip()
    changed = _git("status", "--porcelain", "--", *JUDGED).strip()
    return f"{last or 'unknown'}{'-dirty' if changed else ''}"


def _git(*words: str) -> str:
    asked = ("git", "-C", str(Path(__file__).parents[2]), *words)
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout  # noqa: S603  # git itself
