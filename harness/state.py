"""What one pytest process knows of its run; the controller opens it, workers get its folder."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import HarnessError, ResultsError
from harness.inventory.load import load
from harness.inventory.model import Inventory
from harness.lab import with_faults
from harness.ledger import Ledger
from harness.record.order import began
from harness.report.result import new_name
from harness.report.store import Store
from harness.unwritten import Unwritten

if TYPE_CHECKING:  # a bare pytest needs no lab, and none of what talks to one
    from harness.record.line import Line
    from harness.run import Hosts

DEFAULT_INVENTORY = Path(__file__).parent.parent / "inventories" / "embedded.yaml"
STATE = pytest.StashKey["State"]()
LEDGER = pytest.StashKey[Ledger]()


class State:
    """What one pytest process knows of the run: shared by hooks and fixtures of this file."""

    def __init__(
        self, inventory: Inventory, name: str, store: Store, replayed: Path | None = None
    ) -> None:
        from harness import run
        from harness.record.line import Live
        from harness.record.tape import Player

        self.run, self.replayed = run, replayed
        self.inventory, self.name, self.store = inventory, name, store
        self.line: Line = Player() if replayed else Live()
        self.worker = store.worker
        self.unwritten, self.open = Unwritten(), contextlib.ExitStack()
        self._hosts: dict[str, Hosts] = {}

    @property
    def hosts(self) -> Hosts:
        """Return this process's hosts; in a replay those of the worker that ran the case."""
        if self.worker not in self._hosts:
            self._hosts[self.worker] = self.run.Hosts(self.inventory, self.name, self.line)
        return self._hosts[self.worker]

    def recording_of(self, item: pytest.Item) -> Path:
        """Return the recording that an item writes, or in a replay the one that it reads."""
        return (self.replayed or self.store.folder) / item.stash[LEDGER].recording

    @contextlib.contextmanager
    def recorded(self, item: pytest.Item) -> Iterator[None]:
        """Record what the case does inside the block, or in a replay answer from its recording."""
        path = self.recording_of(item)
        if self.replayed:
            self.worker = began(path)[0]
        try:
            with self.line.case(path, self.worker, item.name):
                yield
        finally:
            with contextlib.suppress(ResultsError):  # the case's own verdict says what is wrong
                self.store.time(item.stash[LEDGER].recording, self.line.spent())

    def close(self) -> None:
        """Let go of the hosts (those of a recording need nothing), then end the run."""
        if not self.replayed:
            self.hosts.close()
        with self.open:
            for row in self.unwritten.rows:
                self.store.append(row)


def inventory_of(config: pytest.Config) -> Inventory:
    """Return the inventory that the options name, with the faults that they ask for."""
    if STATE in config.stash:
        return config.stash[STATE].inventory
    try:
        inventory = load(config.option.inventory or DEFAULT_INVENTORY)
        return with_faults(inventory, tuple(config.option.fault))
    except HarnessError as wrong:
        raise pytest.UsageError(str(wrong)) from wrong


def state_of(config: pytest.Config) -> State:
    """Return this process's state; the controller opens the run at the first call."""
    if STATE in config.stash:
        return config.stash[STATE]
    inventory = inventory_of(config)
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        folder = Path(worker["hvcert_run"])
        state = State(inventory, folder.name, Store(folder, worker["workerid"]))
    elif config.option.replay:
        state = _replay(inventory, config.option.replay.absolute())
    else:
        from harness import run

        name = config.option.run or new_name()
        state = State(inventory, name, Store(config.option.results.absolute() / name))
        signal.signal(signal.SIGTERM, _interrupt)
        asked = {
            "select": config.option.keyword,
            "markers": config.option.markexpr,
            "faults": config.option.fault,
        }
        try:
            state.open.enter_context(run.opened(state.inventory, name, state.store, asked))
        except HarnessError as wrong:
            state.open.close()
            raise pytest.UsageError(str(wrong)) from wrong
    if worker is None:
        config.pluginmanager.register(state.unwritten)
    config.stash[STATE] = state
    return state


def _replay(inventory: Inventory, folder: Path) -> State:
    store = Store(folder / "replay")
    store.begin_again(folder)
    state = State(inventory, store.facts()["run"], store, replayed=folder)
    state.open.callback(store.finish)
    return state


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt
