"""Which state of the project runs: results name it, so that figures can be traced."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]


@cache
def commit() -> str:
    """Return what ``git describe`` calls this checkout, ``-dirty`` after changes, "" without one.

    A checkout that happens to surround an installed copy is not this project's.
    """
    if not (ROOT / ".git").exists():
        return ""
    asked = ("git", "-C", str(ROOT), "describe", "--always", "--dirty")
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603  # git itself
    except OSError:
        return ""
    return done.stdout.strip()
