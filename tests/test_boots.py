"""A guest's next boot: told by its boot id, and never by a capture kernel that answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from harness import crash
from harness.bench import Bench
from harness.checks.core import CoreFile
from harness.checks.kdump import parse_ready
from harness.errors import CommandFailed, EvidenceError, GuestUnreachable
from harness.evidence import Evidence, Measured
from harness.guest.shell import Completed
from harness.host.facts import HostFacts
from harness.host.fillers import Fillers
from harness.host.vm import Vm
from harness.inventory.load import load
from harness.inventory.model import FixedAddress
from harness.neighbour import device_of
from harness.units import GiB
from harness.verdict import Outcome, Verdict
from tests.checks.conftest import RECORDED, read
from tests.guest.nofiles import NoFiles
from tests.host.answering import AnsweringHost

INVENTORY = load(Path(__file__).parents[1] / "inventories" / "embedded.yaml")
HOST = INVENTORY.hosts[0]
GUEST = replace(INVENTORY.guests[0], address=FixedAddress("10.0.0.5", 22))
RECORDING = read(RECORDED / "kdump" / "debian-12-qemu-sysrq.pass.txt")
BOOTS = tuple(f"{n}{n}{n}{n}{n}{n}{n}{n}-1111-2222-3333-444455556666" for n in "abcd")
WITHIN = timedelta(seconds=60)
ORDERED = "/var/tmp/hvcert-dump.1"  # noqa: S108  # in a guest


class Booted(NoFiles):
    """A guest in one boot; ``capture``: it is the capture kernel that answers."""

    name = "debian-12"

    def __init__(self, boot: str, *, capture: bool = False) -> None:
        self.boot, self.capture, self.asked = boot, capture, list[tuple[str, ...]]()

    def run(
        self,
        argv: tuple[str, ...],
        *,
        privileged: bool = False,
        stdin: bytes = b"",
        within: timedelta = WITHIN,
    ) -> Completed:
        assert within > timedelta(0)
        self.asked.append(argv)
        log = RECORDING.sections["capture log"]
        answers = {
            "/proc/sys/kernel/random/boot_id": (0, f"{self.boot}\n"),
            "/proc/vmcore": (0 if self.capture else 1, ""),
            "/sys/class/dmi/id/sys_vendor": (0, "QEMU\n"),
            "/sys/class/dmi/id/product_name": (0, "Standard PC\n"),
            "/sys/bus/vmbus/devices": (2, ""),
            "dmesg": (0, log),
            "-r": (0, "6.1.0-56-cloud-amd64\n"),
        }
        status, out = answers.get(argv[-1], (0, ""))
        return Completed(argv, status, out, "" if stdin or privileged or not status else "no")

    def close(self) -> None:
        self.asked.append(("closed",))


def bench(boots: Iterator[Booted | GuestUnreachable]) -> Bench:
    facts = HostFacts(17763, "", "hv", "hvcert", "hvcert stand-in", 32 * GiB, 32 * GiB)
    session = AnsweringHost({})

    def connect(*_: object) -> Booted:
        found = next(boots)
        if isinstance(found, GuestUnreachable):
            raise found
        return found

    return Bench(
        case="KD-01",
        vm=Vm(session, "vm", "id", "switch"),
        host=HOST,
        guest=GUEST,
        host_facts=Measured(facts, ()),
        connect=connect,
        others=no_other,
        fillers=cast("Fillers", None),
        private_switch=str,
    )


def no_other(*, full: bool = False) -> AbstractContextManager[Bench]:
    raise AssertionError(f"a second VM was asked for ({full})")


def test_the_next_boot_is_neither_the_old_one_nor_the_capture_kernel() -> None:
    down = GuestUnreachable("debian-12", "no SSH")
    boots = (Booted(BOOTS[0]), down, Booted(BOOTS[0]), Booted(BOOTS[1], capture=True),
             Booted(BOOTS[2]))  # fmt: skip
    made = bench(iter(boots))
    before = made.boot()
    after = made.next_boot("crashed it", lambda shell: shell.run(("crash",)), WITHIN)
    assert (before.boot_id, after.boot_id) == (BOOTS[0], BOOTS[2])
    assert made.running is after
    assert ("crash",) in boots[0].asked


def test_a_guest_that_is_not_up_has_no_next_boot() -> None:
    with pytest.raises(EvidenceError):
        bench(iter(())).next_boot("crashed it", lambda _: None, WITHIN)


def test_a_core_that_makedumpfile_cannot_open_fails_with_its_words() -> None:
    class Refusing(Booted):
        def run(self, argv: tuple[str, ...], **_: object) -> Completed:
            return Completed(argv, 1, "", "check_and_get_header: not a valid dump\n")

    file = CoreFile("/var/crash/1/dump.1", 1000)
    verdict = crash.read_log(Refusing(BOOTS[0]), file, flattened=True)
    assert isinstance(verdict, Verdict)
    assert verdict.outcome is Outcome.FAIL
    assert "not a valid dump" in verdict.because


def test_a_flattened_core_is_put_in_order_by_the_tool_without_a_shell() -> None:
    guest = Booted(BOOTS[0])
    with pytest.raises(EvidenceError):  # this guest's files are empty
        crash.read_log(guest, CoreFile("/var/crash/1/dump.1", 1000), flattened=True)
    first, second = guest.asked[:2]
    assert first[-3:] == ("makedumpfile", "-R", ORDERED)
    assert "--property=StandardInput=file:/var/crash/1/dump.1" in first
    assert second[:2] == ("makedumpfile", "--dump-dmesg")


class Copying(Booted):
    status = 0

    def save(self, argv: tuple[str, ...], to: Path, **_: object) -> Completed:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(f"the bytes of {argv[-1]}")
        return Completed(argv, self.status, "7 bytes\n", "cut off" if self.status else "")


def test_a_core_is_copied_only_where_that_was_asked_for(tmp_path: Path) -> None:
    file, shell, made = CoreFile("/var/crash/1/dump.1", 7), Copying(BOOTS[0]), bench(iter(()))
    crash.keep(made, shell, file)
    assert (made.story, list(tmp_path.iterdir())) == ([], [])
    made.cores = tmp_path / "debian-12@hv"
    crash.keep(made, shell, file)
    assert (made.cores / "KD-01-dump.1").read_text() == "the bytes of /var/crash/1/dump.1"
    assert made.story == ["kept the core as debian-12@hv/KD-01-dump.1"]
    assert made.context[-1].asked == "cat -- /var/crash/1/dump.1"
    shell.status = 1
    with pytest.raises(CommandFailed, match="cut off"):
        crash.keep(made, shell, file)


def test_a_keeper_refuses_only_when_its_check_fails() -> None:
    proof = (Evidence("ssh", "", "guest"),)
    full = Verdict(Outcome.FAIL, "the target is full", proof)
    fine = Verdict(Outcome.PASS, "room enough", proof)
    keeper = crash.local(bench(iter(())))
    assert replace(keeper, check=lambda: full).refuses() is full
    assert replace(keeper, check=lambda: fine).refuses() is None


def test_the_device_of_a_mac_address_is_found_and_no_other() -> None:
    text = (
        "1: lo: <LOOPBACK,UP> mtu 65536 link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n"
        "2: ens8: <UP> mtu 1500 link/ether 52:54:00:00:00:01 brd ff:ff:ff:ff:ff:ff\n"
        "3: ens9@if4: <UP> mtu 1500 link/ether 52:54:00:99:00:01 brd ff:ff:ff:ff:ff:ff\n"
    )
    assert device_of("52:54:00:99:00:01").parse(text) == "ens9"
    with pytest.raises(EvidenceError):
        device_of("52:54:00:99:00:02").parse(text)
    assert parse_ready("active")


@pytest.mark.parametrize("mib", [63, 64])
def test_a_guest_whose_own_disk_is_full_would_keep_no_core(mib: int) -> None:
    class Small(Booted):
        def run(self, argv: tuple[str, ...], **given: Any) -> Completed:  # noqa: ANN401  # as it is
            found = super().run(argv, **given)
            return replace(found, stdout=f"{mib} {1 << 20}\n") if argv[0] == "stat" else found

    made = bench(iter((Small(BOOTS[0]),)))
    made.boot()
    refused = crash.local(made).refuses()
    assert (refused and refused.because) == (
        "the target is full: the target has 63 MiB free" if mib < 64 else None
    )
