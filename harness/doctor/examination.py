"""Every check of an inventory, in the order in which one builds on the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.doctor.asked import HostAsked, OpenSession
from harness.doctor.finding import Finding, run_checks
from harness.doctor.guests import (
    EXISTING_CHECKS,
    LOCAL_GUEST_CHECKS,
    TEMPLATE_CHECKS,
    Here,
    OnHost,
)
from harness.doctor.machine import LAB_CHECKS, ThisMachine, login_checks
from harness.doctor.reach import REACH_CHECKS
from harness.doctor.windows import HOST_CHECKS
from harness.guest.shell import GuestShell
from harness.inventory.model import ExistingVm, Guest, Host, Inventory

Shells = Mapping[tuple[str, str], GuestShell]
NO_SHELLS: Shells = {}


def examine(
    inventory: Inventory,
    open_session: OpenSession,
    shells: Shells = NO_SHELLS,
    machine_search: str | None = None,
) -> Iterator[Finding]:
    """Yield what was found, check by check; nothing on host or guest is changed.

    ``open_session`` leases a session to a host; ``shells``: sessions to guests that run already,
    by (host name, guest name); ``machine_search``: a PATH for local tools, for tests.
    """
    if inventory.lab:
        here = ThisMachine(inventory, machine_search)
        yield from run_checks(LAB_CHECKS, "this machine", here, {})
    for guest in inventory.guests:
        yield from _guest_here(inventory, guest)
    for host in inventory.hosts:
        yield from _host(inventory, host, open_session, shells)


def _guest_here(inventory: Inventory, guest: Guest) -> Iterator[Finding]:
    made_by_lab = {lab.name for lab in inventory.lab} >= set(guest.hosts)
    here = Here(guest, made_by_lab)
    yield from run_checks(LOCAL_GUEST_CHECKS, f"guest {guest.name}", here, {})


def _host(
    inventory: Inventory, host: Host, open_session: OpenSession, shells: Shells
) -> Iterator[Finding]:
    subject, outcomes = f"host {host.name}", dict[str, bool | None]()
    guests = tuple(guest for guest in inventory.guests if host.name in guest.hosts)
    yield from run_checks((*login_checks(host), *REACH_CHECKS), subject, host, outcomes)
    with HostAsked(host, guests, open_session) as asked:
        yield from run_checks(HOST_CHECKS, subject, asked, outcomes)
        for guest in guests:
            on = OnHost(guest, asked, shells.get((host.name, guest.name)))
            table = EXISTING_CHECKS if isinstance(guest.source, ExistingVm) else TEMPLATE_CHECKS
            where = f"guest {guest.name} on {host.name}"
            yield from run_checks(table, where, on, dict(outcomes))
