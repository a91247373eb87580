"""What a Hyper-V host must have before VMs are made on it; asked by cmdlets of every release."""

from __future__ import annotations

from harness.doctor.asked import HostAsked
from harness.doctor.finding import Check, Said, good, open_question, wrong
from harness.doctor.reach import WSMAN
from harness.errors import HostRefused
from harness.inventory.model import Template
from harness.inventory.rules import second_hop_problem
from harness.inventory.values import is_unc
from harness.units import Bytes, GiB, KiB

CREDENTIALS, MODULE, BUILD, SECOND_HOP = "credentials", "Hyper-V module", "build", "second hop"
MEMORY, SWITCH, VM_PATH = "free memory", "switch", "vm_path"
RELEASES = {9600: "2012 R2", 14393: "2016", 17763: "2019", 20348: "2022", 26100: "2025"}
OPERATING_SYSTEM = "Win32_OperatingSystem"


def credentials_accepted(asked: HostAsked) -> Said:
    """Log in and ask something small."""
    asked.ask("Get-CimInstance", ClassName=OPERATING_SYSTEM).one()
    how = asked.host.authentication.value
    return good(f"{asked.host.username or 'the ticket or certificate'} logged in by {how}")


def hyper_v_module(asked: HostAsked) -> Said:
    """Tell whether Hyper-V and its cmdlets are there and this account may use them."""
    try:
        capacity = Bytes(asked.ask("Get-VMHost").one().integer("MemoryCapacity"))
    except HostRefused as refused:
        if refused.record.fqid.split(",")[0] == "CommandNotFoundException":
            advice = "on the host: Install-WindowsFeature Hyper-V -IncludeManagementTools -Restart"
            return wrong("the host has no Hyper-V cmdlets", advice)
        raise
    return good(f"Get-VMHost answers; the host has {_whole(capacity)} of memory")


def measured_build(asked: HostAsked) -> Said:
    """Name the Windows release by its build, as the cases do."""
    system = asked.ask("Get-CimInstance", ClassName=OPERATING_SYSTEM).one()
    build, caption = system.integer("BuildNumber"), system.string("Caption").strip()
    release = RELEASES.get(build)
    if release is None:
        known = ", ".join(f"{number} = {name}" for number, name in RELEASES.items())
        return open_question(
            f"build {build} ({caption}) is unknown to the cases",
            f"results count for the releases {known}; tell which this one behaves like",
        )
    return good(f"build {build} = Windows Server {release} ({caption})")


def no_second_hop(asked: HostAsked) -> Said:
    """Tell whether every share that the host must use can be reached with this login."""
    paths = tuple(dict.fromkeys((asked.host.vm_path, *_templates(asked))))
    shares = tuple(path for path in paths if is_unc(path))
    problems = [said for path in shares if (said := second_hop_problem(asked.host, path))]
    if problems:
        return wrong(problems[0], "change authentication, or copy the files to a local drive")
    if shares:
        return good(f"{', '.join(shares)}: {asked.host.authentication.value} delegates the login")
    return good("all paths are local drives of the host")


def free_memory(asked: HostAsked) -> Said:
    """Compare what is free with what stays free plus the largest guest; name the sum of all."""
    system = asked.ask("Get-CimInstance", ClassName=OPERATING_SYSTEM).one()
    free = system.integer("FreePhysicalMemory") * KiB
    reserve = asked.host.memory_reserve
    sizes = [guest.memory for guest in asked.guests]
    largest, together = max(sizes, default=Bytes(0)), sum(sizes, Bytes(0))
    state = f"{_whole(free)} free, {reserve} stay free, the largest guest needs {largest}"
    if asked.host.memory_budget is not None and asked.host.memory_budget < largest:
        budget = asked.host.memory_budget
        return wrong(f"{state}, memory_budget is {budget}", "raise memory_budget")
    if free < reserve + largest:
        advice = "stop other VMs on the host, or lower memory_reserve or the guest's memory"
        return wrong(state, advice)
    fits = "also fit" if free >= reserve + together else "do not fit"
    return good(f"{state}; all {len(sizes)} at once ({together}) {fits}")


def switch_exists(asked: HostAsked) -> Said:
    """Tell whether the switch is there; names are compared here, for they may hold wildcards."""
    names = [switch.string("Name") for switch in asked.ask("Get-VMSwitch").records()]
    wanted = asked.host.switch
    found = sum(name.lower() == wanted.lower() for name in names)
    there = ", ".join(names) or "none"
    if found == 0:
        return wrong(f"no switch {wanted} (there: {there})", "correct switch, or create it")
    if found > 1:
        return wrong(f"{found} switches are named {wanted}", "rename all but one")
    return good(f"{wanted} is there")


def vm_path_exists(asked: HostAsked) -> Said:
    """Tell whether VMs have a folder to be made in."""
    path = asked.host.vm_path
    if is_container(asked, path):
        return good(f"{path} is there")
    return wrong(f"{path} is no folder of the host", "create it, or correct vm_path")


def is_container(asked: HostAsked, path: str) -> bool:
    """Ask the host whether a path is a folder."""
    answer = asked.ask("Test-Path", LiteralPath=path, PathType="Container")
    return answer.objects == (True,)


def free_space(asked: HostAsked, path: str) -> Bytes | None:
    r"""Return what is free on a local drive; None for shares and cluster volumes.

    Win32_LogicalDisk gives FreeSpace in bytes per drive letter; a cluster shared volume
    (``C:\ClusterStorage\…``) is another disk than its letter.
    """
    if is_unc(path) or path[2:].lower().startswith("\\clusterstorage\\"):
        return None
    for disk in asked.ask("Get-CimInstance", ClassName="Win32_LogicalDisk").records():
        if disk.string("DeviceID").lower() == path[:2].lower():
            return Bytes(disk.integer("FreeSpace"))
    return None


def _templates(asked: HostAsked) -> tuple[str, ...]:
    sources = (guest.source for guest in asked.guests)
    return tuple(source.path for source in sources if isinstance(source, Template))


def _whole(size: Bytes) -> str:
    return f"{size.count / GiB.count:.1f} GiB"


HOST_CHECKS: tuple[Check[HostAsked], ...] = (
    Check(
        CREDENTIALS,
        credentials_accepted,
        needs=(WSMAN,),
        advice="correct username and password; the account must be an administrator of the host",
    ),
    Check(BUILD, measured_build, needs=(CREDENTIALS,)),
    Check(
        MODULE,
        hyper_v_module,
        needs=(CREDENTIALS,),
        advice="the account needs the host's Administrators (or Hyper-V Administrators) group",
    ),
    Check(SECOND_HOP, no_second_hop),
    Check(MEMORY, free_memory, needs=(CREDENTIALS,)),
    Check(SWITCH, switch_exists, needs=(MODULE,)),
    Check(VM_PATH, vm_path_exists, needs=(CREDENTIALS, SECOND_HOP)),
)
