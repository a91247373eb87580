"""Rules that need more than one key: between hosts, guests and the lab."""

from __future__ import annotations

from collections.abc import Iterable

from harness.inventory.model import (
    Authentication,
    ExistingVm,
    Guest,
    Host,
    Inventory,
    SecureBoot,
    Template,
)
from harness.inventory.report import Report
from harness.inventory.values import is_unc

FIRST_BUILD_WITH_UEFI_CA = 14393
SECOND_HOP = "second hop: use CredSSP, Kerberos with delegation (delegate: true), or a local path"


def can_delegate(host: Host) -> bool:
    """Tell whether the host may use the login against a third machine, e.g. a file server."""
    return host.authentication is Authentication.CREDSSP or (
        host.authentication is Authentication.KERBEROS and host.delegate
    )


def second_hop_problem(host: Host, path: str) -> str | None:
    """Say why a path on a share cannot work with this host's authentication."""
    if not is_unc(path) or can_delegate(host):
        return None
    login = host.authentication.value
    return f"host {host.name} logs in by {login} and {path} is a share; {SECOND_HOP}"


def secure_boot_problem(guest: Guest, build: int) -> str | None:
    """Say why a guest's ``secure_boot`` cannot be had on a host of the measured build.

    Windows Server 2012 R2 (9600) has no template choice: its Secure Boot trusts Windows' loader
    alone, so a Linux guest boots there only with it off. The Microsoft UEFI CA template came with
    Windows Server 2016 (build 14393).
    """
    if guest.secure_boot is SecureBoot.OFF or build >= FIRST_BUILD_WITH_UEFI_CA:
        return None
    return (
        f"guest {guest.name} asks for secure_boot {guest.secure_boot.value}, which a host of build "
        f"{build} does not have (first: {FIRST_BUILD_WITH_UEFI_CA}, Windows Server 2016); write "
        "secure_boot: off for it, or leave this host out of the guest's hosts"
    )


def check_together(read: Inventory, report: Report) -> None:
    """Note what only shows when all of the inventory is read."""
    _unique(report, "hosts", (host.name for host in read.hosts))
    _unique(report, "guests", (guest.name for guest in read.guests))
    _pools_are_no_hosts(read, report)
    _unique(report, "lab", (lab.name for lab in read.lab))
    _unique(report, "lab", (lab.address for lab in read.lab), "address")
    _lab_hosts_are_hosts(read, report)
    _lab_hosts_are_alike(read, report)
    for n, guest in enumerate(read.guests):
        if isinstance(guest.source, Template):
            _template_reachable(read, guest, f"guests[{n}].template.path", report)
    _one_guest_per_vm(read, report)


def _unique(report: Report, group: str, names: Iterable[str], key: str = "name") -> None:
    seen: dict[str, int] = {}
    for n, name in enumerate(names):
        first = seen.setdefault(name.lower(), n)
        if name and first != n:
            report.problem(f"{group}[{n}].{key}", f"{name} is {group}[{first}] already")


def _pools_are_no_hosts(read: Inventory, report: Report) -> None:
    names = {host.name for host in read.hosts}
    for n, host in enumerate(read.hosts):
        if host.pool and host.pool in names:
            report.problem(f"hosts[{n}].pool", f"{host.pool} is the name of a host already")


def _lab_hosts_are_alike(read: Inventory, report: Report) -> None:
    if len({lab.simulated for lab in read.lab}) > 1:
        report.problem("lab", "simulated: all hosts of a lab have the same, or none")


def _lab_hosts_are_hosts(read: Inventory, report: Report) -> None:
    by_name = {host.name: host for host in read.hosts}
    for n, lab in enumerate(read.lab):
        host = by_name.get(lab.name)
        if host is None and lab.name:
            report.problem(f"lab[{n}].name", f"no host {lab.name} under hosts")
        elif host is not None and lab.address and host.address != lab.address:
            said = f"{lab.address}, but host {lab.name} has the address {host.address}"
            report.problem(f"lab[{n}].address", said)


def _template_reachable(read: Inventory, guest: Guest, path: str, report: Report) -> None:
    for host in read.hosts:
        if host.name not in guest.hosts or not isinstance(guest.source, Template):
            continue
        problem = second_hop_problem(host, guest.source.path)
        if problem:
            report.problem(path, problem)


def _one_guest_per_vm(read: Inventory, report: Report) -> None:
    taken: dict[tuple[str, str], str] = {}
    for n, guest in enumerate(read.guests):
        if not isinstance(guest.source, ExistingVm):
            continue
        for host in guest.hosts:
            first = taken.setdefault((host, guest.source.name.lower()), guest.name)
            if first != guest.name:
                report.problem(f"guests[{n}].vm", f"guest {first} uses this VM of {host} already")
