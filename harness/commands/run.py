"""``hvcert run``: starts, repeats or resumes a run of the certification cases."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from harness.commands.history import keep
from harness.commands.options import EMBEDDED, Faults, InventoryFile, group

app = group()

ROOT = Path(__file__).parents[2]
PYTEST = (
    *(sys.executable, "-m", "pytest", str(ROOT / "testcases"), "-p", "harness.pytest_plugin"),
    *("-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "-p", "no:cacheprovider"),
    "--tb=short",
)
NOT_LONG = "not long"


class FailOn(Enum):
    """Which fails make the exit status 1."""

    NEW = "new"
    ANY = "any"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run is asked for, and run.json keeps, so that it can be resumed."""

    inventory: Path
    select: str = ""
    markers: str = NOT_LONG
    faults: tuple[str, ...] = ()
    retries: int = 0
    keep_cores: bool = False

    def options(self) -> list[str]:
        """Return it as pytest's options."""
        options = [f"--inventory={self.inventory}", f"--retries={self.retries}"]
        options += ["-m", self.markers] if self.markers else []
        options += ["-k", self.select] if self.select else []
        options += [f"--fault={name}" for name in self.faults]
        return options + (["--keep-cores"] if self.keep_cores else [])


Select = Annotated[
    str, typer.Option(help="Cases to run: a pytest -k expression over ids and names.")
]
Workers = Annotated[
    str, typer.Option("-n", help="Cases at a time; auto: as many as the hosts hold guests.")
]
Retries = Annotated[
    int, typer.Option(help="Tries after a fail or an error; a pass then is flaky.", min=0)
]
Resume = Annotated[
    str, typer.Option(help="Go on with this run (name or folder), asked for as it was.")
]
Known = Annotated[
    Path | None, typer.Option(help="List of known issues (YAML); default: the inventory's.")
]
FailOnOption = Annotated[
    FailOn,
    typer.Option(
        help="Exit status 1 for: new fails (neither expected nor known), any, or none. An error"
        " or a case that was not run is always 2."
    ),
]
DeadlineOption = Annotated[
    str, typer.Option(help="When the run is over: 06:00, or +8h; what does not fit is not-run.")
]
Repeat = Annotated[
    int, typer.Option(help="Until there are so many runs; results/flakiness.md counts.", min=1)
]
JunitKnown = Annotated[str, typer.Option(help="A known issue in JUnit: failure or skipped.")]


ShardOption = Annotated[
    str, typer.Option(help="Run only part K/N, split by recorded durations; see hvcert merge.")
]


@app.command()
def run(  # noqa: PLR0913, PLR0917  # Typer's form: one parameter per option
    inventory: InventoryFile = EMBEDDED,
    select: Select = "",
    results: Annotated[Path, typer.Option(help="Folder of all results.")] = Path("results"),
    workers: Workers = "0",
    fault: Faults = None,
    retries: Retries = 0,
    resume: Resume = "",
    shard: ShardOption = "",
    known: Known = None,
    junit_known: JunitKnown = "failure",
    fail_on: FailOnOption = FailOn.NEW,
    deadline: DeadlineOption = "",
    long: Annotated[bool, typer.Option("--long", help="Also the cases marked long.")] = False,  # noqa: FBT002  # Typer's form
    keep_cores: Annotated[bool, typer.Option("--keep-cores", help="Copy cores, too.")] = False,  # noqa: FBT002  # Typer's form
    repeat: Repeat = 1,
) -> None:
    """Run the certification cases; exit status 0 as expected, 1 a verdict failed, 2 an error."""
    from harness.report.result import new_name

    beside = ["-n", _workers(workers)] if workers != "0" else []
    beside += [f"--deadline={deadline}"] if deadline else []
    beside += [f"--shard={shard}"] if shard else []
    beside += [f"--known={known.absolute()}"] if known else []
    beside += [f"--junit-known={junit_known}"]
    if resume:
        raise SystemExit(_resume(_folder(resume, results), beside, fail_on))
    markers = "" if long else NOT_LONG
    faults = tuple(fault or ())
    asked = Asked(inventory.absolute(), select, markers, faults, retries, keep_cores)
    _warn(asked)

    def once() -> tuple[int, Path]:
        folder = results.absolute() / new_name()
        return _start(folder, [*asked.options(), *beside], fail_on), folder

    if repeat == 1:
        raise SystemExit(once()[0])
    from harness.repeat import repeat as again

    raise SystemExit(again(repeat, results.absolute(), once, typer.echo))


def _start(folder: Path, options: Sequence[str], fail_on: FailOn) -> int:
    from harness.watch import watch

    given = (f"--results={folder.parent}", f"--run={folder.name}", *options)
    status = watch([*PYTEST, *given], folder, fail_on.value)
    keep(folder, folder.parent)
    _say_at_last(folder, options)
    return status


def _say_at_last(folder: Path, options: Sequence[str]) -> None:
    """Say which known issues are of no use any more, then the run in one line."""
    from harness.inventory.known import load_known
    from harness.inventory.load import load
    from harness.report.known import to_look_at
    from harness.report.store import Store
    from harness.report.summary import summary

    store = Store(folder)
    if not (folder / "verdicts.jsonl").exists():
        return
    rows = store.verdicts()
    given = dict(option.removeprefix("--").partition("=")[::2] for option in options)
    listed = given.get("known") or load(Path(given["inventory"])).known_issues
    issues = load_known(Path(listed)) if listed else ()
    for said in to_look_at(rows, issues, datetime.now(UTC).date()):
        typer.echo(f"warning: {said}", err=True)
    typer.echo(summary(store.facts(), rows))


def _resume(folder: Path, beside: Sequence[str], fail_on: FailOn) -> int:
    from harness import shard
    from harness.report.result import exit_status
    from harness.report.store import Store
    from harness.resume import inventory_of, prepare

    facts = Store(folder).facts()
    asked = Asked(
        inventory_of(folder),
        str(facts.get("select", "")),
        str(facts.get("markers", "")),
        tuple(facts.get("faults", ())),
        int(facts.get("retries", 0)),
        bool(facts.get("keep cores", False)),
    )
    store = Store(folder)
    left = {row.recording for row in store.planned()} - prepare(folder, asked.retries)
    if not left and store.planned():
        rows = store.finish()
        typer.echo(f"{folder.name}: all of its cases are settled: nothing to resume")
        return exit_status(rows, fail_on.value)
    part = shard.read(folder) if (folder / shard.NAME).exists() else None
    again = ["--resume", *([f"--shard={part.number}/{part.of}"] if part else [])]
    return _start(folder, [*again, *asked.options(), *beside], fail_on)


def _folder(resume: str, results: Path) -> Path:
    """Return the folder of a run that is named, or is a folder."""
    named = results / resume
    return (named if (named / "run.json").exists() else Path(resume)).resolve()


def _warn(asked: Asked) -> None:
    from harness import lab
    from harness.inventory.load import load

    for warning in lab.with_faults(load(asked.inventory), asked.faults).warnings:
        typer.echo(f"warning: {warning}", err=True)


def _workers(text: str) -> str:
    from harness.errors import LabError

    if text == "auto" or text.isdecimal():
        return text
    raise LabError(f"-n {text}: write a number of cases at a time, or auto")
