from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.checks import integration
from harness.checks.integration import Module
from harness.checks.platform import HYPER_V, STAND_IN
from harness.checks.sysfs import parse_drivers
from harness.checks.vmbus import parse_bound, parse_offered
from harness.distro import FAMILIES
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured
from harness.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from tests.checks.conftest import Recording

FOLDER = "integration"
RECORDED = Path(__file__).parent.parent / "recorded" / FOLDER / "real" / "debian-12-qemu.txt"
DEBIAN = FAMILIES["debian"]
IDE_DISK = "../../../../bus/scsi/drivers/sd\n../../../bus/pci/drivers/ata_piix\n"
KERNEL = "linux-image-6.1.0-56-amd64"


def module(recording: Recording, driver: str) -> Measured[Module]:
    file = recording.measured(f"modinfo {driver}", integration.parse_module_file)
    if file.value == integration.BUILT_IN:
        return Measured(Module(driver, file.value, ""), file.evidence)
    owner = recording.measured(f"dpkg {driver}", DEBIAN.owner_of)
    return Measured(Module(driver, file.value, owner.value), file.evidence + owner.evidence)


def judged(recording: Recording) -> Verdict:
    offered = recording.measured("class_id", parse_offered)
    bound = recording.measured("drivers", parse_bound)
    return integration.judge_devices(
        offered, bound, [module(recording, d) for d in sorted(set(bound.value.values()))]
    )


def test_devices_of_the_vmbus_are_judged_as_recorded(recording: Recording, outcome: str) -> None:
    if outcome == "error":
        with pytest.raises(EvidenceError):
            judged(recording)
        return
    verdict = judged(recording)
    assert verdict.outcome.value == outcome, verdict.because
    if outcome == "pass":
        assert "5 devices are bound" in verdict.because
        assert "1 of a class that Linux has no driver for" in verdict.because


@pytest.mark.parametrize(
    ("kind", "driver", "wrong"),
    [("block", "ata_piix", HYPER_V.storage_drivers), ("net", "virtio_net", ("virtio_scsi",))],
)
def test_a_real_guest_passes_by_its_platforms_drivers_and_not_by_others(
    read_recording: Callable[[Path], Recording], kind: str, driver: str, wrong: tuple[str, ...]
) -> None:
    recorded = read_recording(RECORDED)
    found = recorded.measured(f"drivers {kind}", parse_drivers)
    modules = [module(recorded, driver)]
    right = integration.judge_driver(kind, (driver,), found, modules)
    assert right.outcome is Outcome.PASS, right.because
    assert integration.judge_driver(kind, wrong, found, modules).outcome is Outcome.FAIL


def test_what_a_real_guest_answers_is_read(
    read_recording: Callable[[Path], Recording],
) -> None:
    recorded = read_recording(RECORDED)
    assert recorded.measured("findmnt", integration.parse_source).value == "/dev/sda1"
    assert recorded.measured("lsblk", integration.parse_root_disk).value == "sda"
    assert recorded.measured("ip route", integration.parse_default_route).value == "ens8"
    states = recorded.measured("systemctl", integration.parse_states)
    assert integration.judge_service("backup service", states).outcome is Outcome.PASS


def drivers(text: str) -> Measured[frozenset[str]]:
    return Measured(parse_drivers(text), (Evidence("find driver", text, "guest g1"),))


def of_kernel(driver: str, package: str = KERNEL) -> Measured[Module]:
    file = f"/lib/modules/6.1.0-56-amd64/{driver}.ko"
    proof = (Evidence("dpkg --search", f"{package}: {file}", "guest g1"),)
    return Measured(Module(driver, file, package), proof)


def test_a_disk_on_a_driver_of_the_platform_passes_and_names_it() -> None:
    modules = [of_kernel("ata_piix")]
    found = drivers(IDE_DISK)
    verdict = integration.judge_driver("root disk", STAND_IN.storage_drivers, found, modules)
    assert verdict.outcome is Outcome.PASS
    assert "driven by ata_piix, of the distribution's own kernel" in verdict.because


def test_an_emulated_disk_on_hyper_v_fails() -> None:
    verdict = integration.judge_driver(
        "root disk", HYPER_V.storage_drivers, drivers(IDE_DISK), [of_kernel("ata_piix")]
    )
    assert verdict.outcome is Outcome.FAIL
    assert "driven by ata_piix, sd, not by hv_storvsc" in verdict.because


@pytest.mark.parametrize(
    ("package", "outcome"),
    [
        ("linux-image-6.1.0-56-amd64", Outcome.PASS),
        ("linux-image-6.1.0-56-cloud-amd64", Outcome.PASS),
        ("linux-modules-extra-5.15.0-1041-azure", Outcome.PASS),
        ("kernel-core", Outcome.PASS),
        ("kernel-uek-modules-core", Outcome.PASS),
        ("kernel-default", Outcome.PASS),
        ("kmod-microsoft-hyper-v", Outcome.FAIL),
        ("microsoft-hyper-v", Outcome.FAIL),
        ("dkms", Outcome.FAIL),
        ("kernelcare", Outcome.FAIL),
    ],
)
def test_only_kernel_packages_count(package: str, outcome: Outcome) -> None:
    assert integration.judge_module(of_kernel("hv_netvsc", package)).outcome is outcome


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("Id=hypervvssd.service\nActiveState=active\n", Outcome.PASS),
        ("Id=a.service\nActiveState=inactive\n\nId=b.service\nActiveState=active\n", Outcome.PASS),
        ("Id=hypervvssd.service\nActiveState=inactive\n", Outcome.FAIL),
        ("Id=hypervvssd.service\nActiveState=activating\n", Outcome.FAIL),
    ],
)
def test_a_service_runs_when_one_of_its_units_is_active(text: str, outcome: Outcome) -> None:
    proof = (Evidence("systemctl show", text, "guest g1"),)
    states = Measured(integration.parse_states(text), proof)
    assert integration.judge_service("backup service", states).outcome is outcome


def test_all_units_of_a_service_are_named() -> None:
    def said(*states: str) -> str:
        text = "\n".join(
            f"Id={n}.service\nActiveState={s}\n" for n, s in zip("ab", states, strict=True)
        )
        proof = (Evidence("systemctl show", text, "guest g1"),)
        measured = Measured(integration.parse_states(text), proof)
        return integration.judge_service("backup service", measured).because

    assert said("inactive", "failed") == (
        "no backup service runs: a.service is inactive, b.service is failed"
    )
    assert said("active", "active") == "the backup service runs: a.service, b.service"


def test_a_device_without_a_driver_says_so() -> None:
    proof = (Evidence("find /sys", "", "guest g1"),)
    none = Measured(frozenset[str](), proof)
    verdict = integration.judge_driver("root disk", STAND_IN.storage_drivers, none, [])
    assert "the root disk is driven by no driver, not by " in verdict.because
    two = Measured(frozenset({"ata_piix", "virtio_scsi"}), proof)
    both = integration.judge_driver("root disk", STAND_IN.storage_drivers, two, [])
    assert "driven by ata_piix, virtio_scsi, of" in both.because


def test_a_service_is_asked_for_by_the_familys_names_where_they_meet_the_platforms() -> None:
    units = integration.units_for(HYPER_V.freeze_services, DEBIAN.freeze)
    assert "hyperv-daemons.hv-vss-daemon" in units
    assert integration.units_for(STAND_IN.freeze_services, DEBIAN.freeze) == ("qemu-guest-agent",)


def test_a_part_that_the_platform_lacks_is_not_applicable() -> None:
    verdict = integration.not_applicable("VMBus", STAND_IN)
    assert (verdict.outcome, verdict.because) == (
        Outcome.NOT_APPLICABLE,
        "the platform stand-in has no VMBus",
    )


def test_answers_of_the_guest_are_read() -> None:
    assert integration.parse_source("/dev/sda2[/@]\n") == "/dev/sda2"
    assert integration.parse_root_disk("sda1 part\nsda  disk\n") == "sda"
    assert integration.parse_root_disk("vg-root lvm\n└─sdb3 part\n  └─sdb disk\n") == "sdb"
    route = "default via 10.0.2.2 dev ens8 proto static \n"
    assert integration.parse_default_route(route) == "ens8"
    assert integration.parse_default_route(f"10.0.2.0/24 dev ens9 scope link\n{route}") == "ens8"
    assert integration.parse_module_file("name:           ext4\n(builtin)\n") == "(builtin)"


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (integration.parse_source, "overlay\n"),
        (integration.parse_root_disk, "loop0 loop\n"),
        (integration.parse_default_route, ""),
        (integration.parse_module_file, "modinfo: ERROR: Module x not found.\n"),
        (integration.parse_states, ""),
    ],
)
def test_an_answer_that_says_nothing_is_an_error(parse: object, text: str) -> None:
    with pytest.raises(EvidenceError):
        parse(text)  # type: ignore[operator]


NETWORK = "F8615163-DF3E-46C5-913F-F2D2F965ED0E"
OFFER = f"/sys/bus/vmbus/devices/vmbus_1/class_id:{{{NETWORK}}}\n"


def test_a_class_in_capitals_is_the_same_class_and_a_driver_s_module_is_no_device() -> None:
    offered = Measured(parse_offered(OFFER), (Evidence("class_id", OFFER, "guest g1"),))
    links = "hv_netvsc vmbus_1\nhv_netvsc module\n"
    assert parse_bound(links) == {"vmbus_1": "hv_netvsc"}
    bound = Measured(parse_bound(links), (Evidence("drivers", links, "guest g1"),))
    verdict = integration.judge_devices(offered, bound, [of_kernel("hv_netvsc")])
    assert verdict.because == "1 devices are bound, each to its in-tree driver"
