"""Wires inventory, host, guest and report into pytest; decides nothing.

Only items with a ``case`` marker are touched: the project's own tests need no lab. The controller
(or a run without xdist) opens the run; workers get its folder, and write their verdicts there.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError, ResultsError
from harness.inventory.load import load
from harness.inventory.model import Guest, Host, Inventory
from harness.lab import with_faults
from harness.ledger import Ledger
from harness.record.order import began, in_recorded_order
from harness.report.result import new_name
from harness.report.store import Store
from harness.turn import turn
from harness.unwritten import Unwritten, attach
from harness.verdict import Decided, NotApplicable

if TYPE_CHECKING:  # a bare pytest needs no lab, and none of what talks to one
    from harness.bench import Bench, Certify
    from harness.record.line import Line
    from harness.run import Hosts, HostUnderTest

ROOT = Path(__file__).parent.parent
DEFAULT_INVENTORY = ROOT / "inventories" / "embedded.yaml"
STATE = pytest.StashKey["State"]()
LEDGER = pytest.StashKey[Ledger]()


class CertificationFailed(AssertionError):
    """A verdict was not what the inventory expects; its sentence is the message."""


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


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the harness's options."""
    group = parser.getgroup("hvcert")
    group.addoption("--inventory", type=Path, help="inventory file; default: the embedded lab")
    group.addoption("--fault", action="append", default=[], help="seed it in the embedded lab")
    group.addoption("--results", type=Path, default=Path("results"), help="folder of all results")
    group.addoption("--run", help="name of this run; default: made of the time")
    group.addoption("--keep-cores", action="store_true", help="copy whole cores to the results")
    group.addoption("--replay", type=Path, help="folder of a run: run its recorded cases again")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let ``-k NMI-01`` select by case id; drop the cases that no guest of the inventory wants."""
    items[:] = [item for item in items if _has_seat(item)]
    for item in items:
        case = item.get_closest_marker("case")
        if case is not None:
            item.extra_keyword_matches.update(case.args)


def _has_seat(item: pytest.Item) -> bool:
    params = getattr(getattr(item, "callspec", None), "params", {})
    return "seat" not in params or isinstance(params["seat"], tuple)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Open the run when cases are left after selection, and write down what is planned."""
    config = session.config
    cases = [item for item in session.items if item.get_closest_marker("case")]
    if cases and not config.option.collectonly:
        state = _state(config)
        for item in cases:
            item.stash[LEDGER] = _ledger(item, state)
        if state.replayed:
            cases = in_recorded_order(cases, state.recording_of)
            session.items[:] = cases
        for item in cases:
            state.store.plan(item.stash[LEDGER].planned())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each case for each guest on each host that the inventory gives it."""
    if "seat" in metafunc.fixturenames:
        inventory = _inventory(metafunc.config)
        mark = metafunc.definition.get_closest_marker("case")
        cases = mark.args if mark else ()
        seats = [
            (guest, inventory.host(name))
            for guest in inventory.guests
            if guest.wanted(cases)
            for name in guest.hosts
        ]
        ids = [f"{guest.name}@{host.name}" for guest, host in seats]
        metafunc.parametrize("seat", seats, ids=ids, scope="function")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401  # xdist gives no public type
    """Tell a worker which run it belongs to: the controller opens it before any worker starts."""
    state = _state(node.config)
    node.workerinput["hvcert_run"] = str(state.store.folder)


def _inventory(config: pytest.Config) -> Inventory:
    if STATE in config.stash:
        return config.stash[STATE].inventory
    try:
        inventory = load(config.option.inventory or DEFAULT_INVENTORY)
        return with_faults(inventory, tuple(config.option.fault))
    except HarnessError as wrong:
        raise pytest.UsageError(str(wrong)) from wrong


def _state(config: pytest.Config) -> State:
    """Return this process's state; the controller opens the run at the first call."""
    if STATE in config.stash:
        return config.stash[STATE]
    inventory = _inventory(config)
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


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close what this process opened: sessions; and on the controller the run."""
    if STATE in config.stash:
        config.stash[STATE].close()


def _ledger(item: pytest.Item, state: State) -> Ledger:
    case = item.get_closest_marker("case")
    feature = item.get_closest_marker("feature")
    assert case is not None  # noqa: S101  # the caller selects by this marker
    params: dict[str, Any] = item.callspec.params  # type: ignore[attr-defined]  # by pytest_generate_tests
    guest, host = params["seat"]
    own = [str(getattr(v, "value", v)) for name, v in params.items() if name != "seat"]
    return Ledger(
        case.args[0],
        feature.args[0] if feature else "",
        guest,
        host.name,
        prefix=" ".join(own),
        parameters=tuple(case.kwargs.get("parameters", ())),
        store=state.store,
        cases=guest.wanted(case.args),
        steps=state.line.steps,
    )


@pytest.fixture
def inventory(request: pytest.FixtureRequest) -> Inventory:
    """Return the inventory of this run."""
    return _state(request.config).inventory


@pytest.fixture
def host(seat: tuple[Guest, Host], request: pytest.FixtureRequest) -> HostUnderTest:
    """Return the host of this case: its session, and what was measured of it."""
    return _state(request.config).hosts.get(seat[1])


@pytest.fixture
def bench(
    seat: tuple[Guest, Host], host: HostUnderTest, request: pytest.FixtureRequest
) -> Iterator[Bench]:
    """Make a VM for this case; it is gone when the case is over, whatever happened."""
    ledger: Ledger = request.node.stash[LEDGER]
    state = _state(request.config)
    if request.node.get_closest_marker("saved_state"):
        ready = state.run.bench_of_booted(state.hosts, ledger.case, seat[0], host)
    else:
        full = request.node.get_closest_marker("own_disk") is not None
        ready = state.run.bench(state.name, ledger.case, seat[0], host, full=full)
    with ready as made:
        ledger.bench = made
        made.cores = _cores(request.config, seat)
        yield made


def _cores(config: pytest.Config, seat: tuple[Guest, Host]) -> Path | None:
    """Return where whole cores go, None where nobody asked; a replay asks as its run did."""
    state = _state(config)
    folder = (state.replayed or state.store.folder) / "cores"
    asked = folder.is_dir() if state.replayed else config.option.keep_cores
    return folder / f"{seat[0].name}@{seat[1].name}" if asked else None


@pytest.fixture
def certify(request: pytest.FixtureRequest) -> Certify:
    """Return the word that keeps a verdict with its evidence."""
    ledger: Ledger = request.node.stash[LEDGER]
    return ledger.certify


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Give the case its turn; time and record all of it, set-up and clean-up included."""
    ledger = item.stash.get(LEDGER, None)
    if ledger is None:
        return (yield)
    with (
        turn(ledger.store.folder, alone=item.get_closest_marker("alone") is not None),
        _state(item.config).recorded(item),
    ):
        ledger.started = datetime.now(UTC)
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Run the case; what it handed in, its health and its errors become verdicts."""
    ledger = item.stash.get(LEDGER, None)
    if ledger is None:
        return (yield)
    try:
        result = yield
    except NotApplicable as rule:
        ledger.settle_all(rule.verdict)
        return None
    except Decided as early:
        ledger.conclude(early.verdict)
        result = None
    ledger.judge_health()
    unexpected = ledger.settle()
    if unexpected:
        raise CertificationFailed("; ".join(f"{row.title}: {row.because}" for row in unexpected))
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn what went wrong around a case into error rows; show the rows with the report."""
    report = yield
    ledger = item.stash.get(LEDGER, None)
    if ledger is None:
        return report
    wrong = call.excinfo.value if call.excinfo else None
    if wrong is not None and not isinstance(wrong, CertificationFailed):
        ledger.fail_with(wrong, call.when)
        if isinstance(wrong, HarnessError):
            report.longrepr = f"{type(wrong).__name__}: {wrong}"
    if call.when == "teardown":
        report.user_properties.extend(("hvcert", line) for line in ledger.lines())
        attach(report, ledger.unwritten)
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Print one line per verdict, for whoever watches; workers' reports pass here, too."""
    for name, line in report.user_properties:
        if name == "hvcert":
            print(f"\nhvcert\t{line}", flush=True)  # noqa: T201  # this is the watcher's channel
