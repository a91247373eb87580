"""Times the end of a run, JUnit and HTML, for 10 to 10,000 verdicts: it must grow no faster.

Each size in a process of its own. Prints seconds of processor time and the most resident memory,
as one JSON object with --json. Bound for 10,000: 10 s and 500 MB.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.compare import verdicts
from harness.report.result import to_json
from harness.report.store import Store

SIZES = (10, 100, 1_000, 10_000)
SECONDS, MEGABYTES = 10.0, 500.0


def finish(count: int) -> dict[str, float]:
    """End a run of so many verdicts; return what that cost."""
    with TemporaryDirectory() as folder:
        store = Store(Path(folder) / "run")
        store.create({"run": "run", "started": "2026-11-27", "inventory": "lab.yaml"})
        lines = (json.dumps(to_json(row)) + "\n" for row in verdicts(count, 1))
        (store.folder / "verdicts-main.jsonl").write_text("".join(lines))
        before = time.process_time()
        store.finish()
        took = time.process_time() - before
        sizes = {
            name: (store.folder / name).stat().st_size for name in ("junit.xml", "report.html")
        }
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return {"seconds": round(took, 2), "resident_mb": round(most, 1), **sizes}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(finish(given.one)))
        return 0
    found = {}
    for size in SIZES:
        command = (sys.executable, __file__, "--one", str(size))
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found[size] = json.loads(done.stdout)
    if given.json:
        print(json.dumps(found))
    else:
        for size, figure in found.items():
            print(f"{size:6} {figure}")
    largest = found[SIZES[-1]]
    return int(largest["seconds"] > SECONDS or largest["resident_mb"] > MEGABYTES)


if __name__ == "__main__":
    raise SystemExit(main())
