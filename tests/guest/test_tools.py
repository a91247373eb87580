from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.distro import FAMILIES
from harness.errors import GuestLacksTool
from harness.guest.tools import require

if TYPE_CHECKING:
    from tests.guest.conftest import LocalShell


def test_programs_that_are_there_leave_their_proof(here: LocalShell) -> None:
    (proof,) = require(here, FAMILIES["debian"], "lsblk", "findmnt")
    assert "/usr/bin/lsblk" in proof.answer


def test_what_is_missing_is_said_with_its_package_and_the_familys_install_command(
    here: LocalShell,
) -> None:
    lacking = FAMILIES["debian"].package_of("evtest")
    assert lacking == "evtest"
    with pytest.raises(GuestLacksTool) as caught:
        require(here, FAMILIES["debian"], "lsblk", "evtest", "rpc.nfsd", "mount.nfs")
    assert str(caught.value) == (
        "guest here: lacks evtest, rpc.nfsd (package nfs-kernel-server), mount.nfs (package"
        " nfs-common); in the guest, as root: apt-get install -y evtest nfs-kernel-server"
        " nfs-common"
    )
    assert caught.value.missing[0] == ("evtest", "evtest")


def test_a_program_that_no_record_knows_is_a_fault_of_the_harness(here: LocalShell) -> None:
    with pytest.raises(KeyError):
        require(here, FAMILIES["suse"], "no-such-program")
