"""What commands have in common: their options, and how the stand-in's own program is called."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Annotated, NoReturn

import typer

EMBEDDED = Path(__file__).parents[2] / "inventories" / "embedded.yaml"

RunFolder = Annotated[Path, typer.Argument(help="A run, such as results/latest.")]
InventoryFile = Annotated[Path, typer.Option("--inventory", help="Inventory file.")]
Faults = Annotated[
    list[str] | None,
    typer.Option("--fault", help="Break the stand-in on purpose; `hvcert lab faults` lists how."),
]


def group(sentence: str = "") -> typer.Typer:
    """Return an empty group of commands; one without a sentence is mounted at the top."""
    return typer.Typer(no_args_is_help=True, rich_markup_mode=None, help=sentence or None)


def standin(*arguments: str) -> NoReturn:
    """Run the stand-in's own program and end with its status."""
    from harness.lab import PROGRAM

    raise SystemExit(subprocess.run((*PROGRAM, *arguments), check=False).returncode)  # noqa: S603
