"""Runs pytest as a child, shows verdicts as they come, and ends with the table."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from harness.report.result import CaseResult, exit_status, from_json
from harness.report.step import Spent, together
from harness.verdict import Outcome

COLOURS = {"pass": "green", "fail": "red", "error": "magenta", "not-run": "yellow"}
WORD_COLOURS = {"flaky": "yellow", "known": "blue"}
LOG_COLUMNS = 160
INTERRUPTED = b"\ninterrupted: what the run made is being removed; this takes a moment\n"


def watch(command: list[str], folder: Path, fail_on: str = "new") -> int:
    """Run it; return 0 all as expected, 1 a verdict failed, 2 a harness error or bad input.

    ``fail_on``: as in ``exit_status``.

    ``folder`` is where that run is going to keep its results.
    """
    console = Console(stderr=True)
    tail: list[str] = []
    signals: list[int] = []
    with _passing_signals(command, signals) as child, _progress(console) as progress:
        task = progress.add_task("cases", total=None)
        assert child.stdout is not None  # noqa: S101  # opened as a pipe below
        for line in child.stdout:
            tail = [*tail[-200:], line.rstrip()]
            _show(line, folder, progress, task)
    rows = _rows(folder / "verdicts.jsonl")
    if rows:
        _table(rows, folder)
    if signals:
        console.print(_interrupted(rows), markup=False, highlight=False, soft_wrap=True)
        return 2
    if not rows or child.returncode not in (0, 1):
        said = "\n".join(_useful(tail))
        console.print(said, markup=False, highlight=False, soft_wrap=True)
        return 2
    return exit_status(rows, fail_on)


def _interrupted(rows: tuple[CaseResult, ...]) -> str:
    left = sum(row.outcome is Outcome.NOT_RUN for row in rows)
    if not rows:
        return "interrupted before any case began; nothing of this run is left on its hosts"
    return (
        f"interrupted: {left} of {len(rows)} verdicts were not reached and are reported as not-run"
    )


@contextmanager
def _passing_signals(command: list[str], seen: list[int]) -> Iterator[subprocess.Popen[str]]:
    """Run the child in its own session, so that it gets a signal once: from here.

    It gets SIGTERM, for a shell's background jobs (and their children) ignore SIGINT. A second
    one is not passed on: it would interrupt the clean-up that the first one began.
    """
    child = subprocess.Popen(  # noqa: S603
        (*_with_parent(), *command),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if seen:
            return
        seen.append(number)
        child.terminate()
        os.write(2, INTERRUPTED)  # unbuffered: a handler may have interrupted a buffered write

    former = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with child:  # closes its output, waits for its end
            yield child
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _with_parent() -> tuple[str, ...]:
    """Return the prefix that ends the child (orderly) when this process is killed."""
    program = shutil.which("setpriv")
    return (program, "--pdeathsig", "TERM", "--") if program else ()


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not sys.stderr.isatty(),
    )


def _show(line: str, folder: Path, progress: Progress, task: Any) -> None:  # noqa: ANN401  # rich's TaskID
    if line.startswith("hvcert\t"):
        word, title, where, because = (line.rstrip("\n").split("\t") + [""] * 4)[1:5]
        progress.console.print(
            f"{word:15} {title:28} {where}: {because}",
            markup=False,
            soft_wrap=True,
            highlight=False,
        )
        progress.advance(task)
    elif progress.tasks[0].total is None:
        planned = sum(1 for _ in _plan(folder))
        if planned:
            progress.update(task, total=planned)


def _plan(folder: Path) -> Iterator[tuple[str, ...]]:
    seen = set()
    for path in folder.glob("plan-*.jsonl"):
        for line in path.read_text().splitlines():
            with suppress(ValueError):
                seen.add(from_json(json.loads(line)).key)
    yield from seen


def _rows(path: Path) -> tuple[CaseResult, ...]:
    if not path.exists():
        return ()
    return tuple(from_json(json.loads(line)) for line in path.read_text().splitlines())


def _useful(tail: list[str]) -> list[str]:
    """Return what of pytest's last lines says something: its errors, else its end."""
    said = [line for line in tail if line.startswith("ERROR: ")]
    return [line.removeprefix("ERROR: ") for line in said] or tail[-25:]


def _table(rows: tuple[CaseResult, ...], folder: Path) -> None:
    banner = next((row.facts["banner"] for row in rows if row.facts.get("banner")), "")
    table = Table(title=f"{banner} {folder.name}".strip(), show_lines=False)
    for heading in ("verdict", "case", "guest", "host", "time", "because"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        colour = WORD_COLOURS.get(row.word) or COLOURS.get(row.outcome.value, "")
        if colour in ("green", "red"):
            colour = "green" if row.as_expected else "red"
        table.add_row(
            f"[{colour}]{row.word}[/]" if colour else row.word,
            row.title.replace("[", r"\["),
            row.guest,
            row.host,
            f"{row.seconds:.0f} s",
            row.because.replace("[", r"\["),
        )
    console = _paper()
    console.print(table)
    if banner:
        console.print(f"{banner}: proves the harness, certifies no distribution on Hyper-V.")
    console.print(f"report: {folder / 'report.html'}", soft_wrap=True)
    console.print(f"JUnit: {folder / 'junit.xml'}", soft_wrap=True)


def _paper() -> Console:
    """Return where tables go: as wide as the terminal, and wide enough to read in a CI's log."""
    return Console(width=None if sys.stdout.isatty() else LOG_COLUMNS)


def show_times(rows: tuple[CaseResult, ...], times: Mapping[str, Spent]) -> None:
    """Print where the time of each case went, longest first."""
    titles = {row.recording: f"{row.title} {row.guest}@{row.host}" for row in reversed(rows)}
    table = Table(title="where the time went")
    table.add_column("case", overflow="fold")
    for heading in ("in all", "waiting for the guest", "host calls", "own work", "own share"):
        table.add_column(heading, justify="right")
    known = [(title, times[path]) for path, title in titles.items() if path in times]
    for title, part in sorted(known, key=lambda pair: -pair[1].total):
        table.add_row(title.replace("[", r"\["), *_spent(part))
    table.add_section()
    table.add_row("all", *_spent(together(tuple(part for _, part in known))))
    _paper().print(table)


def _spent(part: Spent) -> tuple[str, ...]:
    seconds = (part.total, part.guest, part.host, part.own)
    return (*(f"{value:.1f} s" for value in seconds), f"{100 * part.own_share:.1f} %")
