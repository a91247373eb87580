"""What one pytest process knows of its run; the controller opens it, workers get its folder."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.durations import keep
from harness.errors import HarnessError, ResultsError
from harness.inventory.known import load_known
from harness.inventory.load import load
from harness.inventory.model import Inventory
from harness.lab import with_faults
from harness.ledger import Ledger
from harness.record.order import began
from harness.report.result import new_name
from harness.report.store import Store
from harness.scheduling.book import read
from harness.scheduling.clock import parse_deadline
from harness.shard import Shard, parse_shard
from harness.unwritten import Unwritten

if TYPE_CHECKING:  # a bare pytest needs no lab, and none of what talks to one
    from harness.record.line import Line
    from harness.run import Hosts
    from harness.scheduling.night import Night

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
        self.deadline: datetime | None = None
        self.missing: Mapping[str, str] = {}
        self.shard: Shard | None = None
        self.resumed = False
        self._night: Night | None = None
        self._recorded: dict[str, str] | None = None
        self._hosts: dict[str, Hosts] = {}

    @property
    def hosts(self) -> Hosts:
        """Return this process's hosts; in a replay those of the worker that ran the case."""
        if self.worker not in self._hosts:
            self._hosts[self.worker] = self.run.Hosts(
                self.inventory, self.name, self.line, self.store.folder
            )
        return self._hosts[self.worker]

    def night(self) -> Night:
        """Return the controller's view of hosts, plan and clock."""
        if self._night is None:
            from harness.scheduling.night import Night

            opening = self.run.open_session
            self._night = Night(self.inventory, opening, self.deadline, self.missing)
        return self._night

    @contextlib.contextmanager
    def host_turn(self, item: pytest.Item, *, alone: bool) -> Iterator[None]:
        """Give a case its turn among those of other runs on the host.

        A case that fills the host's memory has the host without other runs, too. Without a turn it
        does not run: it might disturb another run's.
        """
        if self.replayed:
            yield
            return
        fills = any(mark.kwargs.get("fills_host") for mark in item.iter_markers("needs"))
        host = self.inventory.host(item.stash[LEDGER].host)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self.hosts.turn(host, alone=alone or fills))
            except HarnessError as wrong:
                item.stash[LEDGER].blocked = wrong
            yield

    def recorded_host(self, item: pytest.Item) -> str:
        """Return the host that a replayed item ran on."""
        assert self.replayed is not None  # noqa: S101  # only asked in a replay
        if self._recorded is None:
            rows = Store(self.replayed).verdicts()
            self._recorded = {row.recording: row.host for row in rows}
        ledger = item.stash[LEDGER]
        return self._recorded.get(ledger.recording, ledger.host)

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
            self._say_why_not_run()
            if self.worker == "main" and not self.replayed:
                spent = self.store.times()
                keep(self.store.folder.parent, {name: of.total for name, of in spent.items()})
            for row in self.unwritten.rows:
                self.store.append(row)

    def _say_why_not_run(self) -> None:
        """Give the rows of what was refused its reason: no host for it, no time, a dead worker."""
        refused = self._night.plan.refused if self._night else {}
        if refused:
            jobs = {job.recording: refused.get(job.item, "") for job in read(self.store.folder)}
            for row in self.store.planned():
                if because := jobs.get(row.recording):
                    self.store.append(replace(row, because=because))


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
            "retries": config.option.retries,
            "keep cores": config.option.keep_cores,
        }
        try:
            state.deadline = deadline_of(config)
            listed = config.option.known or state.inventory.known_issues
            state.store.known = load_known(listed) if listed else ()
            state.store.known_skipped = config.option.junit_known == "skipped"
            resumed = config.option.resume
            opened = run.opened(state.inventory, name, state.store, asked, resumed=resumed)
            state.missing = state.open.enter_context(opened)
        except HarnessError as wrong:
            state.open.close()
            raise pytest.UsageError(str(wrong)) from wrong
    state.shard, state.resumed = shard_of(config), bool(config.option.resume)
    if worker is None:
        config.pluginmanager.register(state.unwritten)
    config.stash[STATE] = state
    return state


def shard_of(config: pytest.Config) -> Shard | None:
    """Return which part of the run this is, None for all of it."""
    if not config.option.shard:
        return None
    try:
        return parse_shard(config.option.shard)
    except ValueError as wrong:
        raise pytest.UsageError(str(wrong)) from wrong


def deadline_of(config: pytest.Config) -> datetime | None:
    """Return when the run has to be over; a text that names no time is bad input."""
    if not config.option.deadline:
        return None
    try:
        return parse_deadline(config.option.deadline, datetime.now().astimezone())
    except ValueError as wrong:
        raise pytest.UsageError(str(wrong)) from wrong


def _replay(inventory: Inventory, folder: Path) -> State:
    store = Store(folder / "replay")
    store.begin_again(folder)
    state = State(inventory, store.facts()["run"], store, replayed=folder)
    state.open.callback(store.finish)
    return state


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt
