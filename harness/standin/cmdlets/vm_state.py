"""Start, Stop, Save, Suspend, Resume, Restart, Wait and Debug-VM, Remove-VMSavedState."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from harness.deadline import wait_for
from harness.errors import DeadlineExceeded
from harness.standin import lifecycle
from harness.standin.api import Given, Streams
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets.select import each, number, texts, vms
from harness.standin.faults import Refused, need_force, reported
from harness.standin.host import Host
from harness.standin.objects import virtual_machine
from harness.standin.parts import report_of
from harness.standin.values import Value
from harness.standin.world import Vm

ALREADY = "The virtual machine is already in the specified state."


def _to(
    host: Host, given: Given, streams: Streams, state: str, change: Callable[[Vm], None]
) -> Iterable[Value]:
    """Bring VMs into a state; those that are in it already get a warning, as Hyper-V does."""

    def act(vm: Vm) -> None:
        if vm.state == state:
            streams.warning(ALREADY)
        else:
            change(vm)

    return each(host, given, streams, act, "Name")


def start_vm(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Start-VM: from Off or the saved state; a paused VM goes on."""

    def change(vm: Vm) -> None:
        if vm.state == "Paused":
            lifecycle.resume(host, vm)
        else:
            lifecycle.start(host, vm)

    return _to(host, given, streams, "Running", change)


def stop_vm(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Stop-VM: by the guest, with -TurnOff at once, with -Save to the saved state."""
    if given.flag("Save"):
        return save_vm(host, given, streams)

    def change(vm: Vm) -> None:
        if given.flag("TurnOff"):
            lifecycle.turn_off(host, vm)
        else:
            lifecycle.shut_down(host, vm, streams.check)

    return _to(host, given, streams, "Off", change)


def save_vm(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Save-VM."""
    return _to(host, given, streams, "Saved", lambda vm: lifecycle.save(host, vm))


def suspend_vm(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Suspend-VM."""
    return _to(host, given, streams, "Paused", lambda vm: lifecycle.pause(host, vm))


def resume_vm(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Resume-VM."""
    return _to(host, given, streams, "Running", lambda vm: lifecycle.resume(host, vm))


def restart_vm(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Restart-VM: presses reset; with -Wait until the guest is heard again."""
    need_force(given, host.release, f"Restart {', '.join(texts(given.get('Name')))}?")

    done: list[Vm] = []

    def act(vm: Vm) -> None:
        lifecycle.reset(host, vm)
        done.append(vm)

    yield from each(host, given, streams, act, "Name")
    for vm in done if given.flag("Wait") else ():
        with reported(given, host.release, streams):
            _await_guest(host, given, vm, streams)


def wait_vm(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Wait-VM: until the heartbeat, or an IP address, is there."""
    for vm in vms(host, given, streams, "Name"):
        with reported(given, host.release, streams):
            _await_guest(host, given, vm, streams)
            if given.flag("Passthru"):
                yield virtual_machine(host, vm)


def _await_guest(host: Host, given: Given, vm: Vm, streams: Streams) -> None:
    kind = str(given.get("For", "Heartbeat"))
    seconds = number(given, "Timeout")
    limit = timedelta(days=365) if seconds is None or seconds < 0 else timedelta(seconds=seconds)

    def there() -> bool | None:
        streams.check()
        lifecycle.observe(host, vm)
        report = report_of(host, vm)
        return (report.heartbeat if kind == "Heartbeat" else bool(report.addresses)) or None

    every = timedelta(seconds=min(number(given, "Delay") or 1, 5))
    try:
        wait_for(f"{kind} of {vm.name}", there, limit, every=every)
    except DeadlineExceeded as late:
        raise Refused("OperationFailed", str(late)) from None


def debug_vm(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Debug-VM -InjectNonMaskableInterrupt: one NMI; returns when the machine took it."""
    need_force(given, host.release, "Send a non-maskable interrupt?")
    if not given.flag("InjectNonMaskableInterrupt"):
        return ()
    return each(host, given, streams, lambda vm: lifecycle.inject_nmi(host, vm), "Name")


def remove_saved_state(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Remove-VMSavedState."""
    return each(host, given, streams, lambda vm: lifecycle.discard_saved(host, vm))


CMDLETS = (
    Cmdlet("Start-VM", start_vm),
    Cmdlet("Stop-VM", stop_vm),
    Cmdlet("Save-VM", save_vm),
    Cmdlet("Suspend-VM", suspend_vm),
    Cmdlet("Resume-VM", resume_vm),
    Cmdlet("Restart-VM", restart_vm),
    Cmdlet("Wait-VM", wait_vm),
    Cmdlet("Debug-VM", debug_vm),
    Cmdlet("Remove-VMSavedState", remove_saved_state),
)
