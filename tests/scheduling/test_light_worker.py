"""What a worker loads before its first case: a hundred of them have to fit a small controller."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = ("pypsrp", "paramiko", "junit_xml", "jinja2", "sqlalchemy", "alembic", "rich", "typer")
LOOK = f"""
import sys
import pytest, xdist
import harness.pytest_plugin, harness.fixtures, harness.placing, harness.run, harness.record.line
print(*[name for name in {HEAVY!r} if name in sys.modules])
"""


def test_an_idle_worker_has_loaded_no_client_and_no_report() -> None:
    command = (sys.executable, "-c", LOOK)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
