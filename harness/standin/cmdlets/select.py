"""Which VMs, checkpoints and parts a cmdlet's bound parameters name.

Every noun resolves its objects here, so that "no such VM" and "a copy of an object is not the
object" are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, cast
from uuid import UUID

from harness.standin.api import Given, Streams
from harness.standin.faults import Refused, reported
from harness.standin.host import Host
from harness.standin.lifecycle import observe, refresh
from harness.standin.objects import virtual_machine
from harness.standin.parts import Part
from harness.standin.values import Record, Value
from harness.standin.wildcard import has_wildcards, matches
from harness.standin.world import Settings, Snapshot, Vm

LOCAL = (".", "localhost", "127.0.0.1", "::1")


class Source(NamedTuple):
    """A configuration that a Get cmdlet reads: of a VM, or of one of its checkpoints."""

    vm: Vm
    snapshot: Snapshot | None = None

    @property
    def settings(self) -> Settings:
        """Return the configuration."""
        return self.snapshot.settings if self.snapshot else self.vm.settings


def texts(value: Value) -> list[str]:
    """Return a string or list of strings as a list."""
    if value is None:
        return []
    return [str(v) for v in value] if isinstance(value, list) else [str(value)]


def number(given: Given, name: str) -> int | None:
    """Return an integer parameter, None where it was not given."""
    value = given.get(name)
    return value if isinstance(value, int) else None


def live(host: Host, record: Value) -> Vm:
    """Return the VM behind an object; refuse copies and objects of removed VMs."""
    behind = record.live if isinstance(record, Record) else None
    vm = behind.vm if isinstance(behind, Part) else behind
    if not isinstance(vm, Vm):
        raise Refused(
            "InvalidParameter",
            "The object is a copy without its virtual machine (it was sent over the network);"
            " pass the name, or get the object in the same pipeline.",
        )
    if host.world.vms.get(vm.id) is not vm:
        raise Refused("ObjectNotFound", f"The virtual machine '{vm.name}' was removed.", vm.name)
    return vm


def by_name(host: Host, name: str) -> list[Vm]:
    """Return the VMs whose name fits; a plain name that nobody has is refused."""
    with host.lock:
        everyone = list(host.world.vms.values())
    found = [vm for vm in everyone if matches(name, vm.name)]
    if not found and not has_wildcards(name):
        raise Refused(
            "InvalidParameter",
            f'Hyper-V was unable to find a virtual machine with name "{name}".',
            name,
        )
    return sorted(found, key=lambda vm: vm.name.casefold())


def by_id(host: Host, wanted: UUID) -> Vm:
    """Return the VM with an Id."""
    vm = host.world.vms.get(wanted)
    if vm is None:
        message = f"Hyper-V was unable to find a virtual machine with ID {wanted}."
        raise Refused("ObjectNotFound", message, str(wanted))
    return vm


def _here(host: Host, given: Given) -> None:
    for name in texts(given.get("ComputerName")):
        if name.casefold() not in (*LOCAL, host.name.casefold()):
            message = f"The operation on computer '{name}' failed: it is not this host."
            raise Refused("InvalidParameter", message, name)
    if given.flag("AsJob"):
        raise Refused("NotSupported", "-AsJob is not available on the stand-in host.")


def vms(host: Host, given: Given, streams: Streams, key: str = "VMName") -> Iterator[Vm]:
    """Yield the VMs that ``-VM``, or the names in the parameter ``key``, stand for.

    What does not resolve is written as an error; the others are still yielded.
    """
    with reported(given, host.release, streams):
        _here(host, given)
        if "VM" in given:
            given_vms = given["VM"]
            for record in given_vms if isinstance(given_vms, list) else [given_vms]:
                with reported(given, host.release, streams):
                    yield live(host, record)
        for name in texts(given.get(key)):
            with reported(given, host.release, streams):
                yield from by_name(host, name)


def sources(host: Host, given: Given, streams: Streams) -> Iterator[Source]:
    """Yield what a Get cmdlet with -VMName, -VM and -VMSnapshot shall read."""
    if "VMSnapshot" in given:
        with reported(given, host.release, streams):
            yield Source(live(host, given["VMSnapshot"]), snapshot_of(given["VMSnapshot"]))
        return
    for vm in vms(host, given, streams):
        observe(host, vm)
        yield Source(vm)


def snapshot_of(record: Value) -> Snapshot:
    """Return the checkpoint behind an object."""
    behind = record.live if isinstance(record, Record) else None
    if not isinstance(behind, Part) or behind.snapshot is None:
        raise Refused("InvalidParameter", "The object is a copy without its checkpoint.")
    if behind.snapshot.id not in behind.vm.snapshots:
        raise Refused("ObjectNotFound", f"The checkpoint '{behind.snapshot.name}' was removed.")
    return behind.snapshot


def parts(host: Host, given: Given, streams: Streams, name: str) -> Iterator[Part]:
    """Yield the live parts of an object parameter such as -VMHardDiskDrive."""
    value = given.get(name)
    for record in value if isinstance(value, list) else [value]:
        with reported(given, host.release, streams):
            live(host, record)
            yield cast(Part, cast(Record, record).live)


def each(
    host: Host,
    given: Given,
    streams: Streams,
    act: Callable[[Vm], Iterable[Value] | None],
    key: str = "VMName",
) -> Iterator[Value]:
    """Do something with each VM that is named, one change at a time per VM.

    Yields what ``act`` returns, or the VM itself with -Passthru when it returns None.
    """
    for vm in vms(host, given, streams, key):
        with reported(given, host.release, streams):
            yield from locked(host, vm, given, streams, act)


def locked(
    host: Host,
    vm: Vm,
    given: Given,
    streams: Streams,
    act: Callable[[Vm], Iterable[Value] | None],
) -> list[Value]:
    """Do something with one VM while nobody else changes it; return the output."""
    with host.exclusive(vm.id, streams.check):
        if host.world.vms.get(vm.id) is not vm:
            raise Refused("ObjectNotFound", f"The virtual machine '{vm.name}' was removed.")
        refresh(host, vm)
        made = act(vm)
        if made is not None:
            return list(made)
    return [virtual_machine(host, vm)] if given.flag("Passthru") else []
