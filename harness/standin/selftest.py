"""Runs the cases against each fault, as anybody would run them, and draws the detection matrix."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.errors import LabError
from harness.standin.releases import RELEASES
from harness.standin.seeded.expected import EXPECTED
from harness.standin.seeded.matrix import Row, Square, compare, render
from harness.standin.seeded.table import FAULTS, require_known

SENTINELS = ("NMI-01", "(MMIO-01 and 1024)")
"""Quick cases of features that a fault does not touch: they must not notice it."""


def selftest(
    names: Iterable[str], results: Path, options: list[str], say: Callable[[str], None]
) -> int:
    """Run every named fault, or all; return 0, or 1 when a square of the matrix is red.

    What an earlier sitting has reached on the same commit is not run again: it is read from
    ``results/matrix.json``. ``options`` go to ``hvcert run``.
    """
    wanted = tuple(names) or tuple(fault.name for fault in FAULTS)
    require_known(wanted)
    results.mkdir(parents=True, exist_ok=True)
    book, commit = results / "matrix.json", _commit()
    known: dict[str, Any] = json.loads(book.read_text()) if book.exists() else {}
    for name in wanted:
        if known.get(name, {}).get("commit") != commit:
            say(f"{name}: running {_selection(name)}")
            squares = _run(name, results / name, options)
            known[name] = {
                "commit": commit,
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
                "squares": [asdict(square) for square in squares],
            }
            book.write_text(json.dumps(known, indent=1) + "\n")
    table = {n: tuple(Square(**s) for s in known[n]["squares"]) for n in wanted}
    say(render(table))
    return int(any(square.problem for squares in table.values() for square in squares))


def _selection(name: str) -> str:
    own = dict.fromkeys(cell.case for cell in EXPECTED[name])
    return " or ".join((*own, *(s for s in SENTINELS if not any(case in s for case in own))))


def _run(name: str, results: Path, options: list[str]) -> tuple[Square, ...]:
    """Run the fault's own cases and the sentinels; a run without verdicts is an error."""
    command = (sys.executable, "-m", "harness.cli", "run", f"--fault={name}")
    given = (f"--results={results.absolute()}", "--select", _selection(name), *options)
    latest = results / "latest"
    latest.unlink(missing_ok=True)  # of an earlier sitting
    done = subprocess.run((*command, *given), capture_output=True, text=True, check=False)  # noqa: S603  # our own program
    book = latest / "verdicts.jsonl"
    if not book.exists():
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise LabError(f"the run with fault {name} reached no verdict: {said}")
    rows = [json.loads(line) for line in book.read_text().splitlines()]
    builds = {row["facts"].get("host build") for row in rows} - {None}
    verdicts = [Row(r["case"], r["parameter"], r["outcome"], r["because"]) for r in rows]
    return compare(EXPECTED[name], verdicts, _release(next(iter(builds), "17763")))


def _release(build: str) -> str:
    return next((r.key for r in RELEASES.values() if str(r.build) == build), "2019")


def _commit() -> str:
    asked = ("git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty")
    done = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603  # git itself
    return done.stdout.strip() or "unknown"
