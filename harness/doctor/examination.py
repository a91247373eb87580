"""Every check of an inventory, in the order in which one builds on the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from harness.doctor.asked import HostAsked, OpenSession
from harness.doctor.backup import BACKUP_CHECKS
from harness.doctor.finding import Check, Finding, run_checks
from harness.doctor.guests import (
    EXISTING_CHECKS,
    LOCAL_GUEST_CHECKS,
    TEMPLATE_CHECKS,
    Here,
    OnHost,
)
from harness.doctor.machine import LAB_CHECKS, ThisMachine, login_checks
from harness.doctor.programs import has_programs
from harness.doctor.reach import REACH_CHECKS
from harness.doctor.windows import HOST_CHECKS
from harness.guest.shell import GuestShell
from harness.inventory.model import ExistingVm, Guest, Host, Inventory

Shells: TypeAlias = Mapping[tuple[str, str], GuestShell]
ReachChecks: TypeAlias = tuple[Check[Host], ...]
NO_SHELLS: Shells = {}
PROGRAMS = Check("programs", has_programs)


def examine(
    inventory: Inventory,
    open_session: OpenSession,
    shells: Shells = NO_SHELLS,
    *,
    reach: ReachChecks = REACH_CHECKS,
    machine_search: str | None = None,
) -> tuple[Finding, ...]:
    """Return what was found, check by check; nothing on host or guest is changed.

    ``open_session`` leases a session to a host; ``shells``: sessions to guests that run already,
    by (host name, guest name). ``reach`` (the checks over the network that need no login) and
    ``machine_search`` (a PATH for local tools) are other ones in tests only.
    """
    found: list[Finding] = []
    if inventory.lab:
        here = ThisMachine(inventory, machine_search)
        found.extend(run_checks(LAB_CHECKS, "this machine", here, {}))
    for guest in inventory.guests:
        found.extend(_guest_here(inventory, guest))
    for host in inventory.hosts:
        outcomes: dict[str, bool | None] = {}
        before = (*login_checks(host), *reach)
        found.extend(run_checks(before, f"host {host.name}", host, outcomes))
        with HostAsked(host, inventory.guests_of(host), open_session) as asked:
            found.extend(_host(asked, shells, outcomes))
    return tuple(found)


def _guest_here(inventory: Inventory, guest: Guest) -> Iterator[Finding]:
    made_by_lab = {lab.name for lab in inventory.lab} >= set(guest.hosts)
    here = Here(guest, made_by_lab)
    yield from run_checks(LOCAL_GUEST_CHECKS, f"guest {guest.name}", here, {})


def _host(asked: HostAsked, shells: Shells, outcomes: dict[str, bool | None]) -> Iterator[Finding]:
    host = asked.host
    checks = (*HOST_CHECKS, *BACKUP_CHECKS)
    yield from run_checks(checks, f"host {host.name}", asked, outcomes)
    for guest in asked.guests:
        on = OnHost(guest, asked, shells.get((host.name, guest.name)))
        table = EXISTING_CHECKS if isinstance(guest.source, ExistingVm) else TEMPLATE_CHECKS
        where = f"guest {guest.name} on {host.name}"
        yield from run_checks((*table, PROGRAMS), where, on, dict(outcomes))
