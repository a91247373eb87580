"""How long cases took in earlier runs, kept beside the runs: longest first needs to know."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from statistics import median

NAME = "durations.json"
LAST = 5
"""So many runs tell how long a case takes."""


def known_seconds(results: Path) -> dict[str, float]:
    """Return the median seconds of each case by its recording; {} where nothing is known."""
    return {recording: median(times) for recording, times in _read(results).items() if times}


def keep(results: Path, seconds: Mapping[str, float]) -> None:
    """Add a run's seconds by recording; what cannot be written was only a guess."""
    known = _read(results)
    for recording, took in seconds.items():
        known[recording] = [*known.get(recording, []), round(took, 1)][-LAST:]
    fresh = results / f".{NAME}.new"
    with suppress(OSError):
        fresh.write_text(json.dumps(known, indent=0) + "\n")
        fresh.replace(results / NAME)


def _read(results: Path) -> dict[str, list[float]]:
    try:
        found = json.loads((results / NAME).read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): [float(t) for t in times] for name, times in found.items()}
