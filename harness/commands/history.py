"""Commands on the database of results: import, history, compare."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated

import typer

from harness.commands.options import group

if TYPE_CHECKING:
    from harness.database.reading import Once

app = group()

Database = Annotated[
    str,
    typer.Option(
        help="SQLAlchemy URL, such as postgresql://lab@db/hvcert; default: HVCERT_DATABASE, else"
        " hvcert.sqlite in the folder of results."
    ),
]
Results = Annotated[Path, typer.Option(help="Folder of all results.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


def url_of(database: str, results: Path) -> str:
    """Return the database that option or environment name, else the one beside the results."""
    from harness.database.engine import default_url

    return database or os.environ.get("HVCERT_DATABASE", "") or default_url(results)


@app.command("import")
def import_runs(
    folders: Annotated[list[Path], typer.Argument(help="Runs, such as results/latest.")],
    database: Database = "",
    results: Results = Path("results"),
) -> None:
    """Put finished runs into the database; importing one again changes nothing."""
    from harness.database.engine import opened
    from harness.database.importing import import_run

    for folder in folders:
        with opened(url_of(database, results)) as connection:
            name, fresh = import_run(connection, folder)
        typer.echo(f"{name}: {'imported' if fresh else 'was there already'}")


def keep(folder: Path, results: Path) -> None:
    """Import a run that has just ended; what goes wrong is a warning: its results are on disk."""
    if not (folder / "verdicts.jsonl").exists():
        return
    from harness.database.engine import opened
    from harness.database.importing import import_run
    from harness.errors import HarnessError

    try:
        with opened(url_of("", results)) as connection:
            import_run(connection, folder)
    except HarnessError as wrong:
        typer.echo(f"warning: {wrong}: hvcert import {folder}", err=True)


@app.command()
def history(  # noqa: PLR0913, PLR0917  # Typer's form: one parameter per option
    case: Annotated[str, typer.Argument(help="A case's id, such as NMI-01.")],
    guest: Annotated[str, typer.Option(help="Only this guest.")] = "",
    host: Annotated[str, typer.Option(help="Only this host or pool.")] = "",
    last: Annotated[int, typer.Option(help="So many runs.", min=1)] = 20,
    as_json: AsJson = False,  # noqa: FBT002  # Typer's form
    database: Database = "",
    results: Results = Path("results"),
) -> None:
    """Show how a case ended in its last runs, the newest first, and how its times spread."""
    import json

    from harness.database.engine import opened
    from harness.database.reading import history as ask
    from harness.errors import ResultsError

    with opened(url_of(database, results)) as connection:
        rows = ask(connection, case, guest=guest, place=host, last=last)
    if not rows:
        raise ResultsError(f"no run in the database has a verdict on {case} there")
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], indent=2))
        return
    for row in rows:
        title = f"{case}[{row.parameter}]" if row.parameter else case
        where = f"{row.guest}@{row.place}"
        typer.echo(f"{row.run}  {row.word:15} {row.seconds:6.0f} s  {title} {where}: {row.because}")
    typer.echo(_in_short(rows))


def _in_short(rows: Iterable[Once]) -> str:
    found = list(rows)
    passed = [row.seconds for row in found if row.word in ("pass", "flaky")]
    said = f"{len(passed)} of {len(found)} passed"
    if not passed:
        return said
    times = f"{min(passed):.0f} / {median(passed):.0f} / {max(passed):.0f} s"
    return f"{said}, in {times} (least, median, most)"


@app.command()
def compare(
    before: Annotated[str, typer.Argument(help="A run: its name, or its folder.")],
    after: Annotated[str, typer.Argument(help="A later run.")],
    as_json: AsJson = False,  # noqa: FBT002  # Typer's form
    database: Database = "",
    results: Results = Path("results"),
) -> None:
    """Tell what is new between two runs; exit status 1 when a failure or an error is."""
    import json

    from harness.database.comparing import RED
    from harness.database.engine import opened
    from harness.database.importing import import_run
    from harness.database.reading import compare_runs

    with opened(url_of(database, results)) as connection:
        names = [
            import_run(connection, folder)[0] if (folder := _folder(run, results)) else run
            for run in (before, after)
        ]
        found = compare_runs(connection, *names)
    red = any(difference.kind in RED for difference in found)
    if as_json:
        typer.echo(json.dumps([asdict(difference) for difference in found], indent=2))
    else:
        for difference in found:
            typer.echo(str(difference))
        typer.echo(_counted([difference.kind for difference in found]))
    raise SystemExit(int(red))


def _folder(run: str, results: Path) -> Path | None:
    """Return the folder of a run, where there is one."""
    places = (Path(run), results / run)
    return next((place for place in places if (place / "verdicts.jsonl").exists()), None)


def _counted(kinds: list[str]) -> str:
    counts = [f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)]
    return ", ".join(counts) or "no difference"
