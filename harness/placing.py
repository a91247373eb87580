"""The part of the pytest plugin that has cases placed on hosts, with xdist and without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HostConnectionLost, HostError, HostLoginRefused, HostUnreachable
from harness.scheduling import book, worker
from harness.state import LEDGER, STATE, state_of

if TYPE_CHECKING:
    from harness.scheduling.night import Night

GONE = (HostUnreachable, HostLoginRefused, HostConnectionLost)
SEPARATOR = "\t"
HOST_ERROR, HOST_ANSWERED = "hvcert-host-error", "hvcert-host-answered"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return how many cases the inventory's hosts hold at a time: ``-n auto`` is that many."""
    state = state_of(config)
    return state.night().workers()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config) -> object | None:
    """Place the cases of a run ourselves; other tests are xdist's business."""
    if STATE not in config.stash or config.getvalue("dist") != "load":
        return None
    from harness.scheduling.dispatch import Dispatch

    state = state_of(config)
    night = state.night()
    config.pluginmanager.register(HostWatch(night))
    return Dispatch(state.store.folder, night.make_plan, lambda _: night.look())


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run each case where the plan says, one at a time; a replay has no plan."""
    items = {i.nodeid: i for i in session.items if LEDGER in i.stash}
    if not items or session.config.option.collectonly or session.config.option.replay:
        return None
    xdist = worker.interactor(list(session.config.pluginmanager.get_plugins()))
    if xdist is not None:
        worker.serve(xdist, lambda index, host: _run(session, session.items[index], host))
        return True
    from harness.scheduling.local import run_all

    night = state_of(session.config).night()
    session.config.pluginmanager.register(HostWatch(night))
    plan = night.make_plan(book.read(state_of(session.config).store.folder))
    run_all(plan, lambda placed: _run(session, items[placed.job.item], placed.host))
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)
    return True


def _run(session: pytest.Session, item: pytest.Item, host: str) -> bool:
    item.stash[LEDGER].place_on(host)
    session.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
    return not (session.shouldstop or session.shouldfail)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:  # noqa: ANN401  # a generator hook
    """Say with the report whether the host did what it was asked."""
    report = yield
    if LEDGER in item.stash:
        wrong = call.excinfo.value if call.excinfo else None
        if isinstance(wrong, GONE):
            report.user_properties.append((HOST_ERROR, f"{wrong.host}{SEPARATOR}{wrong.what}"))
        elif call.when == "call" and not isinstance(wrong, HostError):
            report.user_properties.append((HOST_ANSWERED, item.stash[LEDGER].host))
    return report


class HostWatch:
    """A plugin of the controller: counts the errors of hosts, so that a dead one is set aside."""

    def __init__(self, night: Night) -> None:
        self.night = night

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take note of what a report says of its host."""
        for name, value in report.user_properties:
            host, _, what = str(value).partition(SEPARATOR)
            if name == HOST_ERROR:
                self.night.plan.failed(host, what)
            elif name == HOST_ANSWERED:
                self.night.plan.answered(host)
