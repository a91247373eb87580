from __future__ import annotations

import pytest

from harness.checks.platform import (
    HYPER_V,
    PLATFORM_PROBES,
    STAND_IN,
    STAND_IN_HOST,
    identify,
    parse_hypervisor,
    parse_line,
)
from harness.distro import FAMILIES
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured
from harness.inventory import model

DELL = ("Dell Inc.", "PowerEdge R740")
VMBUS = "2450ee40-33bf-4fbd-892e-9fb06e9214cf"


def seen(vendor: str, product: str, vmbus: str, detected: str) -> dict[str, Measured[str]]:
    values = dict(zip(PLATFORM_PROBES, (vendor, product, vmbus, detected), strict=True))
    return {k: Measured(v, (Evidence(k, v, "guest g1"),)) for k, v in values.items()}


ON_HYPER_V = seen("Microsoft Corporation", "Virtual Machine", VMBUS, "Microsoft Hyper-V")
ON_STAND_IN = seen("QEMU", "Standard PC (i440FX + PIIX, 1996)", "", "")


def test_a_guest_of_hyper_v_on_any_make_of_host_is_hyper_v_without_a_banner() -> None:
    assert identify(ON_HYPER_V, *DELL) is HYPER_V
    assert HYPER_V.banner == ""


def test_the_stand_in_is_known_by_guest_and_host_together() -> None:
    assert identify(ON_STAND_IN, *STAND_IN_HOST) is STAND_IN
    assert STAND_IN.banner == "STAND-IN"


@pytest.mark.parametrize(
    ("guest", "host"),
    [
        (ON_HYPER_V, STAND_IN_HOST),
        (ON_STAND_IN, DELL),
        (seen("VMware, Inc.", "VMware7,1", "", "VMware"), DELL),
        (seen("Microsoft Corporation", "Virtual Machine", "", "Microsoft Hyper-V"), DELL),
        (seen("Microsoft Corporation", "Virtual Machine", VMBUS, "Xen PV"), DELL),
        (seen("Microsoft Corporation", "Virtual Machine", VMBUS, ""), DELL),
        (seen("QEMU", "x", VMBUS, ""), STAND_IN_HOST),
        (seen("QEMU", "x", "", "Microsoft Hyper-V"), STAND_IN_HOST),
    ],
)
def test_disagreement_or_an_unknown_platform_is_an_error(
    guest: dict[str, Measured[str]], host: tuple[str, str]
) -> None:
    with pytest.raises(EvidenceError):
        identify(guest, *host)


def test_the_hypervisor_is_whom_the_kernel_recognised() -> None:
    boot = "[    0.000000] Linux version 6.1.0\n"
    assert parse_hypervisor(boot) == ""
    assert parse_hypervisor(boot + "[    0.000000] Hypervisor detected: KVM\n") == "KVM"
    with pytest.raises(EvidenceError, match="wrapped"):
        parse_hypervisor("[ 9999.000000] usb 1-1: new device\n")


def test_every_family_of_the_inventory_has_a_record() -> None:
    assert set(FAMILIES) == set(model.FAMILIES)


def test_a_dmi_file_is_one_line_of_text() -> None:
    assert parse_line(" QEMU \n") == "QEMU"
    for empty in ("", " \n"):
        with pytest.raises(EvidenceError, match="DMI: no text in"):
            parse_line(empty)


def test_of_an_answer_of_many_lines_the_first_is_told() -> None:
    with pytest.raises(EvidenceError) as told:
        identify(seen("VMware, Inc.\nsecond", "VMware7,1", "", "VMware"), *DELL)
    assert "DMI vendor ['VMware, Inc.'], DMI product" in str(told.value)
    assert "second" not in str(told.value)
