"""Guest images of your own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.commands.options import EMBEDDED, InventoryFile, group

app = group("Guest images of your own.")


@app.command("stage")
def stage(
    source: Annotated[Path, typer.Argument(help="A raw, qcow2, VHD or VHDX image.")],
    host: Annotated[str, typer.Option(help="A host of the inventory.")],
    generation: Annotated[int, typer.Option(help="Of the VM that boots it.", min=1, max=2)],
    inventory: InventoryFile = EMBEDDED,
    name: Annotated[str, typer.Option(help="Of the template; default: the file's.")] = "",
) -> None:
    """Put an image on a host as a read-only template, and print its path for an inventory."""
    from harness.staging import stage_image

    typer.echo(stage_image(source, inventory, host, name or source.stem, generation))
