"""The fixtures of the certification cases: inventory, host, bench and the word for a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.inventory.model import Guest, Inventory, Place
from harness.state import LEDGER, state_of

if TYPE_CHECKING:
    from harness.bench import Bench, Certify
    from harness.ledger import Ledger
    from harness.run import HostUnderTest


@pytest.fixture
def inventory(request: pytest.FixtureRequest) -> Inventory:
    """Return the inventory of this run."""
    return state_of(request.config).inventory


@pytest.fixture
def host(seat: tuple[Guest, Place], request: pytest.FixtureRequest) -> HostUnderTest:  # noqa: ARG001  # one run of the case per seat
    """Return the host of this case: its session, and what was measured of it."""
    state, ledger = state_of(request.config), request.node.stash[LEDGER]
    state.line.admit(ledger.host, ledger.blocked)
    return state.hosts.get(state.inventory.host(ledger.host))


@pytest.fixture
def bench(
    seat: tuple[Guest, Place], host: HostUnderTest, request: pytest.FixtureRequest
) -> Iterator[Bench]:
    """Make a VM for this case; it is gone when the case is over, whatever happened."""
    ledger: Ledger = request.node.stash[LEDGER]
    state = state_of(request.config)
    if request.node.get_closest_marker("saved_state"):
        ready = state.run.bench_of_booted(state.hosts, ledger.case, seat[0], host)
    else:
        full = request.node.get_closest_marker("own_disk") is not None
        ready = state.run.bench(state.name, ledger.case, seat[0], host, full=full)
    with ready as made:
        ledger.bench = made
        made.cores = _cores(request.config, seat)
        yield made


def _cores(config: pytest.Config, seat: tuple[Guest, Place]) -> Path | None:
    """Return where whole cores go, None where nobody asked; a replay asks as its run did."""
    state = state_of(config)
    folder = (state.replayed or state.store.folder) / "cores"
    asked = folder.is_dir() if state.replayed else config.option.keep_cores
    return folder / f"{seat[0].name}@{seat[1].name}" if asked else None


@pytest.fixture
def certify(request: pytest.FixtureRequest) -> Certify:
    """Return the word that keeps a verdict with its evidence."""
    ledger: Ledger = request.node.stash[LEDGER]
    return ledger.certify
