"""Hosts for the contract tests: one of an inventory, or the stand-in in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import lab
from harness.contract.recording import record_host
from harness.host.tap import TappedSession
from harness.inventory.credentials import resolve
from harness.inventory.load import load
from harness.inventory.model import (
    Authentication,
    Host,
    Inventory,
    Reference,
    ReferenceKind,
    Transport,
)
from harness.secret import Secret
from harness.standin.cmdlets import HYPERV_CMDLETS
from harness.standin.cmdlets.core import CMDLETS as CORE
from harness.standin.cmdlets.file_moves import CMDLETS as MOVES
from harness.standin.cmdlets.files import CMDLETS as FILES
from harness.standin.cmdlets.system import CMDLETS as SYSTEM
from harness.standin.engine import HostEngine
from harness.standin.host import Host as Simulated
from harness.standin.releases import RELEASES
from harness.standin.server import Endpoint, WinRM
from harness.units import GiB
from tests.standin.hyperv.bench import InMemoryMachines

PASSWORD = "S3cret-pass-phrase!"  # noqa: S105  # of this test's own server
SWITCH = "Laboratory switch"


@contextmanager
def stand_in(release: str, files: Path) -> Iterator[tuple[TappedSession, Host]]:
    """Serve a host of a release over real WinRM, its machines being in memory."""
    simulated = Simulated("HV-OF-SOMEBODY", RELEASES[release], files, InMemoryMachines())
    engine = HostEngine(simulated, (*HYPERV_CMDLETS, *CORE, *FILES, *MOVES, *SYSTEM))
    users = {"Somebody": PASSWORD}
    end = Endpoint("HV", "127.0.0.1", engine, users, 0, None, release=simulated.release)
    with WinRM([end]) as server:
        host = Host(
            name="hv", address="127.0.0.1", port=server.ports["HV"].http or 0,
            transport=Transport.HTTP, authentication=Authentication.NTLM, username="Somebody",
            password=Reference(ReferenceKind.ENV, "HV_PASSWORD"), certificate=None,
            verify_tls=True, ca=None, switch=SWITCH, vlan=None, vm_path="C:\\somewhere",
            memory_reserve=GiB, memory_budget=None,
        )  # fmt: skip
        with TappedSession(host, Secret(PASSWORD)) as session:
            yield session, host


def recorded_of(path: Path, name: str) -> dict[str, object]:
    """Record a host of an inventory, as ``hvcert contract record`` does."""
    inventory = load(path)
    host = inventory.host(name)
    password = resolve(host.password) if host.password else None
    with lab.embedded(inventory.lab), TappedSession(host, password) as session:
        return record_host(session, host, inventory)


def recorded_here(session: TappedSession, host: Host) -> dict[str, object]:
    return record_host(session, host, Inventory(Path("here"), (host,), ()))
