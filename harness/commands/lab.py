"""The stand-in Hyper-V host alone."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.commands.options import EMBEDDED, Faults, InventoryFile, group, standin
from harness.commands.sweep import show_leases

app = group("The stand-in Hyper-V host alone.")


@app.command()
def up(
    host: Annotated[
        list[str] | None,
        typer.Option(help="NAME:WINDOWS:ADDRESS; windows is 2012r2, 2016, 2019, 2022 or 2025."),
    ] = None,
    fault: Faults = None,
    simulated: Annotated[
        float | None,
        typer.Option(help="Guests are recordings, and so much of a recorded second passes: 0.1."),
    ] = None,
) -> None:
    """Bring the stand-in host up and leave it up; any WinRM client can use it."""
    hosts = (f"--host={entry}" for entry in host or ())
    share = () if simulated is None else (f"--simulated={simulated}",)
    standin("up", *hosts, *share, *(f"--fault={name}" for name in fault or ()))


@app.command()
def down() -> None:
    """Take the stand-in host down, with every machine and file that it made."""
    standin("down")


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,  # noqa: FBT002  # Typer's form
) -> None:
    """Show the stand-in hosts that are up: address, user, password, Windows release."""
    standin("status", *(["--json"] if as_json else []))


@app.command()
def limits() -> None:
    """Print every known difference of the stand-in from Hyper-V."""
    standin("limits")


@app.command()
def faults() -> None:
    """Print every fault that can be seeded in the stand-in: name, level, what it does."""
    standin("faults")


@app.command()
def image(name: Annotated[str, typer.Argument(help="Image to build.")] = "debian-12") -> None:
    """Build the guest image if it is not in the cache, and print where it is."""
    standin("image", "--name", name)


@app.command()
def leases(
    inventory: InventoryFile = EMBEDDED,
    break_lease: Annotated[str, typer.Option(help="Break the leases of this run.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,  # noqa: FBT002  # Typer's form
) -> None:
    """Show which runs use the hosts of an inventory, and until when."""
    show_leases(inventory, break_lease, as_json=as_json)
