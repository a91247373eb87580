"""Dynamic memory: who gets how much, and what cmdlets show of it."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.standin.balancer import MODULE, SLOTS, STILL, Consumer, decide, module
from harness.standin.balancing import turn
from harness.standin.world import MIB, Vm
from tests.standin.hyperv.bench import Bench

GIB = 1024 * MIB


def consumer(demand: int, target: int = 768, size: int = 0, priority: int = 50) -> Consumer:
    """Make a machine, sizes in MiB: minimum 512, maximum 8192, buffer 20 %."""
    return Consumer(
        uuid4(), target * MIB, target * MIB, (size or max(768, target)) * MIB, demand * MIB,
        512 * MIB, 8192 * MIB, 20, priority,
    )  # fmt: skip


def given_to(machine: Consumer, free: int, *others: Consumer, reserve: int = 0) -> int:
    """Return what the machine has after one turn, in MiB."""
    changed = decide((machine, *others), free * MIB, reserve * MIB)
    return changed.get(machine.id, machine.target) // MIB


@pytest.mark.parametrize(
    ("demand", "target", "size", "free", "now"),
    [
        (300, 768, 768, 8192, 768),  # enough, and nobody is short: nothing is taken
        (700, 768, 768, 8192, 896),  # 840 wanted: one module
        (1000, 768, 768, 8192, 896),  # 1200 wanted: one module at a time
        (1000, 768, 768, 128, 896),  # the host has one module
        (1000, 768, 768, 100, 768),  # the host has less than a module
        (700, 512, 1024, 8192, 840),  # the balloon gives back what is wanted
        (1000, 512, 1024, 8192, 1152),  # the balloon gives all back, one module more
        (9000, 8064, 8064, 9999, 8192),  # up to the maximum
        (9000, 8192, 8192, 9999, 8192),  # never above it
        (300, 768, 768, -1024, 512),  # the host is short: down to the minimum
        (500, 768, 768, -1024, 600),  # down to demand and buffer
        (700, 768, 768, -1024, 768),  # it needs what it has
        (300, 768, 768, -100, 668),  # no more than the host is short of
    ],
)
def test_a_machine_gets_demand_and_buffer_while_the_host_has_it(
    demand: int, target: int, size: int, free: int, now: int
) -> None:
    assert given_to(consumer(demand, target, size), free) == now


def test_nothing_grows_into_the_host_s_reserve() -> None:
    assert given_to(consumer(1000), 1024, reserve=1024) == 768


def test_the_higher_priority_is_served_first() -> None:
    high, low = consumer(1000, priority=80), consumer(1000, priority=20)
    assert given_to(high, 200, low) == 896
    assert given_to(low, 200, high) == 768


def test_a_needy_machine_is_fed_from_the_surplus_of_another() -> None:
    rich, poor = consumer(300, 2048), consumer(1000)
    assert given_to(rich, 0, poor) == 2048 - 432


def test_memory_on_its_way_is_not_asked_for_twice() -> None:
    leaving = Consumer(
        uuid4(), 512 * MIB, 768 * MIB, 768 * MIB, 300 * MIB, 512 * MIB, GIB, 20, 50
    )  # fmt: skip
    other = consumer(300)
    assert given_to(other, -256, leaving) == 768


def test_a_machine_with_few_slots_left_gets_larger_modules() -> None:
    few = Consumer(
        uuid4(), 768 * MIB, 768 * MIB, 768 * MIB, 700 * MIB, 512 * MIB, 8192 * MIB, 20, 50, slots=10
    )
    assert module(few, 896 * MIB) == 768 * MIB
    assert module(consumer(700), 896 * MIB) == 128 * MIB


@given(
    demands=st.lists(st.integers(1, 20_000), min_size=1, max_size=4),
    free=st.integers(-9000, 20_000),
)
def test_no_machine_leaves_its_limits_and_the_host_gives_only_what_it_has(
    demands: list[int], free: int
) -> None:
    machines = [consumer(d, t) for d, t in zip(demands, (512, 768, 1024, 4096), strict=False)]
    changed = decide(machines, free * MIB, 0)
    for machine in machines:
        now = changed.get(machine.id, machine.target)
        assert 512 * MIB <= now <= 8192 * MIB
        if now > machine.size:
            assert (now - machine.size) % MODULE == 0
        assert now == machine.target or abs(now - machine.target) >= STILL or now > machine.target
    growth = sum(max(0, changed.get(m.id, m.target) - m.target) for m in machines)
    assert growth <= max(0, free) * MIB


def vm_of(bench: Bench) -> Vm:
    return next(iter(bench.host.world.vms.values()))


def dynamic(bench: Bench) -> UUID:
    bench.vm(MemoryStartupBytes=768 * MIB)
    sizes = {"MinimumBytes": 512 * MIB, "StartupBytes": 768 * MIB, "MaximumBytes": 8192 * MIB}
    bench.call("Set-VMMemory", {"VMName": ["a"], **sizes}, DynamicMemoryEnabled=True)
    bench.do("Start-VM")
    return vm_of(bench).id


def assigned(bench: Bench) -> int:
    value = bench.get()["MemoryAssigned"]
    assert isinstance(value, int)
    return value // MIB


def test_a_machine_with_dynamic_memory_has_room_and_one_without_has_not(bench: Bench) -> None:
    vm = dynamic(bench)
    assert bench.machines.specs[vm].hot_plug is not None
    bench.vm("b")
    bench.do("Start-VM", "b")
    assert bench.machines.specs[vm].memory == 768 * MIB
    (other,) = (s for s in bench.machines.specs.values() if s.id != vm)
    assert other.hot_plug is None


def test_a_guest_that_has_not_reported_keeps_its_startup_memory(bench: Bench) -> None:
    dynamic(bench)
    turn(bench.host)
    shown = bench.get()
    assert (assigned(bench), shown["MemoryDemand"], shown["MemoryStatus"]) == (768, 0, "")


def test_a_guest_that_needs_more_gets_a_module_and_is_shown_so(bench: Bench) -> None:
    dynamic(bench)
    bench.machines.used = 640 * MIB
    turn(bench.host)
    shown = bench.get()
    assert (assigned(bench), bench.machines.added) == (896, [128 * MIB])
    assert (shown["MemoryDemand"], shown["MemoryStatus"]) == (704 * MIB, "OK")


def test_a_host_without_free_memory_gives_nothing_and_says_low(bench: Bench) -> None:
    dynamic(bench)
    bench.host.memory = 768 * MIB
    bench.machines.used = 640 * MIB
    turn(bench.host)
    assert (assigned(bench), bench.get()["MemoryStatus"]) == (768, "Low")


def test_a_saved_machine_has_nothing_and_comes_back_with_its_modules(bench: Bench) -> None:
    vm = dynamic(bench)
    bench.machines.used = 640 * MIB
    turn(bench.host)
    bench.do("Save-VM")
    assert (assigned(bench), bench.get()["MemoryDemand"]) == (0, 0)
    bench.do("Start-VM")
    plugged = bench.machines.specs[vm].hot_plug
    assert plugged is not None
    assert plugged.modules == (128 * MIB,)


def test_a_checkpoint_brings_the_modules_of_its_time_back(bench: Bench) -> None:
    vm = dynamic(bench)
    bench.do("Checkpoint-VM", SnapshotName="before")
    bench.machines.used = 640 * MIB
    turn(bench.host)
    bench.call("Restore-VMSnapshot", {"VMName": ["a"], "Name": ["before"]}, Confirm=False)
    bench.do("Start-VM")
    plugged = bench.machines.specs[vm].hot_plug
    assert plugged is not None
    assert plugged.modules == ()


def test_a_machine_that_was_off_starts_with_its_startup_memory(bench: Bench) -> None:
    vm = dynamic(bench)
    bench.machines.used = 640 * MIB
    turn(bench.host)
    bench.do("Stop-VM", TurnOff=True, Force=True)
    bench.do("Start-VM")
    plugged = bench.machines.specs[vm].hot_plug
    assert plugged is not None
    assert (plugged.modules, assigned(bench)) == ((), 768)


def test_while_it_runs_minimum_and_maximum_only_move_apart(bench: Bench) -> None:
    dynamic(bench)
    for name, size in (("MinimumBytes", 256), ("MaximumBytes", 9216)):
        assert not bench.call("Set-VMMemory", {"VMName": ["a"], name: size * MIB}).errors
    for name, size in (("MinimumBytes", 512), ("MaximumBytes", 4096)):
        said = bench.call("Set-VMMemory", {"VMName": ["a"], name: size * MIB}).fqid
        assert said.startswith("InvalidState,")
    assert SLOTS == 64


def test_a_machine_that_cannot_take_memory_keeps_what_it_has(bench: Bench) -> None:
    dynamic(bench)
    bench.machines.used = 640 * MIB
    bench.machines.broken = "QEMU said no"
    turn(bench.host)
    assert assigned(bench) == 768


def test_the_next_module_waits_until_the_guest_has_taken_up_the_last(bench: Bench) -> None:
    vm = dynamic(bench)
    bench.machines.used = 640 * MIB
    turn(bench.host)
    bench.machines.used, bench.machines.unseen = 800 * MIB, 128 * MIB
    for _ in range(10):
        turn(bench.host)
    assert bench.machines.added == [128 * MIB]
    bench.machines.unseen = 0
    turn(bench.host)
    assert bench.machines.added == [128 * MIB, 128 * MIB]
    assert bench.host.world.vms[vm].ram.patience > 0


def test_a_guest_that_never_takes_it_up_is_not_waited_for_for_ever(bench: Bench) -> None:
    dynamic(bench)
    bench.machines.used = 640 * MIB
    turn(bench.host)
    bench.machines.used, bench.machines.unseen = 800 * MIB, 128 * MIB
    for _ in range(20):
        turn(bench.host)
    assert len(bench.machines.added) == 2
