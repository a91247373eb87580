"""The doctor's word on programs: what cases call, found or named with what to install."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.catalogue import cases
from harness.distro import FAMILIES
from harness.doctor.guests import OnHost
from harness.doctor.programs import NEEDED, has_programs, programs_of
from harness.guest.shell import Completed
from harness.inventory.load import load
from tests.guest.nofiles import NoFiles

ROOT = Path(__file__).parents[2]
NOBODY: Any = None


class Shell(NoFiles):
    """A guest that has these programs in /usr/bin."""

    name = "debian-12"

    def __init__(self, *programs: str) -> None:
        self.there = {f"/usr/bin/{name}" for name in programs}

    def run(
        self,
        argv: tuple[str, ...],
        *,
        privileged: bool = False,  # noqa: ARG002  # as GuestShell has it
        stdin: bytes = b"",  # noqa: ARG002
        within: timedelta = timedelta(0),  # noqa: ARG002
    ) -> Completed:
        return Completed(argv, 2, "".join(f"{p}\n" for p in argv if p in self.there), "")


def on(*wanted: str, family: str = "debian", shell: Shell | None = None) -> OnHost:
    guest = load(ROOT / "inventories" / "embedded.yaml").guests[0]
    return OnHost(replace(guest, cases=wanted, family=family), NOBODY, shell)


def test_a_guest_that_has_all_is_good() -> None:
    said = has_programs(on("VHD-01", shell=Shell("fio", "resize2fs", "mkfs.xfs", "xfs_growfs")))
    assert said.ok
    assert said.text == "fio, resize2fs, mkfs.xfs, xfs_growfs are there"


def test_what_a_guest_lacks_is_named_with_the_install_command() -> None:
    said = has_programs(on("VHD-01", shell=Shell("resize2fs", "mkfs.xfs", "xfs_growfs")))
    assert said.ok is False
    assert said.text == "lacks fio"
    assert said.advice == "in the guest, as root: apt-get install -y fio"


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_of_a_guest_that_is_not_up_the_packages_are_named_and_nothing_is_claimed(
    family: str,
) -> None:
    said = has_programs(on(family=family))
    assert said.ok is None
    assert "install" in said.advice
    assert all(p in said.text for p in programs_of(on(family=family)))


def test_only_the_cases_of_this_guest_count() -> None:
    assert programs_of(on("NMI-01", "MMIO-02")) == ()
    assert has_programs(on("NMI-01")).ok
    assert programs_of(on("KX-01", "NMI-01")) == ("kexec",)


def test_every_feature_of_the_table_has_cases() -> None:
    there = {case.partition("-")[0] for case, *_ in cases(ROOT / "testcases")}
    known = {"BAK", "DM", "FB", "IC", "KD", "KX", "MMIO", "NMI", "VHD"}
    assert there <= known
    assert {kind.partition("-")[0] for kind in NEEDED} <= known
    assert programs_of(on("DM-07")) == ("stress-ng", "apache2", "ab")
    assert programs_of(on("DM-01")) == ("stress-ng",)
