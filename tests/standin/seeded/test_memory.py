"""What the faults of dynamic memory do to machines, beside what their host says."""

from __future__ import annotations

from uuid import UUID

import pytest

from harness.standin.balancing import turn
from harness.standin.seeded import memory
from harness.standin.world import MIB
from tests.standin.hyperv.bench import Bench
from tests.standin.seeded.conftest import Broken


def loaded(bench: Bench, used: int, maximum: int = 8192) -> UUID:
    """Run a VM with dynamic memory (768, from 512) whose guest uses so much; sizes in MiB."""
    bench.vm()
    limits = {"MinimumBytes": 512, "StartupBytes": 768, "MaximumBytes": maximum}
    sizes = {name: size * MIB for name, size in limits.items()}
    bench.call("Set-VMMemory", {"VMName": ["a"], **sizes}, DynamicMemoryEnabled=True)
    bench.do("Start-VM")
    bench.machines.used = used * MIB
    (vm,) = bench.machines.specs
    return vm


def both(bench: Bench, vm: UUID) -> tuple[int, int]:
    """Return what the host shows as assigned, and what the machine has, in MiB."""
    shown = bench.get()["MemoryAssigned"]
    assert isinstance(shown, int)
    return shown // MIB, bench.machines.assigned(vm) // MIB


@pytest.mark.parametrize(
    ("faults", "found"), [((), (896, 896)), (("assigned-reported-not-given",), (896, 768))]
)
def test_what_is_assigned_is_not_given(
    broken: Broken, faults: tuple[str, ...], found: tuple[int, int]
) -> None:
    bench = broken(*faults)
    vm = loaded(bench, 640)
    turn(bench.host)
    assert both(bench, vm) == found
    bench.do("Stop-VM", TurnOff=True, Force=True)
    assert both(bench, vm) == (0, 0)


def test_memory_is_refused_late(broken: Broken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "LATE", 0.0)
    bench = broken("hot-add-refused-late")
    vm = loaded(bench, 640)
    turn(bench.host)
    assert both(bench, vm) == (768, 768)
    assert any("could not be added" in event.text for event in bench.host.world.events)


@pytest.mark.parametrize(("faults", "least"), [((), 512), (("balloon-past-minimum",), 480)])
def test_memory_is_taken_back_beyond_the_minimum(
    broken: Broken, faults: tuple[str, ...], least: int
) -> None:
    bench = broken(*faults)
    vm = loaded(bench, 10)
    bench.host.memory = 512 * MIB
    turn(bench.host)
    assert both(bench, vm) == (least, least)


@pytest.mark.parametrize(("faults", "most"), [((), 1024), (("assignment-past-maximum",), 1280)])
def test_memory_is_given_beyond_the_maximum(
    broken: Broken, faults: tuple[str, ...], most: int
) -> None:
    bench = broken(*faults)
    vm = loaded(bench, 640, maximum=1024)
    for _ in range(8):
        bench.machines.used = bench.machines.assigned(vm) - 80 * MIB
        turn(bench.host)
    assert both(bench, vm) == (most, most)
