"""Opens and closes a run: the lab, the hosts' leases, sessions, and what dead runs left behind."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness import __version__, lab
from harness.bench import Bench
from harness.commit import commit
from harness.errors import HarnessError, HostError
from harness.host import private, turns
from harness.host.facts import HostFacts, measure_host
from harness.host.fillers import Fillers
from harness.host.gate import StartGate
from harness.host.lease import leased
from harness.host.lifecycle import NAME, existing_vm, remove_folder, vm_from_template, vm_name
from harness.host.renewal import renewed
from harness.host.sweep import sweep
from harness.inventory.credentials import resolve
from harness.inventory.model import ExistingVm
from harness.saved_state import SavedStates

if TYPE_CHECKING:
    from datetime import timedelta

    from harness.evidence import Measured
    from harness.guest.boot import ClosableShell
    from harness.host.psrp import PsrpSession
    from harness.host.vm import Vm
    from harness.inventory.model import Guest, Host, Inventory
    from harness.record.line import Line
    from harness.record.recorder import OpenSession
    from harness.report.store import Store


@dataclass(frozen=True, slots=True)
class HostUnderTest:
    """A host of the inventory with this process's session to it, and what was measured of it."""

    host: Host
    session: OpenSession
    facts: Measured[HostFacts]
    line: Line
    gate: StartGate


class Hosts:
    """What one process holds: booted VMs, and a session to the host that it works on.

    One session, also for its turns, and none to the hosts that it has left: a Windows host allows a
    user 30 shells (``MaxShellsPerUser``), and a night has many workers.
    """

    def __init__(self, inventory: Inventory, run: str, line: Line, folder: Path) -> None:
        self.inventory, self.run, self.line, self._folder = inventory, run, line, folder
        self.saved_states = SavedStates(run)
        self._open: dict[str, HostUnderTest] = {}
        self._sessions: dict[str, OpenSession] = {}

    def get(self, host: Host) -> HostUnderTest:
        """Return the host with its session; raise what opening it raises."""
        if host.name not in self._open:
            session = self._session(host)
            facts = measure_host(session)
            gate = StartGate(self._folder / f".starts-{host.name}")
            self._open[host.name] = HostUnderTest(host, session, facts, self.line, gate)
        return self._open[host.name]

    @contextmanager
    def turn(self, host: Host, *, alone: bool) -> Iterator[None]:
        """Run a case inside the block, beside those of other runs on the host, or without them."""
        mode = turns.alone if alone else turns.beside_others
        with mode(self._session(host), host, self.run):
            yield

    def _session(self, host: Host) -> OpenSession:
        """Return the session to a host; another host's is closed, and opens again when used."""
        for name, session in self._sessions.items():
            if name != host.name:
                session.close()
        if host.name not in self._sessions:
            self._sessions[host.name] = self.line.session(host)
        return self._sessions[host.name]

    def close(self) -> None:
        """Remove the booted VMs and close all sessions."""
        try:
            self.saved_states.close()
        finally:
            self._close_sessions()

    def _close_sessions(self) -> None:
        """Close all sessions; a host that is gone by now does not matter."""
        for session in self._sessions.values():
            session.close()
        self._open.clear()
        self._sessions.clear()


def open_session(host: Host) -> PsrpSession:
    """Return a session to the host with its credentials resolved; it connects at the first call."""
    from harness.host.psrp import PsrpSession  # 20 MB: an idle worker has no use for it

    password = resolve(host.password) if host.password else None
    return PsrpSession(host, password)


@contextmanager
def opened(
    inventory: Inventory,
    run: str,
    store: Store,
    asked: Mapping[str, object],
    *,
    resumed: bool = False,
) -> Iterator[Mapping[str, str]]:
    """Hold the run open: lab up, every host leased and swept; at the end nothing of it is left.

    ``asked``: which cases, as the run's facts keep it. ``resumed``: its folder is there already.
    Yields why a host could not be opened, by name: it is out for this run, also when it comes back,
    for nothing would be leased or swept there.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(lab.embedded(inventory.lab, lab.images(inventory)))
        missing = {
            host.name: wrong
            for host in inventory.hosts
            if (wrong := _open(stack, host, inventory, run))
        }
        there = [host for host in inventory.hosts if host.name not in missing]
        if not there:
            raise next(iter(missing.values()))
        sitting = {
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": commit(),
            "controller": os.uname().nodename,
        }
        if resumed:
            store.go_on(sitting)
        else:
            named = {"run": run, "inventory": str(inventory.path), "hvcert": __version__}
            store.create({**named, **sitting, **asked}, inventory.path.read_bytes())
        stack.callback(store.finish)
        stack.enter_context(renewed(there, run, open_session))
        yield {name: str(wrong) for name, wrong in missing.items()}


def _open(
    stack: contextlib.ExitStack, host: Host, inventory: Inventory, run: str
) -> HarnessError | None:
    """Lease and sweep a host until the stack is closed; return why not, where that cannot be.

    One host that is down does not hold up the others.
    """
    with contextlib.ExitStack() as mine:
        try:
            session = mine.enter_context(open_session(host))
            mine.enter_context(leased(session, host, run))
            mine.callback(sweep, session, host, inventory, run=run)
            sweep(session, host, inventory, run=run)
        except HarnessError as wrong:
            return wrong
        stack.push(mine.pop_all())
    return None


@contextmanager
def bench(
    run: str, case: str, guest: Guest, under_test: HostUnderTest, *, full: bool = False
) -> Iterator[Bench]:
    """Make a VM for one case; it is removed, or put back as it was, at the end.

    ``full``: on a disk of its own, a copy of the template.
    """
    session, host = under_test.session, under_test.host
    if isinstance(guest.source, ExistingVm):
        made = existing_vm(session, host, guest, run, case)
    else:
        made = vm_from_template(session, host, guest, run, case, full=full)
    with (
        contextlib.ExitStack() as last,
        made as vm,
        _bench(run, case, guest, under_test, vm, last) as ready,
    ):
        yield ready


@contextmanager
def bench_of_booted(
    hosts: Hosts, case: str, guest: Guest, under_test: HostUnderTest
) -> Iterator[Bench]:
    """Take this process's booted VM in its saved state; a borrowed VM is booted as for any case."""
    run, seat = hosts.run, f"{guest.name}@{under_test.host.name}"
    if isinstance(guest.source, ExistingVm):
        with bench(run, case, guest, under_test) as borrowed:
            yield borrowed
        return

    def make() -> AbstractContextManager[Bench]:
        return bench(run, "saved-state", guest, under_test)

    with (
        contextlib.ExitStack() as last,
        hosts.saved_states.applied(seat, make) as vm,
        _bench(run, case, guest, under_test, vm, last) as ready,
    ):
        ready.story.append("applied the saved state of a booted guest")
        yield ready


@contextmanager
def _bench(  # noqa: PLR0913, PLR0917  # what a bench is made of
    run: str,
    case: str,
    guest: Guest,
    under_test: HostUnderTest,
    vm: Vm,
    last: contextlib.ExitStack,
) -> Iterator[Bench]:
    """Equip a VM for a case; the sessions to its guest are closed at the end.

    ``last`` holds what has to outlive the VM.
    """
    session, host = under_test.session, under_test.host
    name = vm.name if NAME.fullmatch(vm.name) else vm_name(run, case)
    with contextlib.ExitStack() as shells, contextlib.ExitStack() as closing:

        def log_in(
            guest: Guest, addresses: tuple[str, ...], port: int, within: timedelta
        ) -> ClosableShell:
            shell = under_test.line.log_in(guest, addresses, port, within)
            shells.callback(shell.close)
            return shell

        def others(*, full: bool = False) -> AbstractContextManager[Bench]:
            if isinstance(guest.source, ExistingVm):
                raise HostError(
                    host.name,
                    f"{case} needs a second VM like {guest.source.name}, which is an existing one",
                    "give the guest a template instead, or leave this case out",
                )
            return bench(run, case, guest, under_test, full=full)

        def private_switch() -> str:  # it is removed after the VM that uses it
            return last.enter_context(private.private_switch(session, run, case))

        fillers = Fillers(session, host, run, case, under_test.gate)
        vm = replace(vm, gate=under_test.gate)
        story = under_test.line.story()
        ready = Bench(
            *(case, vm, host, guest, under_test.facts, log_in, others, fillers, private_switch),
            story=story,
        )
        ready.beside, ready.closing = f"{host.vm_path}\\{name}", closing
        if name != vm.name:
            closing.callback(remove_folder, session, ready.beside)
        yield ready
