"""Cases share the machine; one that needs all of it waits for the others, and they for it."""

from __future__ import annotations

import threading
from pathlib import Path

from harness.turn import turn

SOON, PATIENT = 0.3, 10.0


class Case:
    """A case of another worker: takes its turn and keeps it until it is told to end."""

    def __init__(self, folder: Path, *, alone: bool) -> None:
        self.on_stage, self._end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, args=(folder, alone))
        self._thread.start()

    def _run(self, folder: Path, alone: bool) -> None:  # noqa: FBT001
        with turn(folder, alone=alone):
            self.on_stage.set()
            self._end.wait(PATIENT)

    def end(self) -> None:
        self._end.set()
        self._thread.join(PATIENT)


def test_ordinary_cases_run_side_by_side(tmp_path: Path) -> None:
    first, second = (Case(tmp_path, alone=False) for _ in range(2))
    assert first.on_stage.wait(PATIENT)
    assert second.on_stage.wait(PATIENT)
    first.end()
    second.end()


def test_a_case_that_runs_alone_waits_for_the_others_and_they_for_it(tmp_path: Path) -> None:
    ordinary = Case(tmp_path, alone=False)
    assert ordinary.on_stage.wait(PATIENT)
    lonely = Case(tmp_path, alone=True)
    assert not lonely.on_stage.wait(SOON)
    late = Case(tmp_path, alone=False)
    assert not late.on_stage.wait(SOON), "it overtook the one that waited before it"
    ordinary.end()
    assert lonely.on_stage.wait(PATIENT)
    assert not late.on_stage.wait(SOON)
    lonely.end()
    assert late.on_stage.wait(PATIENT)
    late.end()
