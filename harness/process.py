"""Processes of this machine, told apart by when they began: a process id is used again."""

from __future__ import annotations

from pathlib import Path


def process_started(pid: int) -> str:
    """Return the start time of a process in clock ticks since boot, "" when it has ended.

    It has ended, too, when its parent has not asked yet how (a zombie).
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
