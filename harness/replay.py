"""Runs the cases of a run again from its recording, with no host; tells which verdicts differ."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ReplayError
from harness.report.result import CaseResult
from harness.report.store import Store
from harness.verdict import Outcome

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Difference:
    """A verdict that is another one now; ``now`` is None where there is none."""

    before: CaseResult
    now: CaseResult | None

    def __str__(self) -> str:
        """Return one line for people."""
        title = f"{self.before.title} {self.before.guest}@{self.before.host}"
        return f"{title}: {_said(self.before)} -> {_said(self.now)}"


def _said(row: CaseResult | None) -> str:
    return f"{row.outcome.value} ({row.because})" if row else "no verdict"


def replay(
    folder: Path, cases: Path = ROOT / "testcases"
) -> tuple[tuple[CaseResult, ...], tuple[Difference, ...]]:
    """Run the recorded cases again; return their verdicts and those that differ from the run's.

    Raises ReplayError where the folder holds no recordings or pytest could not run.
    """
    before = Store(folder).verdicts()
    if not any((folder / "recordings").glob("*.jsonl")):
        raise ReplayError(str(folder), "the run was not recorded")
    command = (sys.executable, "-m", "pytest", str(cases), *_options(folder))
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode not in (0, 1):
        tail = "\n".join(done.stdout.splitlines()[-25:] + done.stderr.splitlines()[-5:])
        raise ReplayError(str(folder), f"the cases could not be run again:\n{tail}")
    now = Store(folder / "replay").verdicts()
    return now, differences(before, now)


def _options(folder: Path) -> tuple[str, ...]:
    return (
        *("-p", "harness.pytest_plugin", "-p", "no:cacheprovider", "-p", "no:xdist"),
        *("-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "--tb=short"),
        f"--inventory={folder / 'inventory.yaml'}",
        f"--replay={folder}",
    )


def differences(
    before: tuple[CaseResult, ...], now: tuple[CaseResult, ...]
) -> tuple[Difference, ...]:
    """Return the verdicts whose outcome differs; what the run did not finish is left out."""
    new = {row.key: row for row in now}
    old = {row.key: row for row in before if row.outcome is not Outcome.NOT_RUN and row.recording}
    pairs = (Difference(row, new.get(key)) for key, row in sorted(old.items()))
    return tuple(p for p in pairs if p.now is None or p.now.outcome is not old[p.now.key].outcome)
