"""IC-01: the guest works by the hypervisor's synthetic devices and its distribution's drivers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.checks import bounds
from harness.checks.platform import Platform
from harness.checks.vmbus import DRIVERS, Offered
from harness.distro.family import Family, Service
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured, Probe
from harness.verdict import Outcome, Verdict, all_of, pass_if

BUILT_IN = "(builtin)"
PARTS = ("VMBus devices", "root disk", "network", "key-value service", "backup service")


@dataclass(frozen=True, slots=True)
class Module:
    """A driver's module: ``file`` is BUILT_IN for one in the kernel image; ``package`` owns it."""

    driver: str
    file: str
    package: str


def parse_root_disk(text: str) -> str:
    """Read the disk below the root file system from ``lsblk --inverse``: ``sda disk``.

    Volumes on several disks are judged by the first.
    """
    found = re.search(r"^\W*(\S+) +disk\s*$", text, re.MULTILINE)
    if not found:
        raise EvidenceError("lsblk", "disk below the root file system", text)
    return found[1]


def parse_source(text: str) -> str:
    """Read the device of the root file system: ``/dev/sda1``, or ``/dev/sda2[/@]`` on btrfs."""
    found = re.match(r"(/dev/[^\s\[]+)", text)
    if not found:
        raise EvidenceError("findmnt", "device of the root file system", text)
    return found[1]


def parse_default_route(text: str) -> str:
    """Read the adapter: ``default via 10.0.2.2 dev ens8 proto static``."""
    found = re.search(r"^default .*\bdev (\S+)", text, re.MULTILINE)
    if not found:
        raise EvidenceError("ip route", "adapter of the default route", text)
    return found[1]


ROOT_SOURCE = Probe(("findmnt", "--noheadings", "--output", "SOURCE", "/"), parse_source)
SHOW_DEFAULT = ("ip", "-o", "route", "show", "default")
DEFAULT_ROUTE = Probe(SHOW_DEFAULT, parse_default_route, privileged=True)
"""Privileged only for the path: an ordinary user's may lack the folders of ip and modinfo."""


def disk_below(source: str) -> Probe[str]:
    """Ask for the disk that a partition or volume lies on."""
    columns = ("--noheadings", "--list", "--output", "NAME,TYPE")
    return Probe(("lsblk", "--inverse", *columns, source), parse_root_disk)


def sysfs_of(kind: str, name: str) -> Probe[str]:
    """Ask where in /sys a device of a class (block, net) is."""
    return Probe(("readlink", "--canonicalize-existing", f"/sys/class/{kind}/{name}"), str.strip)


def module_file(driver: str) -> Probe[str]:
    """Ask for a module's file; ``(builtin)`` for one in the kernel image."""
    return Probe(("modinfo", "--field=filename", driver), parse_module_file, privileged=True)


def parse_module_file(text: str) -> str:
    """Read the path, or ``(builtin)``; newer modinfo puts ``name:`` lines before it."""
    found = re.search(r"(?:^|\s)(/\S+\.ko\S*|\(builtin\))\s*$", text)
    if not found:
        raise EvidenceError("modinfo", "file of the module", text)
    return found[1]


def owner_of(file: str, family: Family) -> Probe[str]:
    """Ask for the package that owns a file, also by its name from before /usr was merged."""
    merged = f"/usr{file}" if not file.startswith("/usr/") else file.removeprefix("/usr")
    return Probe((*family.owner, file, merged), family.owner_of, fails_ok=True)


def judge_devices(
    offered: Measured[tuple[Offered, ...]],
    bound: Measured[Mapping[str, str]],
    modules: Iterable[Measured[Module]],
) -> Verdict:
    """Judge every device offered on the VMBus that Linux has a driver for."""
    evidence = offered.evidence + bound.evidence
    known = [device for device in offered.value if device.kind in DRIVERS]
    parts = [_judge_device(device, bound.value.get(device.id), evidence) for device in known]
    rest = len(offered.value) - len(known)
    noted = f"; {rest} of a class that Linux has no driver for" if rest else ""
    because = f"{len(known)} devices are bound, each to its in-tree driver{noted}"
    if not known:
        raise EvidenceError("VMBus", "device of a class that Linux has a driver for", "")
    return all_of(because, *parts, *map(judge_module, modules))


def _judge_device(device: Offered, driver: str | None, proof: tuple[Evidence, ...]) -> Verdict:
    what, drivers = DRIVERS[device.kind]
    named = f"the {what} device {device.id}"
    because = f"{named} is bound to {driver or 'no driver'}, not to {' or '.join(drivers)}"
    return pass_if(driver in drivers, because, proof)


def judge_module(module: Measured[Module]) -> Verdict:
    """Judge that a driver comes with the distribution's kernel, not from a package of its own."""
    found = module.value
    because = (
        f"{found.driver} is {found.file} of package {found.package},"
        " which is not the distribution's kernel"
    )
    ours = found.file == BUILT_IN or bounds.KERNEL_PACKAGE.fullmatch(found.package)
    return pass_if(bool(ours), because, module.evidence)


def judge_driver(
    what: str,
    expected: tuple[str, ...],
    drivers: Measured[frozenset[str]],
    modules: Iterable[Measured[Module]],
) -> Verdict:
    """Judge that a device works by one of the drivers that the platform's record names."""
    names = ", ".join(sorted(drivers.value)) or "no driver"
    ours = drivers.value & set(expected)
    wrong = f"the {what} is driven by {names}, not by {' or '.join(expected)}"
    by = ", ".join(sorted(ours))
    because = f"the {what} is driven by {by}, of the distribution's own kernel"
    return all_of(
        because, pass_if(bool(ours), wrong, drivers.evidence), *map(judge_module, modules)
    )


def units_for(names: tuple[str, ...], service: Service) -> tuple[str, ...]:
    """Return the units to ask for: the platform's names, and the family's where they meet."""
    own = service.units if set(service.units) & set(names) else ()
    return tuple(dict.fromkeys((*names, *own)))


def states_of(units: tuple[str, ...]) -> Probe[Mapping[str, str]]:
    """Ask systemd for the state of units; one that is not installed is ``inactive``."""
    full = (f"{unit}.service" for unit in units)
    return Probe(("systemctl", "show", "--property=Id,ActiveState", *full), parse_states)


def parse_states(text: str) -> Mapping[str, str]:
    """Read blocks of ``Id=qemu-guest-agent.service`` and ``ActiveState=active``."""
    blocks = [dict(re.findall(r"^(\w+)=(.*)$", b, re.MULTILINE)) for b in text.split("\n\n")]
    states = {b["Id"]: b["ActiveState"] for b in blocks if {"Id", "ActiveState"} <= b.keys()}
    if not states:
        raise EvidenceError("systemctl show", "Id and ActiveState", text)
    return states


def judge_service(what: str, states: Measured[Mapping[str, str]]) -> Verdict:
    """Judge that one of a service's units is active."""
    active = [unit for unit, state in states.value.items() if state == "active"]
    seen = ", ".join(f"{unit} is {state}" for unit, state in states.value.items())
    because = f"the {what} runs: {', '.join(active)}" if active else f"no {what} runs: {seen}"
    return pass_if(bool(active), because, states.evidence)


def not_applicable(what: str, platform: Platform) -> Verdict:
    """Return the verdict on a part that the measured platform does not have."""
    return Verdict(Outcome.NOT_APPLICABLE, f"the platform {platform.name} has no {what}", ())
