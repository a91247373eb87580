"""Faults of injected NMIs, at the edge to the machine: the host says that it sent them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from uuid import UUID

from harness.deadline import SYSTEM
from harness.standin.seeded.fault import Fault, Level, tampered

if TYPE_CHECKING:
    from harness.standin.host import Host

OF_FIVE, THIRD = 5, 3
APART = 2.0
"""Seconds between the two deliveries of one NMI: sent at once, they would merge in the guest."""


def _lose_the_third(host: Host) -> None:
    inject, sent = host.machines.inject_nmi, Counter[UUID]()

    def inject_nmi(vm: UUID) -> None:
        sent[vm] += 1
        if sent[vm] % OF_FIVE != THIRD:
            inject(vm)

    host.machines = tampered(host.machines, inject_nmi=inject_nmi)


def _double_the_third(host: Host) -> None:
    inject, sent = host.machines.inject_nmi, Counter[UUID]()

    def inject_nmi(vm: UUID) -> None:
        sent[vm] += 1
        inject(vm)
        if sent[vm] % OF_FIVE == THIRD:
            SYSTEM.sleep(APART)
            inject(vm)

    host.machines = tampered(host.machines, inject_nmi=inject_nmi)


FAULTS = (
    Fault(
        "nmi-lost",
        Level.HOST,
        "of every five NMIs for a VM, the third is not delivered",
        "Machines.inject_nmi",
        _lose_the_third,
    ),
    Fault(
        "nmi-doubled",
        Level.HOST,
        "of every five NMIs for a VM, the third is delivered twice",
        "Machines.inject_nmi",
        _double_the_third,
    ),
)
