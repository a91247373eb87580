"""Get-, Enable- and Disable-VMIntegrationService."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from harness.standin import devices
from harness.standin.api import Given, Streams
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets.select import locked, parts, sources, texts, vms
from harness.standin.faults import Refused, reported
from harness.standin.host import Host
from harness.standin.machines import GuestReport
from harness.standin.parts import Part, report_of
from harness.standin.values import Value
from harness.standin.wildcard import has_wildcards, matches
from harness.standin.world import Settings, Vm


def _names(settings: Settings, given: Given) -> list[str]:
    wanted = texts(given.get("Name")) or ["*"]
    for name in wanted:
        if not has_wildcards(name) and not any(matches(name, n) for n in settings.services):
            message = f"No integration service is named '{name}'."
            raise Refused("InvalidParameter", message, name)
    return [n for n in settings.services if any(matches(w, n) for w in wanted)]


def get_services(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Get-VMIntegrationService."""
    for source in sources(host, given, streams):
        with reported(given, host.release, streams):
            report = GuestReport() if source.snapshot else report_of(host, source.vm)
            for name in _names(source.settings, given):
                yield devices.service(host, Part(source.vm, name, source.snapshot), report)


def _targets(host: Host, given: Given, streams: Streams) -> Iterator[tuple[Vm, str]]:
    if "VMIntegrationService" in given:
        for part in parts(host, given, streams, "VMIntegrationService"):
            yield part.vm, cast(str, part.item)
        return
    for vm in vms(host, given, streams):
        with reported(given, host.release, streams):
            yield from ((vm, name) for name in _names(vm.settings, given))


def _switch(host: Host, given: Given, streams: Streams, *, on: bool) -> Iterable[Value]:
    for vm, name in list(_targets(host, given, streams)):
        with reported(given, host.release, streams):

            def act(vm: Vm, name: str = name) -> list[Value]:
                vm.settings.services[name] = on
                return []

            locked(host, vm, given, streams, act)
            if given.flag("Passthru"):
                yield devices.service(host, Part(vm, name), report_of(host, vm))


def enable_services(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Enable-VMIntegrationService."""
    return _switch(host, given, streams, on=True)


def disable_services(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Disable-VMIntegrationService."""
    return _switch(host, given, streams, on=False)


CMDLETS = (
    Cmdlet("Get-VMIntegrationService", get_services),
    Cmdlet("Enable-VMIntegrationService", enable_services),
    Cmdlet("Disable-VMIntegrationService", disable_services),
)
