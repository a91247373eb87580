"""MMIO gap: the guest sees the low gap that the host was given, and no gap out of range."""

from __future__ import annotations

import pytest

from harness.bench import Bench, Certify
from harness.checks import mmio
from harness.host.command import GapPath
from harness.units import Bytes, GiB, MiB

pytestmark = pytest.mark.feature("MMIO gap")
LONG = (
    pytest.param(2 * GiB, marks=pytest.mark.long),
    pytest.param(3456 * MiB, marks=pytest.mark.long),
)


@pytest.mark.case("MMIO-01")
@pytest.mark.parametrize("gap", [128 * MiB, 1 * GiB, *LONG, 3584 * MiB], ids=str)
def test_the_guest_sees_the_low_gap_that_the_host_was_given(
    bench: Bench, certify: Certify, gap: Bytes
) -> None:
    bench.needs_generation_1(mmio.ROOT_BUS_NAME)
    vm, path = bench.vm, bench.gap_path
    vm.set_memory(mmio.memory_for(gap))
    other = mmio.other_than(gap, vm.low_mmio_gap().value)
    attempt, before = vm.attempt_low_mmio_gap(other, path), vm.low_mmio_gap()
    from_other = mmio.judge_set(other, path, attempt, before)
    attempt, after = vm.attempt_low_mmio_gap(gap, path), vm.low_mmio_gap()
    to_gap = mmio.judge_set(gap, path, attempt, after)
    seen = bench.boot().measure(mmio.ROOT_BUS)
    certify(mmio.judge_gap(gap, before, after, seen, from_other, to_gap))


@pytest.mark.case("MMIO-02", parameters=tuple(str(gap) for gap in mmio.OUT_OF_RANGE))
@pytest.mark.parametrize("path", list(GapPath), ids=lambda path: path.value)
def test_a_gap_out_of_range_is_refused_and_changes_nothing(
    bench: Bench, certify: Certify, path: GapPath
) -> None:
    bench.needs_generation_1(mmio.ROOT_BUS_NAME)
    bench.needs_gap_path(path)
    vm = bench.vm
    former = mmio.FORMER_GAP
    vm.set_memory(mmio.memory_for(former))
    attempt, after = vm.attempt_low_mmio_gap(former, path), vm.low_mmio_gap()
    in_range = mmio.judge_set(former, path, attempt, after)
    tries = []
    for gap in mmio.OUT_OF_RANGE:
        attempt, after = vm.attempt_low_mmio_gap(gap, path), vm.low_mmio_gap()
        tries.append((gap, attempt, after))
        if attempt.accepted:  # that failed; the next value is judged on its own
            vm.attempt_low_mmio_gap(former, path)
    seen = bench.boot().measure(mmio.ROOT_BUS)
    for gap, attempt, after in tries:
        verdict = mmio.judge_refused_gap(gap, path, former, attempt, after, seen, in_range)
        certify(verdict, str(gap))


@pytest.mark.long
@pytest.mark.case("MMIO-03", parameters=("stop and start", "memory change", "checkpoint"))
@pytest.mark.parametrize("gap", [1 * GiB, 2 * GiB], ids=str)
def test_a_gap_stays_over_restarts_more_memory_and_a_checkpoint(
    bench: Bench, certify: Certify, gap: Bytes
) -> None:
    bench.needs_generation_1(mmio.ROOT_BUS_NAME)
    vm, path = bench.vm, bench.gap_path
    vm.set_memory(mmio.memory_for(gap))
    attempt, host = vm.attempt_low_mmio_gap(gap, path), vm.low_mmio_gap()
    taken = mmio.judge_set(gap, path, attempt, host)
    boots = []
    for _ in range(2):
        boots.append(bench.boot().measure(mmio.ROOT_BUS))
        bench.stop()
    kept = mmio.judge_kept(gap, "stop and start", vm.low_mmio_gap(), boots, taken)
    certify(kept, "stop and start")
    vm.set_memory(mmio.MORE_MEMORY)
    host, seen = vm.low_mmio_gap(), bench.boot().measure(mmio.ROOT_BUS)
    over = f"a change to {mmio.MORE_MEMORY}"
    certify(mmio.judge_kept(gap, over, host, (seen,), taken), "memory change")
    bench.stop()
    vm.checkpoint(mmio.CHECKPOINT)
    attempt, between = vm.attempt_low_mmio_gap(mmio.BETWEEN, path), vm.low_mmio_gap()
    changed = mmio.judge_set(mmio.BETWEEN, path, attempt, between)
    vm.restore(mmio.CHECKPOINT)
    host, seen = vm.low_mmio_gap(), bench.boot().measure(mmio.ROOT_BUS)
    certify(mmio.judge_restored(gap, between, host, seen, taken, changed), "checkpoint")
    bench.stop()
    vm.remove_checkpoint(mmio.CHECKPOINT)
