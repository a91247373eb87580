"""kdump and kexec: a crash leaves a whole core of this crash; the guest comes back by itself."""

from __future__ import annotations

import pytest

from harness import crash, hang, kexec
from harness.bench import Bench, Certify
from harness.checks import kdump
from harness.neighbour import keeper_by_nfs, keeper_by_ssh

pytestmark = pytest.mark.feature("kdump")


@pytest.mark.case("KD-01")
@pytest.mark.saved_state
def test_a_crash_leaves_a_whole_core_on_the_local_disk(bench: Bench, certify: Certify) -> None:
    crash.needs_dumps(bench)
    certify(crash.prove(bench, crash.local(bench), kdump.SYSRQ, crash.by_sysrq))


@pytest.mark.long  # three boots of two guests: minutes on two cores without virtualisation
@pytest.mark.needs(guests=2)
@pytest.mark.case("KD-02")
def test_a_crash_leaves_a_whole_core_at_a_neighbour_over_ssh(
    bench: Bench, certify: Certify
) -> None:
    crash.needs_dumps(bench)
    with keeper_by_ssh(bench) as keeper:
        certify(crash.prove(bench, keeper, kdump.SYSRQ, crash.by_sysrq))


@pytest.mark.long
@pytest.mark.needs(guests=2)
@pytest.mark.case("KD-03")
def test_a_crash_leaves_a_whole_core_at_a_neighbour_over_nfs(
    bench: Bench, certify: Certify
) -> None:
    crash.needs_dumps(bench)
    with keeper_by_nfs(bench) as keeper:
        certify(crash.prove(bench, keeper, kdump.SYSRQ, crash.by_sysrq))


@pytest.mark.long  # five minutes on two cores without virtualisation
@pytest.mark.case("KD-04", "NMI-03")
@pytest.mark.saved_state
def test_an_nmi_dumps_a_guest_that_hangs(bench: Bench, certify: Certify) -> None:
    crash.needs_dumps(bench)
    dumped, panicked = hang.prove(bench)
    certify(dumped)
    certify(panicked, case="NMI-03")


@pytest.mark.case("KX-01")
@pytest.mark.saved_state
def test_kexec_boots_the_kernel_that_was_loaded(bench: Bench, certify: Certify) -> None:
    certify(kexec.prove(bench))


@pytest.mark.long
@pytest.mark.case("KD-05")
@pytest.mark.saved_state
def test_a_crash_on_another_cpu_leaves_a_whole_core(bench: Bench, certify: Certify) -> None:
    crash.needs_dumps(bench)
    certify(crash.prove(bench, crash.local(bench), kdump.SYSRQ, crash.by_sysrq_on(1), cpu=1))
