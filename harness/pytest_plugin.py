"""Wires inventory, host, guest and report into pytest; decides nothing.

Only items with a ``case`` marker are touched: the project's own tests need no lab. The controller
(or a run without xdist) opens the run; workers get its folder, and write their verdicts there.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol  # as pytest-rerunfailures does

from harness.errors import HarnessError
from harness.inventory.model import Guest, Place
from harness.ledger import Ledger
from harness.needs import write_jobs
from harness.record.order import in_recorded_order, put_aside
from harness.state import LEDGER, STATE, State, inventory_of, state_of
from harness.turn import turn
from harness.unwritten import attach
from harness.verdict import Decided, NotApplicable

pytest_plugins = ("harness.fixtures", "harness.placing")


class CertificationFailed(AssertionError):
    """A verdict was not what the inventory expects; its sentence is the message."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the harness's options."""
    group = parser.getgroup("hvcert")
    group.addoption("--inventory", type=Path, help="inventory file; default: the embedded lab")
    group.addoption("--fault", action="append", default=[], help="seed it in the embedded lab")
    group.addoption("--results", type=Path, default=Path("results"), help="folder of all results")
    group.addoption("--run", help="name of this run; default: made of the time")
    group.addoption("--deadline", help="when the run is over: 06:00, or +8h; default: never")
    group.addoption("--known", type=Path, help="list of known issues; default: the inventory's")
    group.addoption("--junit-known", choices=("failure", "skipped"), default="failure")
    group.addoption("--shard", help="which part of the run this is: 2/3; default: all of it")
    group.addoption("--retries", type=int, default=0, help="tries after a fail or an error")
    group.addoption("--resume", action="store_true", help="go on with the run that --run names")
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


@pytest.hookimpl(tryfirst=True)  # xdist tells the controller: by then the jobs are written
def pytest_collection_finish(session: pytest.Session) -> None:
    """Open the run when cases are left after selection, and write down what is planned."""
    config = session.config
    cases = [item for item in session.items if item.get_closest_marker("case")]
    if cases and not config.option.collectonly:
        state = state_of(config)
        for item in cases:
            item.stash[LEDGER] = _ledger(item, state)
        if state.replayed:
            cases = in_recorded_order(cases, state.recording_of)
            session.items[:] = cases
            for item in cases:
                item.stash[LEDGER].place_on(state.recorded_host(item))
        write_jobs(cases, state)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each case for each guest in each place that the inventory gives it."""
    if "seat" in metafunc.fixturenames:
        inventory = inventory_of(metafunc.config)
        mark = metafunc.definition.get_closest_marker("case")
        cases = mark.args if mark else ()
        seats = [
            (guest, place)
            for guest in inventory.guests
            if guest.wanted(cases)
            for place in inventory.places(guest)
        ]
        ids = [f"{guest.name}@{place.name}" for guest, place in seats]
        metafunc.parametrize("seat", seats, ids=ids, scope="function")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401  # xdist gives no public type
    """Tell a worker which run it belongs to: the controller opens it before any worker starts."""
    state = state_of(node.config)
    node.workerinput["hvcert_run"] = str(state.store.folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close what this process opened: sessions; and on the controller the run."""
    if STATE in config.stash:
        config.stash[STATE].close()


def _ledger(item: pytest.Item, state: State) -> Ledger:
    case = item.get_closest_marker("case")
    feature = item.get_closest_marker("feature")
    assert case is not None  # noqa: S101  # the caller selects by this marker
    params: dict[str, Any] = item.callspec.params  # type: ignore[attr-defined]  # by pytest_generate_tests
    guest: Guest
    place: Place
    guest, place = params["seat"]
    own = [str(getattr(v, "value", v)) for name, v in params.items() if name != "seat"]
    return Ledger(
        case.args[0],
        feature.args[0] if feature else "",
        guest,
        place.name,
        prefix=" ".join(own),
        parameters=tuple(case.kwargs.get("parameters", ())),
        store=state.store,
        cases=guest.wanted(case.args),
        steps=state.line.steps,
        pool=place.name if place.is_pool else "",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Give the case its turn, and as many tries as the run allows; reports are of the last one."""
    ledger = item.stash.get(LEDGER, None)
    if ledger is None:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    alone = item.get_closest_marker("alone") is not None
    with turn(ledger.store.folder, alone=alone), state_of(item.config).host_turn(item, alone=alone):
        reports = _tries(item, nextitem, ledger)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _tries(
    item: pytest.Item, nextitem: pytest.Item | None, ledger: Ledger
) -> list[pytest.TestReport]:
    """Run the case until it ends as expected or has no try left; record each try, all of it."""
    state = state_of(item.config)
    left = 0 if state.replayed else item.config.option.retries
    while True:
        with state.recorded(item):
            ledger.started = datetime.now(UTC)
            reports = runtestprotocol(item, log=False, nextitem=nextitem)
        if left == 0 or not ledger.wants_another_try():
            return reports
        left -= 1
        ledger.begin_again(put_aside(state.store.folder / ledger.recording))


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
