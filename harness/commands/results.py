"""Commands on the results of runs: report, replay, judge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from harness.commands.options import RunFolder, group

app = group()

TableFile = Annotated[
    Path | None, typer.Option("--table", help="Write verdicts and times to this file (Markdown).")
]


@app.command()
def report(
    folder: RunFolder,
    table: TableFile = None,
    short: Annotated[bool, typer.Option("--summary", help="One line, nothing else.")] = False,  # noqa: FBT002  # Typer's form
) -> None:
    """Make a run's report.html again from its stored verdicts, and show where its time went."""
    from harness.report.store import Store
    from harness.report.summary import summary
    from harness.watch import show_times

    store = Store(folder.resolve())
    rows = store.verdicts()
    if short:
        typer.echo(summary(store.facts(), rows))
        return
    written = store.write_report(rows)
    show_times(rows, store.times())
    typer.echo(f"report: {written}")
    if table is not None:
        store.write_table(rows, table)
        typer.echo(f"table: {table}")


@app.command()
def replay(folders: Annotated[list[Path], typer.Argument(help="Runs, or one.")]) -> None:
    """Run the cases of runs again from recordings, with no host; status 1 if a verdict differs."""
    _judge_again(folders, "verdicts from the recording, {} differ")


@app.command()
def judge(folder: RunFolder) -> None:
    """Judge a run again by today's rules, from its recording; status 1 if a verdict differs."""
    _judge_again([folder], f"verdicts judged again, {{}} differ: see {folder}/replay")


def _judge_again(folders: list[Path], summary: str) -> NoReturn:
    from harness.replay import replay_all

    found = replay_all([folder.resolve() for folder in folders])
    for folder, (verdicts, differ) in zip(folders, found, strict=True):
        for difference in differ:
            typer.echo(str(difference))
        where = "" if len(folders) == 1 else f"{folder}: "
        typer.echo(f"{where}{len(verdicts)} {summary.format(len(differ))}")
    raise SystemExit(1 if any(differ for _, differ in found) else 0)


@app.command()
def tally(
    book: Annotated[Path, typer.Argument(help="File (JSON lines) that keeps the runs.")],
    folders: Annotated[list[Path], typer.Argument(help="Finished runs of one inventory.")],
) -> None:
    """Count over many runs how often each case passed; the table goes beside the book (.md)."""
    from harness.tally import tally as add

    table = add(book.absolute(), [folder.resolve() for folder in folders])
    typer.echo(table.read_text())


@app.command()
def merge(
    folders: Annotated[list[Path], typer.Argument(help="Runs with --shard, all of one plan.")],
    out: Annotated[Path, typer.Option(help="Folder to make.")],
    partial: Annotated[bool, typer.Option("--partial", help="A shard may be missing.")] = False,  # noqa: FBT002  # Typer's form
) -> None:
    """Make one run of the shards of several controllers; exit status as of that run."""
    from harness.merge import merge as together
    from harness.report.result import exit_status

    rows = together([folder.resolve() for folder in folders], out.absolute(), partial=partial)
    typer.echo(f"{len(rows)} verdicts: {out / 'report.html'}")
    raise SystemExit(exit_status(rows))
