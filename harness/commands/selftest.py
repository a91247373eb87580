"""The command that shows verdicts broken hosts and guests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.commands.options import EMBEDDED, Faults, InventoryFile, group, standin

app = group()


@app.command()
def selftest(  # noqa: PLR0913, PLR0917  # Typer's form: one parameter per option
    fault: Faults = None,
    listed: Annotated[bool, typer.Option("--list", help="List the faults, name first.")] = False,  # noqa: FBT002  # Typer's form
    quick: Annotated[bool, typer.Option("--quick", help="Judge kept recordings.")] = False,  # noqa: FBT002
    few: Annotated[bool, typer.Option("--few", help="Two sentinel cases, not seven.")] = False,  # noqa: FBT002
    stale: Annotated[bool, typer.Option("--stale", help="Rows of earlier commits do.")] = False,  # noqa: FBT002
    keep: Annotated[bool, typer.Option("--keep", help="Keep recordings in the project.")] = False,  # noqa: FBT002
    complete: Annotated[bool, typer.Option("--complete", help="Run what kept rows lack.")] = False,  # noqa: FBT002  # Typer's form
    results: Annotated[Path, typer.Option(help="Folder of its results.")] = Path(
        "results/selftest"
    ),
    inventory: InventoryFile = EMBEDDED,
    workers: Annotated[int, typer.Option("-n", help="Cases at a time.", min=0)] = 0,
) -> None:
    """Run the cases against each fault; print the matrix; status 1 when one is not noticed."""
    if listed:
        standin("faults")
    chosen = {
        "--quick": quick,
        "--few": few,
        "--stale": stale,
        "--keep": keep,
        "--complete": complete,
    }
    given = (*(f"--fault={name}" for name in fault or ()), *(o for o, on in chosen.items() if on))
    run_options = (f"--inventory={inventory.absolute()}", f"-n{workers}")
    standin("selftest", f"--results={results.absolute()}", *given, "--", *run_options)
