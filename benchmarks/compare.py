"""Times the import of runs of 10,000 verdicts and their comparison, on SQLite and on PostgreSQL.

PostgreSQL is one of its own on a socket (Debian's package postgresql). Prints seconds, as one JSON
object with --json.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from harness.database.engine import opened
from harness.database.importing import import_run
from harness.database.reading import compare_runs
from harness.report.result import CaseResult, to_json
from harness.report.store import Store
from harness.verdict import Outcome
from tests.database.postgres import cluster

BOUND = 2.0
EARLIER = 5
"""Runs before the two, so that a spread is known and slower cases are looked for."""


def verdicts(count: int, run: int) -> list[CaseResult]:
    """Return verdicts over 40 cases, 5 parameters and as many guests as it takes.

    Each run fails in other cases, and its times differ.
    """
    rows = []
    for number in range(count):
        case, part, guest = number % 40, number // 40 % 5, number // 200
        failed = (number + run) % 97 == 0
        rows.append(
            CaseResult(
                f"CASE-{case:02d}",
                "Feature",
                str(part),
                f"guest-{guest:03d}",
                f"hv-{guest % 9}",
                Outcome.FAIL if failed else Outcome.PASS,
                "it was measured, and this is a sentence",
                started="2026-11-27T01:00:00+00:00",
                seconds=60 + (number * 7 + run * 13) % 19,
                facts={"host build": "17763", "kernel": "6.1.0", "distribution": "debian 12"},
            )
        )
    return rows


def written(folder: Path, count: int, run: int) -> Path:
    store = Store(folder / f"run-{run}")
    store.create({"run": f"run-{run}", "started": f"2026-11-{10 + run}", "inventory": "lab.yaml"})
    lines = (json.dumps(to_json(row)) + "\n" for row in verdicts(count, run))
    (store.folder / "verdicts.jsonl").write_text("".join(lines))
    return store.folder


def measure(url: str, runs: list[Path]) -> dict[str, float]:
    began = time.perf_counter()
    for folder in runs:
        with opened(url) as connection:
            import_run(connection, folder)
    imported = time.perf_counter()
    with opened(url) as connection:
        found = compare_runs(connection, runs[-2].name, runs[-1].name)
    compared = time.perf_counter() - imported
    return {
        "import_s": round((imported - began) / len(runs), 3),
        "compare_s": round(compared, 3),
        "differences": len(found),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--verdicts", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        runs = [written(folder, given.verdicts, run) for run in range(EARLIER + 2)]
        figures = {"sqlite": measure(f"sqlite:///{folder / 'results.sqlite'}", runs)}
        with cluster() as url:
            figures["postgresql"] = measure(url, runs)
    if given.json:
        print(json.dumps({"verdicts": given.verdicts, "bound_s": BOUND, **figures}))
    else:
        for name, figure in figures.items():
            print(f"{name:12} {figure}")
    return int(any(figure["compare_s"] > BOUND for figure in figures.values()))


if __name__ == "__main__":
    raise SystemExit(main())
