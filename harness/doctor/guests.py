"""What a guest must have: its disk or VM on each host, its keys here, a way to become root."""

from __future__ import annotations

import stat
from dataclasses import dataclass

from harness.doctor.asked import HostAsked
from harness.doctor.finding import Check, Said, good, open_question, wrong
from harness.doctor.windows import (
    BUILD,
    CREDENTIALS,
    MODULE,
    OPERATING_SYSTEM,
    SECOND_HOP,
    free_space,
    is_container,
)
from harness.guest.shell import GuestShell
from harness.host.session import HostObject
from harness.inventory.keys import pinned
from harness.inventory.model import (
    AnyKey,
    Become,
    ExistingVm,
    Guest,
    SecureBoot,
    Template,
)
from harness.inventory.rules import second_hop_problem, secure_boot_problem
from harness.units import Bytes, GiB

TEMPLATE, GENERATION, DISK, VM = "template", "generation", "free disk", "existing VM"
MARGIN = 4 * GiB


@dataclass(frozen=True, slots=True)
class OnHost:
    """One guest on one of its hosts; ``shell``: a session to it when it runs already."""

    guest: Guest
    asked: HostAsked
    shell: GuestShell | None = None


@dataclass(frozen=True, slots=True)
class Here:
    """One guest as seen from this machine; ``made_by_lab``: its keys come with the lab's image."""

    guest: Guest
    made_by_lab: bool


def template_opens(on: OnHost) -> Said:
    """Tell whether the template is a virtual disk that the host can read."""
    disk, path = _template_disk(on)
    if disk is None:
        return wrong(f"{path} is not there", "copy the template to the host, or correct path")
    kind, size = disk.string("VhdType").lower(), Bytes(disk.integer("Size"))
    parent = disk.string("ParentPath")
    if parent:
        return wrong(f"{path} is a differencing disk of {parent}", "merge it: a template is whole")
    return good(f"{path}: {disk.string('VhdFormat')}, {kind}, {size}")


def generation_plausible(on: OnHost) -> Said:
    """Compare the generation with the disk's format: a VHD boots in Generation 1 only."""
    disk, path = _template_disk(on)
    source = on.guest.source
    if disk is None or not isinstance(source, Template):
        return open_question("there is no template to look at")
    if disk.string("VhdFormat").upper() == "VHD" and source.generation != 1:
        return wrong(f"{path} is a VHD, which boots in Generation 1 only", "write generation: 1")
    return good(f"Generation {source.generation}; whether it boots shows at the first start")


def secure_boot_possible(on: OnHost) -> Said:
    """Compare secure_boot with the measured build and, for an existing VM, its generation."""
    if on.guest.secure_boot is SecureBoot.OFF:
        return good("off")
    system = on.asked.ask("Get-CimInstance", ClassName=OPERATING_SYSTEM).one()
    problem = secure_boot_problem(on.guest, system.integer("BuildNumber"))
    if problem:
        return wrong(problem, "write secure_boot: off, or leave the host out of the guest's hosts")
    vms = _vms(on)
    if vms and vms[0].integer("Generation") != 2:
        return wrong(f"the VM is Generation {vms[0].integer('Generation')}", "secure_boot: off")
    return good(on.guest.secure_boot.value)


def enough_disk(on: OnHost) -> Said:
    """Tell whether a full copy of the template and what a case writes fit where VMs are made."""
    disk, _ = _template_disk(on)
    if disk is None:
        return open_question("there is no template to measure")
    path = on.asked.host.vm_path
    free, needed = free_space(on.asked, path), Bytes(disk.integer("FileSize")) + MARGIN
    if free is None:
        return open_question(f"the free space of {path} cannot be read (share or cluster volume)")
    said = f"{_gib(free)} free at {path}, {_gib(needed)} needed (template and {MARGIN})"
    return good(said) if free >= needed else wrong(said, "free some, or move vm_path")


def vm_is_off(on: OnHost) -> Said:
    """Tell whether the existing VM is there, once, Off, and its disks can be read."""
    vms, source = _vms(on), on.guest.source
    name = source.name if isinstance(source, ExistingVm) else ""
    if len(vms) != 1:
        advice = "correct vm" if not vms else "rename all but one"
        return wrong(f"{len(vms) or 'no'} VMs are named {name}", advice)
    state = vms[0].string("State")
    if state != "Off":
        return wrong(f"{name} is {state}", "shut it down (a saved state must be discarded first)")
    for drive in on.asked.ask("Get-VMHardDiskDrive", VMName=name).records():
        problem = second_hop_problem(on.asked.host, drive.string("Path"))
        if problem:
            return wrong(problem, "move the disk to a local drive, or change authentication")
    return good(f"{name} is Off")


def becomes_root(on: OnHost) -> Said:
    """Tell whether privileged commands run without a question."""
    if on.shell is None:
        return open_question("checked when the first case boots the guest")
    done = on.shell.run(("id", "-u"), privileged=True)
    user = on.guest.ssh.user
    if done.exit_status == 0 and done.stdout.strip() == "0":
        return good(f"{user} becomes root by {on.guest.ssh.become.value}")
    if on.guest.ssh.become is Become.NONE:
        return wrong(f"{user} is not root", "write become: sudo, or user: root")
    tail = done.stderr.strip().splitlines()[-1:] or [f"status {done.exit_status}"]
    line = f"{user} ALL=(ALL) NOPASSWD: ALL"
    return wrong(f"sudo -n was refused: {tail[0]}", f"in the guest's /etc/sudoers.d: {line}")


def key_usable(here: Here) -> Said:
    """Tell whether the SSH key is there and private, as SSH demands."""
    path = here.guest.ssh.key
    try:
        found = path.stat()
    except OSError as error:
        if here.made_by_lab:
            return open_question(f"{path} is made together with the lab's image")
        return wrong(f"{path} cannot be read ({error.strerror})", "correct ssh.key")
    if not stat.S_ISREG(found.st_mode):
        return wrong(f"{path} is no file", "correct ssh.key: it names the private key file")
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        mode = stat.S_IMODE(found.st_mode)
        return wrong(f"{path} is open to other users (mode {mode:o})", f"chmod 600 {path}")
    return good(f"{path} is there and private")


def host_key_known(here: Here) -> Said:
    """Tell how the guest proves who it is."""
    policy = here.guest.ssh.host_key
    if isinstance(policy, AnyKey):
        return good(f"accepted at first sight: {policy.reason}")
    path = getattr(policy, "path", None)
    if here.made_by_lab and path is not None and not path.exists():
        return open_question(f"{path} is made together with the lab's image")
    return good(f"pinned: {pinned(policy).key_type}")


def _template_disk(on: OnHost) -> tuple[HostObject | None, str]:
    """Return Get-VHD's answer for the template, None when the file is not there."""
    if not isinstance(on.guest.source, Template):
        return None, ""
    path = on.guest.source.path
    there = on.asked.ask("Test-Path", LiteralPath=path).objects == (True,)
    if not there or is_container(on.asked, path):
        return None, path
    return on.asked.ask("Get-VHD", Path=path).one(), path


def _vms(on: OnHost) -> tuple[HostObject, ...]:
    """Return the VMs of the guest's name; compared here, for a name may hold wildcards."""
    if not isinstance(on.guest.source, ExistingVm):
        return ()
    wanted = on.guest.source.name.lower()
    vms = on.asked.ask("Get-VM").records()
    return tuple(vm for vm in vms if vm.string("Name").lower() == wanted)


def _gib(size: Bytes) -> str:
    return f"{size.count / GiB.count:.1f} GiB"


LOCAL_GUEST_CHECKS: tuple[Check[Here], ...] = (
    Check("SSH key", key_usable),
    Check("SSH host key", host_key_known),
)
TEMPLATE_CHECKS: tuple[Check[OnHost], ...] = (
    Check(TEMPLATE, template_opens, needs=(MODULE, SECOND_HOP), advice="copy the template anew"),
    Check(GENERATION, generation_plausible, needs=(TEMPLATE,)),
    Check(DISK, enough_disk, needs=(TEMPLATE, CREDENTIALS)),
    Check("secure boot", secure_boot_possible, needs=(BUILD,)),
    Check("become", becomes_root),
)
EXISTING_CHECKS: tuple[Check[OnHost], ...] = (
    Check(VM, vm_is_off, needs=(MODULE,)),
    Check("secure boot", secure_boot_possible, needs=(BUILD, VM)),
    Check("become", becomes_root),
)
