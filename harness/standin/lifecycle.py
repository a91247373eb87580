"""State changes of a VM: what is allowed when, and what the machine behind it has to do.

Callers hold ``host.exclusive(vm.id, …)``. A change that the machine refuses (MachineError) leaves
the world as it was; one that ``faults.Refused`` refuses never reaches the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta

from harness.deadline import wait_for
from harness.errors import DeadlineExceeded
from harness.standin import layers, paths
from harness.standin.faults import Refused
from harness.standin.host import Host, now
from harness.standin.machines import DiskSpec, HotPlug, MachineError, MachineSpec, NicSpec
from harness.standin.notices import Notice
from harness.standin.parts import hardware_address
from harness.standin.payload import driver_of, payload_of
from harness.standin.world import Adapter, Drive, Ram, Vm

SETTLED = ("Off", "Running", "Paused", "Saved")
STARTED, TURNED_OFF, ENDED, RESET_BY_GUEST, CRASHED = 18500, 18502, 18508, 18514, 18590


def observe(host: Host, vm: Vm) -> None:
    """Take over what became of the machine, unless the VM is just changing state.

    A machine that lives and does not answer keeps the state that it was last seen in.
    """
    with host.if_idle(vm.id) as held, suppress(MachineError):
        if held:
            refresh(host, vm)


def refresh(host: Host, vm: Vm) -> None:
    """Take over what became of the machine: ended by the guest, died, or stopped."""
    if vm.state not in ("Running", "Paused"):
        return
    seen = host.machines.state(vm.id)
    if seen == "off":
        _settle(host, vm, "Off")
        host.record(ENDED, f"'{vm.name}' was shut down by the guest, or its machine ended.", vm.id)
    else:
        vm.state = {"running": "Running", "paused": "Paused"}[seen]
        for notice in host.machines.notices(vm.id):
            _take_note(host, vm, notice)


def _take_note(host: Host, vm: Vm, notice: Notice) -> None:
    """Log what the guest did by itself; a guest that restarts is heard anew, the VM runs on."""
    if notice is Notice.RESET:
        vm.heard = False
        host.record(RESET_BY_GUEST, f"'{vm.name}' was reset by the guest operating system.", vm.id)
    else:
        told = f"'{vm.name}' has encountered a fatal error, as its guest operating system reported."
        host.record(CRASHED, told, vm.id, "Critical")


def require(vm: Vm, *states: str) -> None:
    """Refuse unless the VM is in one of the states."""
    if vm.state not in states:
        raise Refused(
            "InvalidState",
            f"The operation on '{vm.name}' failed. The operation cannot be performed while the"
            f" virtual machine is in its current state ({vm.state}).",
        )


@contextmanager
def changing(host: Host, vm: Vm, between: str, to: str) -> Iterator[None]:
    """Show the state in between while the block runs, then the new one, or the old on failure."""
    before, vm.state = vm.state, between
    try:
        yield
    except BaseException:
        vm.state = before
        raise
    _settle(host, vm, to)


def _settle(host: Host, vm: Vm, state: str) -> None:
    vm.state, vm.changed = state, now()
    if state in ("Off", "Saved"):
        vm.heard, vm.ram.demand = False, 0
        if state == "Off":
            vm.ram = Ram()
        try:
            layers.collapse(host, vm)
        except MachineError as failed:
            host.record(19100, f"'{vm.name}': disks could not be merged: {failed}", vm.id, "Error")


def start(host: Host, vm: Vm) -> None:
    """Start from Off, or from the saved state."""
    require(vm, "Off", "Saved")
    _disks_are_there(host, vm)
    _memory_is_free(host, vm)
    for adapter in vm.settings.adapters:
        adapter.mac = adapter.mac or next_mac(host)
    resumed = vm.saved
    if not resumed:
        vm.ram = Ram(target=vm.settings.memory.startup)
    with changing(host, vm, "Starting", "Running"):
        host.machines.start(spec(host, vm), host.local(resumed) if resumed else None)
    vm.saved = None
    if resumed:
        host.remove(resumed)
    host.record(STARTED, f"'{vm.name}' started successfully.", vm.id)


def next_mac(host: Host) -> str:
    """Return a MAC address from the host's pool, as cmdlets show it."""
    with host.lock:
        host.world.macs += 1
        return f"00155D{host.world.macs:06X}"


def spec(host: Host, vm: Vm) -> MachineSpec:
    """Return what QEMU needs to know to run the VM."""
    settings = vm.settings
    nics = (nic(host, a, n) for n, a in enumerate(settings.adapters))
    return MachineSpec(
        id=vm.id,
        name=vm.name,
        memory=settings.memory.startup,
        processors=settings.processor.count,
        low_gap=settings.low_gap,
        disks=tuple(disk_of(host, d) for d in sorted(layers.hard_disks(settings), key=_order)),
        nics=tuple(nics),
        log=host.log_of(vm.id),
        hot_plug=HotPlug(host.memory, vm.ram.modules) if settings.memory.dynamic else None,
        resolution=settings.video.preferred,
        largest=settings.video.largest,
    )


def nic(host: Host, adapter: Adapter, index: int) -> NicSpec:
    """Return a VM's n-th adapter (from 0) as the guest sees it."""
    switch = host.world.switches.get(adapter.switch) if adapter.switch else None
    mac = hardware_address(adapter, index)
    if switch is not None and switch.kind == "Private":
        return NicSpec(mac, None, switch.id)
    return NicSpec(mac, host.address_of(adapter.id) if adapter.switch else None)


def _order(drive: Drive) -> tuple[str, int, int]:
    return drive.place


def disk_of(host: Host, drive: Drive) -> DiskSpec:
    """Return what QEMU needs to know of a drive."""
    local = host.local(drive.path)
    spec = DiskSpec(local, drive.controller, drive.number, drive.location)
    if not local.exists():
        return spec
    disk = payload_of(local)
    if disk is None:
        return replace(spec, format=driver_of(local))
    size = None if disk.open_end else disk.size
    return replace(spec, format="raw", offset=disk.offset, size=size)


def _disks_are_there(host: Host, vm: Vm) -> None:
    others = [v for v in host.world.vms.values() if v is not vm and v.state != "Off"]
    for drive in layers.hard_disks(vm.settings):
        if not host.is_file(drive.path):
            raise Refused(
                "OperationFailed",
                f"'{vm.name}' failed to start. The file '{drive.path}' of a virtual disk was not"
                " found.",
            )
        user = next((v for v in others if uses(v, drive.path)), None)
        if user:
            raise Refused(
                "ObjectInUse",
                f"'{vm.name}' failed to start. The virtual disk '{drive.path}' is used by"
                f" '{user.name}'.",
            )


def uses(vm: Vm, path: str) -> bool:
    """Tell whether a file is one of the VM's hard disks."""
    return any(paths.same(d.path, path) for d in layers.hard_disks(vm.settings))


def free_memory(host: Host) -> int:
    """Return the bytes of the host's memory budget that no VM has."""
    return host.memory - sum(_assigned(host, vm) for vm in list(host.world.vms.values()))


def _assigned(host: Host, vm: Vm) -> int:
    try:
        return host.machines.assigned(vm.id)
    except MachineError:  # it lives but does not answer: it has at least what it started with
        return vm.settings.memory.startup


def _memory_is_free(host: Host, vm: Vm) -> None:
    wanted = vm.ram.target if vm.saved and vm.ram.target else vm.settings.memory.startup
    if wanted > free_memory(host):
        raise Refused(
            "OutOfMemory",
            f"'{vm.name}' failed to start. Not enough memory in the system to start the virtual"
            f" machine with {wanted >> 20} MB.",
        )


def turn_off(host: Host, vm: Vm) -> None:
    """Cut the power."""
    require(vm, "Running", "Paused")
    with changing(host, vm, "Stopping", "Off"):
        host.machines.kill(vm.id)
    host.record(TURNED_OFF, f"'{vm.name}' was turned off.", vm.id)


def shut_down(host: Host, vm: Vm, check: Callable[[], None]) -> None:
    """Ask the guest to shut down and wait for it; ``check`` is called while waiting."""
    require(vm, "Running")
    with changing(host, vm, "Stopping", "Off"):
        if not host.machines.shut_down(vm.id, min(host.shutdown_limit, 5.0)):
            _await_off(host, vm, check)
    host.record(ENDED, f"'{vm.name}' was shut down by the guest.", vm.id)


def _await_off(host: Host, vm: Vm, check: Callable[[], None]) -> None:
    def off() -> bool | None:
        check()
        return True if host.machines.state(vm.id) == "off" else None

    left = timedelta(seconds=max(0.0, host.shutdown_limit - 5.0))
    try:
        wait_for(f"the end of {vm.name}", off, left)
    except DeadlineExceeded:
        raise Refused(
            "OperationFailed",
            f"'{vm.name}' failed to shut down: the guest did not end within"
            f" {host.shutdown_limit:.0f} s.",
        ) from None


def save(host: Host, vm: Vm) -> None:
    """Write memory and devices to a file and end the machine."""
    require(vm, "Running", "Paused")
    path = paths.join(vm.path, "Virtual Machines", f"{str(vm.id).upper()}.VMRS")
    with changing(host, vm, "Saving", "Saved"):
        host.machines.save(vm.id, host.folder_for(path))
        vm.saved = path


def discard_saved(host: Host, vm: Vm) -> None:
    """Throw the saved state away: the VM is Off."""
    require(vm, "Saved")
    path, vm.saved = vm.saved, None
    _settle(host, vm, "Off")
    if path:
        host.remove(path)


def pause(host: Host, vm: Vm) -> None:
    """Stop the processors."""
    require(vm, "Running")
    with changing(host, vm, "Pausing", "Paused"):
        host.machines.pause(vm.id)


def resume(host: Host, vm: Vm) -> None:
    """Let the processors run."""
    require(vm, "Paused")
    with changing(host, vm, "Resuming", "Running"):
        host.machines.resume(vm.id)


def reset(host: Host, vm: Vm) -> None:
    """Press reset."""
    require(vm, "Running")
    host.machines.reset(vm.id)
    vm.heard, vm.changed = False, now()


def inject_nmi(host: Host, vm: Vm) -> None:
    """Inject one non-maskable interrupt; only a running VM can take it."""
    if vm.state != "Running":
        raise Refused(
            "InvalidState",
            f"Cannot inject a non-maskable interrupt into the virtual machine '{vm.name}': it is"
            f" {vm.state}, and only a running virtual machine can receive one.",
        )
    host.machines.inject_nmi(vm.id)
