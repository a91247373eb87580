"""NMI: what the host injects arrives on the processors that this Windows release delivers to."""

from __future__ import annotations

import pytest

from harness.bench import Bench, Certify
from harness.checks import nmi

pytestmark = pytest.mark.feature("NMI")


@pytest.mark.saved_state
@pytest.mark.case("NMI-01")
def test_each_injected_nmi_is_counted_where_this_host_delivers_it(
    bench: Bench, certify: Certify
) -> None:
    guest = bench.boot()
    with guest.sysctl_set(nmi.LET_UNKNOWN_NMIS_PASS):
        rounds = nmi.inject_one_by_one(bench.vm.inject_nmi, guest.measure, guest.wait_for)
    certify(nmi.judge_injections(rounds, guest.measure(nmi.ONLINE_CPUS), bench.build))


@pytest.mark.saved_state
@pytest.mark.case("NMI-02", parameters=("Saved", "Paused", "Off"))
def test_an_nmi_for_a_machine_that_does_not_run_is_refused(bench: Bench, certify: Certify) -> None:
    guest = bench.boot()
    for state, leave, enter in (
        ("Saved", bench.vm.save, bench.vm.start),
        ("Paused", bench.vm.pause, bench.vm.resume),
    ):
        before = guest.measure(nmi.INTERRUPTS)
        leave()
        attempt = bench.vm.attempt_nmi()
        enter()
        after = guest.reached_again().measure(nmi.INTERRUPTS)
        certify(nmi.judge_refused_kept(state, attempt, before, after), state)
    bench.stop()
    attempt = bench.vm.attempt_nmi()
    after = bench.boot().measure(nmi.INTERRUPTS)
    certify(nmi.judge_refused_zero("Off", attempt, after), "Off")
