"""``hvcert contract compare``: two recordings, or one and what Microsoft documents."""

from __future__ import annotations

import json
from pathlib import Path

from harness import lab
from harness.contract.comparing import Difference, between, with_documentation
from harness.contract.recording import read


def compare(one: Path, other: Path | None) -> list[Difference]:
    """Return what differs; ResultsError for a file that is no recording."""
    left = read(one)
    if other is not None:
        return between(left, read(other))
    documented = json.loads(lab.call("contract", str(left["windows"])))
    return with_documentation(left, documented)
