"""When a process of this machine has ended."""

from __future__ import annotations

import os
import subprocess
from datetime import timedelta
from pathlib import Path

from harness.deadline import wait_for
from harness.process import process_started


def test_a_process_that_was_killed_has_ended_before_its_parent_knows() -> None:
    """Whoever resumes a run at once, from the shell that had begun it, finds it dead."""
    with subprocess.Popen(("/bin/sleep", "60")) as child:
        assert process_started(child.pid)
        child.kill()
        ended = timedelta(seconds=9)
        wait_for("its end", lambda: not process_started(child.pid) or None, ended)
        assert Path(f"/proc/{child.pid}").exists()


def test_only_a_process_that_is_there_has_a_start() -> None:
    assert process_started(os.getpid()) == process_started(os.getpid()) != ""
    assert process_started(2**22 + 1) == ""
