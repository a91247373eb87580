"""How IC-01 looks at a guest: which devices it has, which drivers and services they work by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from harness.checks import integration
from harness.checks.integration import BUILT_IN, Module
from harness.checks.sysfs import drivers_above
from harness.checks.vmbus import BOUND, OFFERED
from harness.evidence import Measured

if TYPE_CHECKING:
    from harness.bench import Bench, GuestUnderTest
    from harness.distro.family import Service
    from harness.verdict import Verdict


class Integration:
    """What IC-01 asks of one booted guest; a part that its platform lacks is not-applicable."""

    def __init__(self, bench: Bench, guest: GuestUnderTest) -> None:
        self.bench, self.guest, self.platform = bench, guest, guest.platform

    def verdicts(self) -> Mapping[str, Verdict]:
        """Return the verdict on each part."""
        family, platform = self.bench.family, self.platform
        judged = (
            self._devices(),
            self._root_disk(),
            self._network(),
            self._service("key-value service", platform.key_value_services, family.key_value),
            self._service("backup service", platform.freeze_services, family.freeze),
        )
        return dict(zip(integration.PARTS, judged, strict=True))

    def _devices(self) -> Verdict:
        if not self.platform.has_vmbus:
            return integration.not_applicable("VMBus", self.platform)
        offered, bound = self.guest.measure(OFFERED), self.guest.measure(BOUND)
        drivers = sorted({bound.value[d.id] for d in offered.value if d.id in bound.value})
        return integration.judge_devices(offered, bound, self._modules(drivers))

    def _root_disk(self) -> Verdict:
        source = self.guest.measure(integration.ROOT_SOURCE)
        disk = self.guest.measure(integration.disk_below(source.value))
        what = f"root disk {disk.value}"
        return self._driver(what, "block", disk, self.platform.storage_drivers)

    def _network(self) -> Verdict:
        card = self.guest.measure(integration.DEFAULT_ROUTE)
        what = f"network adapter {card.value}"
        return self._driver(what, "net", card, self.platform.network_drivers)

    def _driver(
        self, what: str, kind: str, name: Measured[str], expected: tuple[str, ...]
    ) -> Verdict:
        path = self.guest.measure(integration.sysfs_of(kind, name.value))
        found = self.guest.measure(drivers_above(path.value))
        seen = Measured(found.value, name.evidence + path.evidence + found.evidence)
        ours = sorted(found.value & set(expected))
        return integration.judge_driver(what, expected, seen, self._modules(ours))

    def _modules(self, drivers: Iterable[str]) -> tuple[Measured[Module], ...]:
        return tuple(self._module(driver) for driver in drivers)

    def _module(self, driver: str) -> Measured[Module]:
        file = self.guest.measure(integration.module_file(driver))
        if file.value == BUILT_IN:
            return Measured(Module(driver, BUILT_IN, ""), file.evidence)
        owner = self.guest.measure(integration.owner_of(file.value, self.bench.family))
        return Measured(Module(driver, file.value, owner.value), file.evidence + owner.evidence)

    def _service(self, what: str, names: tuple[str, ...], service: Service) -> Verdict:
        if not names:
            return integration.not_applicable(what, self.platform)
        units = integration.units_for(names, service)
        return integration.judge_service(what, self.guest.measure(integration.states_of(units)))
