"""How a host answers, cmdlet by cmdlet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.commands.options import EMBEDDED, InventoryFile, group

app = group("How a host answers, cmdlet by cmdlet.")


@app.command("record")
def record(
    out: Annotated[Path, typer.Option(help="File to write.")],
    inventory: InventoryFile = EMBEDDED,
    host: Annotated[str, typer.Option(help="A host of the inventory; default: the first.")] = "",
) -> None:
    """Ask a host every kind of call, on a VM of our own; write its answers without any name."""
    from harness.contract.recording import record as ask

    typer.echo(ask(inventory, host, out))


@app.command("compare")
def compare(
    one: Annotated[Path, typer.Argument(help="A recording.")],
    other: Annotated[
        Path | None, typer.Argument(help="Another; without it, Microsoft's documentation.")
    ] = None,
) -> None:
    """Print what differs, per cmdlet and field; exit status 1 when anything does."""
    from harness.contract.compare import compare as differences

    found = differences(one, other)
    for difference in found:
        typer.echo(str(difference))
    typer.echo(f"{len(found)} differ")
    raise SystemExit(1 if found else 0)
