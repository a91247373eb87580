"""Runs the cases of a run again from its recording, with no host; tells which verdicts differ."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryFile

import pytest

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


Judged = tuple[tuple[CaseResult, ...], tuple[Difference, ...]]
"""The verdicts of a replay, and those that differ from the run's."""

AT_ONCE = 2


def replay(folder: Path, cases: Path = ROOT / "testcases") -> Judged:
    """Run the recorded cases again; return their verdicts and those that differ from the run's.

    Raises ReplayError where the folder holds no recordings or pytest could not run.
    """
    return replay_all((folder,), cases)[0]


def replay_all(folders: Sequence[Path], cases: Path = ROOT / "testcases") -> tuple[Judged, ...]:
    """Replay several runs, each in a process of its own that has the imports of this one."""
    import harness.pytest_plugin  # noqa: F401  # every process needs it: import it once

    before = [_recorded(folder) for folder in folders]
    at_once = min(AT_ONCE, len(folders))
    with get_context("fork").Pool(at_once, maxtasksperchild=1) as pool:
        ended = pool.starmap(_again, [(folder, cases) for folder in folders], chunksize=1)
    for folder, wrong in zip(folders, ended, strict=True):
        if wrong:
            raise ReplayError(str(folder), f"the cases could not be run again:\n{wrong}")
    found = []
    for folder, rows in zip(folders, before, strict=True):
        now = Store(folder / "replay").verdicts()
        found.append((now, differences(rows, now)))
    return tuple(found)


def _recorded(folder: Path) -> tuple[CaseResult, ...]:
    if not any((folder / "recordings").glob("*.jsonl")):
        Store(folder).verdicts()  # the better sentence, where it is no run at all
        raise ReplayError(str(folder), "the run was not recorded")
    return Store(folder).verdicts()


def _again(folder: Path, cases: Path) -> str:
    """Let pytest run the recorded cases of one run; return the end of what it says if it cannot."""
    with TemporaryFile("w+") as said:
        for stream in (1, 2):
            os.dup2(said.fileno(), stream)
        status = pytest.main([str(cases), *_options(folder)])
        sys.stdout.flush()
        said.seek(0)
        tail = "\n".join(said.read().splitlines()[-25:])
    return "" if status in (0, 1) else tail


def _options(folder: Path) -> tuple[str, ...]:
    return (
        *("-p", "harness.pytest_plugin", "-p", "no:cacheprovider", "-p", "no:xdist"),
        *("--assert=plain", "-W", "ignore::pytest.PytestAssertRewriteWarning"),
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
