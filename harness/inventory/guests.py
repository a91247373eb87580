"""The ``guests`` part of an inventory."""

from __future__ import annotations

from harness.inventory.model import (
    FAMILIES,
    Become,
    DumpTarget,
    ExistingVm,
    ExpectedFailure,
    FixedAddress,
    Guest,
    Host,
    Preparation,
    Reported,
    SecureBoot,
    Template,
)
from harness.inventory.section import Section
from harness.inventory.ssh import read_ssh
from harness.inventory.values import (
    parse_case,
    parse_guest_address,
    parse_ip,
    parse_name,
    parse_size,
    parse_unix_path,
    parse_windows_path,
)
from harness.units import Bytes, MiB

LINUX_BLOCK = 128 * MiB
SMALLEST = 32 * MiB
MAXIMUM_PROCESSORS = 2048
GUEST_KEYS = (
    *("name", "template", "vm", "disposable", "hosts", "memory", "processors", "secure_boot"),
    *("family", "release", "ssh", "address", "preparations", "expect", "cases"),
    *("dump_target", "priority"),
)
TEMPLATE_ENDS = (".vhd", ".vhdx")


def read_guest(section: Section, there: tuple[Host, ...]) -> Guest:
    """Read one guest; ``there``: the hosts there are, all of them the default."""
    hosts = _hosts(section, there) or tuple(host.name for host in there)
    mine = tuple(host for host in there if host.name in hosts)
    guest = Guest(
        name=section.parsed("name", parse_name, ""),
        source=_source(section),
        hosts=hosts,
        memory=_memory(section),
        processors=section.number("processors", 1, MAXIMUM_PROCESSORS),
        secure_boot=section.choice("secure_boot", SecureBoot, SecureBoot.OFF),
        family=section.word("family", FAMILIES),
        release=section.text("release"),
        ssh=read_ssh(section),
        address=_address(section),
        preparations=tuple(_preparation(part) for part in section.sections("preparations")),
        expected_failures=tuple(_expected(part, mine) for part in section.sections("expect")),
        cases=section.texts("cases", parse_case),
        dump_target=_dump_target(section),
        priority=section.number("priority", -100, 100, 0),
    )
    section.only(*GUEST_KEYS)
    _check(section, guest)
    return guest


def _address(section: Section) -> Reported | FixedAddress:
    reported: Reported | FixedAddress = Reported()
    return section.parsed("address", parse_guest_address, reported, "reported")


def _dump_target(section: Section) -> DumpTarget | None:
    inner = section.section("dump_target") if section.has("dump_target") else None
    if inner is None:
        return None
    target = DumpTarget(
        address=inner.parsed("address", parse_ip, ""),
        ssh=read_ssh(inner),
        folder=inner.parsed("folder", parse_unix_path, ""),
    )
    inner.only("address", "ssh", "folder")
    return target


def _source(section: Section) -> Template | ExistingVm:
    if section.has("template") and section.has("vm"):
        section.problem("vm", "a guest has a template or a vm, not both")
    elif section.has("vm"):
        return _existing(section)
    elif not section.has("template"):
        section.problem("template", "missing (or vm: NAME with disposable: true)")
        return Template("", 1)
    if section.has("disposable"):
        section.problem("disposable", "only for vm; VMs made from a template are always removed")
    return _template(section)


def _existing(section: Section) -> ExistingVm:
    if not section.has("disposable") or not section.flag("disposable", default=False):
        section.problem(
            "disposable",
            "write disposable: true if the run may change this VM and its disks (it sets them "
            "back by a checkpoint), or give the guest a template",
        )
    return ExistingVm(section.text("vm"))


def _template(section: Section) -> Template:
    inner = section.section("template")
    if inner is None:
        return Template("", 1)
    path = inner.parsed("path", parse_windows_path, "")
    generation = inner.number("generation", 1, 2)
    inner.only("path", "generation")
    if path and not path.lower().endswith(TEMPLATE_ENDS):
        inner.problem("path", "must end in .vhdx or .vhd")
    if generation == 2 and path.lower().endswith(".vhd"):
        inner.problem("generation", "a .vhd boots in Generation 1 only; convert it to .vhdx")
    return Template(path, generation)


def _memory(section: Section) -> Bytes:
    memory = section.parsed("memory", parse_size, LINUX_BLOCK)
    if memory < SMALLEST:
        section.problem("memory", f"{memory} is less than a VM may have (32 MiB)")
    elif memory % LINUX_BLOCK != Bytes(0):
        section.report.warning(
            section.at("memory"),
            f"{memory} is no multiple of 128 MiB, in which Linux adds and removes memory",
        )
    return memory


def _hosts(section: Section, there: tuple[Host, ...]) -> tuple[str, ...]:
    """Return the names of the hosts that are named, those of a pool one by one."""
    named: list[str] = []
    known = tuple(dict.fromkeys(filter(None, (n for h in there for n in (h.name, h.pool)))))
    for name in section.texts("hosts", parse_name):
        if name not in known:
            have = ", ".join(known) or "none"
            section.problem("hosts", f"no host {name} under hosts (there: {have})")
        named += [h.name for h in there if name in (h.name, h.pool)] or [name]
    if len(set(named)) < len(named):
        section.problem("hosts", "a host appears twice")
    return tuple(named)


def _preparation(section: Section) -> Preparation:
    preparation = Preparation(
        file=section.parsed("file", parse_unix_path, ""),
        content=section.text("content", lines=True),
        reason=section.text("reason"),
        activate=section.argvs("activate"),
        reboot=section.flag("reboot", default=False),
        cases=section.texts("cases", parse_case),
    )
    section.only("file", "content", "reason", "activate", "reboot", "cases")
    return preparation


def _expected(section: Section, hosts: tuple[Host, ...]) -> ExpectedFailure:
    section.word("outcome", ("fail",))
    expected = ExpectedFailure(
        case=section.parsed("case", parse_case, ""),
        reason=section.text("reason"),
        hosts=_hosts(section, hosts),
    )
    section.only("case", "outcome", "reason", "hosts")
    return expected


def _check(section: Section, guest: Guest) -> None:
    generation_1 = isinstance(guest.source, Template) and guest.source.generation == 1
    if generation_1 and guest.secure_boot is not SecureBoot.OFF:
        section.problem("secure_boot", "Generation 1 has no Secure Boot; write off")
    if guest.processors < 2:
        section.report.warning(section.at("processors"), "NMI-01 needs at least 2")
    if guest.ssh.become is Become.NONE and guest.ssh.user not in ("", "root"):
        section.report.warning(
            section.at("ssh.become"), f"{guest.ssh.user} is not root; most cases need become: sudo"
        )
    for n, expected in enumerate(guest.expected_failures):
        if expected.case and not guest.wanted((expected.case,)):
            section.problem(f"expect[{n}]", f"{expected.case} is not among the guest's cases")
    _no_case_twice(section, guest)


def _no_case_twice(section: Section, guest: Guest) -> None:
    seen: set[tuple[str, str]] = set()
    for n, expected in enumerate(guest.expected_failures):
        now = {(expected.case, host) for host in expected.hosts or guest.hosts}
        if expected.case and now & seen:
            section.problem(f"expect[{n}]", f"{expected.case} is expected to fail already")
        seen |= now
