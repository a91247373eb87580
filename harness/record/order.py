"""In which order, and by which worker, the recorded cases of a run were run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from harness.record.entry import Kind, read

T = TypeVar("T")


def began(path: Path) -> tuple[str, str]:
    """Return the worker of a recording and when it began; ("", "") where there is none."""
    if path.exists():
        for entry in read(path):
            if entry.kind is Kind.BEGIN:
                return entry.who, str(entry.answer)
    return "", ""


def in_recorded_order(items: Iterable[T], recording: Callable[[T], Path]) -> list[T]:
    """Return the items that were recorded, worker by worker, in the order in which each ran them.

    What one case leaves for the next (a booted VM) is then there again.
    """
    known = ((began(recording(item)), item) for item in items)
    return [item for _, item in sorted((k for k in known if k[0][1]), key=lambda pair: pair[0])]


def put_aside(path: Path) -> str:
    """Rename the recording of a try that is followed by another; return its new place in the run.

    The last try keeps the name by which a replay looks for it. "" where nothing was recorded.
    """
    number = len(list(path.parent.glob(f"{path.stem}.try-*.jsonl"))) + 1
    aside = path.with_name(f"{path.stem}.try-{number}.jsonl")
    if not path.exists():  # a full disk: the try's verdict says so
        return ""
    path.rename(aside)
    return f"{path.parent.name}/{aside.name}"
