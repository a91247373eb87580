"""Commands on what runs have on hosts: their leases, and what dead ones left behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from harness.commands.options import EMBEDDED, InventoryFile, group

if TYPE_CHECKING:
    from harness.host.psrp import PsrpSession
    from harness.inventory.model import Host, Inventory

app = group()


@app.command()
def sweep(
    inventory: InventoryFile = EMBEDDED,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List, remove nothing.")] = False,  # noqa: FBT002  # Typer's form
) -> None:
    """Remove what dead runs left on the hosts: VMs, disks, checkpoints, switches, backups, leases.

    Exit status 1 when something could not be removed.
    """
    from harness.errors import HarnessError
    from harness.host import lease
    from harness.host.sweep import leftovers
    from harness.host.sweep import sweep as remove

    failed = False
    with _sessions(inventory) as (read, sessions):
        for host, session in sessions:
            try:
                if dry_run:
                    found = tuple(leftovers(session, host, lease.alive(session, host)))
                else:
                    found = remove(session, host, read)
            except HarnessError as wrong:
                typer.echo(f"{host.name}: {wrong}", err=True)
                failed = True
                continue
            for name in found:
                typer.echo(f"{host.name}: {name}{'' if dry_run else ': removed'}")
            if not found:
                typer.echo(f"{host.name}: nothing is left of dead runs")
    raise SystemExit(int(failed))


def show_leases(inventory: InventoryFile, break_lease: str, *, as_json: bool) -> None:
    """Print who uses the hosts; break one run's leases when that is asked."""
    import json
    from dataclasses import asdict

    from harness.host import lease

    rows = []
    with _sessions(inventory) as (_, sessions):
        for host, session in sessions:
            if break_lease:
                lease.forget(session, host, break_lease)
                typer.echo(f"{host.name}: no lease of {break_lease} any more", err=True)
            for held in lease.leases(session, host):
                age = int(held.age.total_seconds())
                facts = {"age_s": age, "expires_in_s": int(lease.LASTS.total_seconds()) - age}
                rows.append({"host": host.name, **asdict(held.lease), **facts, "dead": held.dead})
                if not as_json:
                    state = "dead" if held.dead else f"expires in {facts['expires_in_s']} s"
                    typer.echo(f"{host.name}: {held.lease}, {state}")
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    elif break_lease:
        typer.echo("what the run left is removed by `hvcert sweep`, or by the next run", err=True)
    elif not rows:
        typer.echo("no run uses these hosts")


@contextmanager
def _sessions(
    path: InventoryFile,
) -> Iterator[tuple[Inventory, Iterator[tuple[Host, PsrpSession]]]]:
    """Yield the inventory and a session to each of its hosts; its lab is brought up for it."""
    from harness import lab
    from harness.inventory.load import load
    from harness.run import open_session

    inventory = load(path)

    def opened() -> Iterator[tuple[Host, PsrpSession]]:
        for host in inventory.hosts:
            with open_session(host) as session:
                yield host, session

    with lab.embedded(inventory.lab, lab.images(inventory)):
        yield inventory, opened()
