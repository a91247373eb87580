"""The steps of the dynamic memory cases, on a host and a guest that are a few numbers each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from harness import dynamic
from harness.checks import bounds, memory, memory_judges
from harness.checks.kernel_log import parse_kernel_log
from harness.checks.memory import HostMemory, Limits, Sample, parse_host_memory
from harness.deadline import SYSTEM
from harness.dynamic import Life
from harness.evidence import Evidence, Measured, Probe
from harness.guest.shell import Completed
from harness.sampling import Sampler
from harness.units import Bytes, GiB, MiB
from harness.verdict import Outcome, Verdict

HIDDEN, IDLE = 113, 120


class FakeClock:
    """Every question takes a tenth of a second."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float, /) -> None:
        self.now += seconds


@dataclass
class World:
    """A host that gives and takes at each look; sizes are MiB. ``online``: what the guest takes."""

    clock: FakeClock
    free: int = 8192
    assigned: int = 768
    plugged: int = 768
    load: int = 0
    online: bool = True
    limits: Limits = field(default_factory=Limits)
    state: str = "Running"
    name: str = "a"

    @property
    def total(self) -> int:
        lost = 0 if self.online else self.plugged - 768
        return self.assigned - HIDDEN - lost

    @property
    def demand(self) -> int:
        return HIDDEN + IDLE + self.load

    def balance(self) -> None:
        wanted = self.demand * 120 // 100
        if wanted > self.assigned + 16 and self.free > 2048:
            self.assigned = min(max(wanted, self.assigned + 128), self.plugged)
            if wanted > self.plugged:
                room = self.limits.maximum // MiB - self.plugged
                self.plugged += min(-(-(wanted - self.plugged) // 128) * 128, room)
                self.assigned = self.plugged
        elif self.free < 2048 and wanted < self.assigned:
            self.assigned = max(wanted, 512)

    def memory(self) -> Measured[HostMemory]:
        self.clock.now += 0.1
        self.balance()
        text = (
            f"State : {self.state} (2)\nMemoryAssigned : {self.assigned << 20}\n"
            f"MemoryDemand : {self.demand << 20}\nMemoryStatus : OK"
        )
        return Measured(parse_host_memory(text), (Evidence("Get-VM", text, "host hv"),))

    def measured_state(self) -> Measured[str]:
        return Measured(self.state, (Evidence("Get-VM", self.state, "host hv"),))

    def save(self) -> None:
        self.state = "Saved"

    def start(self) -> None:
        self.state = "Running"


@dataclass
class FakeGuest:
    world: World
    release: str = "6.1.0"
    name: str = "debian-12"

    @property
    def shell(self) -> FakeGuest:
        return self

    def measure(self, probe: Probe[Any]) -> Measured[Any]:
        self.world.clock.now += 0.1
        free = self.world.total - IDLE - self.world.load
        text = f"MemTotal: {self.world.total << 10} kB\nMemAvailable: {free << 10} kB\n"
        if probe is memory.BALLOON_DRIVER:
            text = ""
        elif probe is memory.OFFLINE_BLOCKS:
            state = "online" if self.world.online else "offline"
            text = f"/sys/devices/system/memory/memory6/state:{state}\n"
        elif probe is memory.BLOCK_SIZE:
            text = "8000000"
        return Measured(probe.parse(text), (Evidence("guest", text, "guest"),))

    def run(self, argv: tuple[str, ...], **_: object) -> Completed:
        self.world.clock.now += 1
        if argv[0] == "systemd-run":
            size = int(argv[argv.index("--vm-bytes") + 1].removesuffix("K")) >> 10
            assert size < self.world.total - IDLE - self.world.load, "the kernel would kill"
            self.world.load += size
        elif argv[:2] == ("systemctl", "stop"):
            self.world.load = 0
        return Completed(argv, 0, "", "")

    def reached_again(self) -> FakeGuest:
        return self


@dataclass
class FakeFillers:
    world: World
    filled_again: int = 0

    @contextmanager
    def filled(self) -> Iterator[None]:
        self.world.free = 1024
        yield
        self.world.free = 8192

    def fill(self) -> None:
        self.filled_again += 1
        self.world.free = 1024


@pytest.fixture
def clock() -> Iterator[FakeClock]:
    former, fake = SYSTEM.behind, FakeClock()
    SYSTEM.behind = fake
    yield fake
    SYSTEM.behind = former


def life_of(world: World) -> Life:
    guest: Any = FakeGuest(world)

    def stop() -> None:
        world.state = "Off"

    bench: Any = SimpleNamespace(vm=world, fillers=FakeFillers(world), story=[], stop=stop)
    vm: Any = world
    life = Life(bench, guest, world.limits, guest.measure(memory.BLOCK_SIZE), Sampler(vm, guest))
    life.sampler.phase = "start"
    life.sampler.take()
    return life


def ramped(life: Life) -> Verdict:
    goal = life.start + bounds.DM_BLOCKS_UP * life.step
    life.ramp("ramp", lambda s: life.risen(s, goal), bounds.DM_WITHIN)
    offline = life.guest.measure(memory.OFFLINE_BLOCKS)
    return memory_judges.judge_hot_add(life.sampler.log("start", "ramp"), offline, life.step)


def test_a_ramp_ends_when_both_sides_have_two_blocks_more(clock: FakeClock) -> None:
    life = life_of(World(clock))
    assert ramped(life).outcome is Outcome.PASS
    assert clock.now < 1060


def test_a_ramp_ends_soon_when_added_memory_stays_off_line(clock: FakeClock) -> None:
    verdict = ramped(life_of(World(clock, online=False)))
    assert verdict.outcome is Outcome.FAIL
    assert "hot-added memory stays offline" in verdict.because
    assert clock.now < 1120


def test_a_host_that_adds_nothing_fails_after_the_limit(clock: FakeClock) -> None:
    verdict = ramped(life_of(World(clock, free=0)))
    assert "did not add" in verdict.because
    assert clock.now >= 1000 + bounds.DM_WITHIN.total_seconds()


def test_a_guest_is_ballooned_saved_grown_again_and_stopped(clock: FakeClock) -> None:
    life = life_of(World(clock))
    ramped(life)
    life.settle(bounds.DM_SAMPLES // 2)
    life.rest("rest")
    handed: dict[str, Verdict] = {}

    def certify(verdict: Verdict, parameter: str = "", *, case: str = "") -> None:
        handed[case + parameter] = verdict

    dynamic.ballooned_saved_and_stopped(life, certify)
    agreed = memory_judges.judge_agreement(life.sampler.log(), life.step, life.guest.release)
    assert handed.keys() == {"DM-02", "DM-04", "DM-06"}
    for verdict in handed.values():
        assert verdict.outcome is Outcome.PASS, verdict.because
    assert agreed.outcome is Outcome.PASS
    assert clock.now < 1300


def test_a_guest_is_starved_and_fed_and_then_asks_for_more_than_its_maximum(
    clock: FakeClock,
) -> None:
    limits = Limits(maximum=bounds.DM_NEAR_MAXIMUM)
    life = life_of(World(clock, limits=limits))
    fed = dynamic.starved_then_fed(life)
    text = "[    0.000000] Linux version 6.1.0\n"
    log = Measured(parse_kernel_log(text), (Evidence("dmesg", text, "guest"),))
    starved = life.sampler.log("starved")
    verdict = memory_judges.judge_starved(starved, fed, (log, log), 20, life.step)
    assert verdict.outcome is Outcome.PASS, verdict.because
    asking = dynamic.Lasting(lambda s: life.asks(s) > limits.maximum)
    life.ramp("most", asking, bounds.DM_WITHIN)
    life.settle(1, bounds.DM_HELD * 1.5)
    most = memory_judges.judge_maximum(life.sampler.log(), limits.maximum, 20)
    assert most.outcome is Outcome.PASS, most.because
    assert clock.now < 1200


def test_memory_that_comes_free_elsewhere_only_lengthens_the_stretch(clock: FakeClock) -> None:
    world = World(clock)
    life = life_of(world)
    taken = life.sampler.take

    def take() -> Sample:
        if 1008 < clock.now < 1010:
            world.free = 5 * GiB.count  # somebody's VM has ended
        return taken()

    life.sampler.take = take  # type: ignore[method-assign]
    dynamic.starved_then_fed(life)
    starved = life.sampler.log("starved").value
    assert {s.after.assigned for s in starved} == {starved[0].after.assigned}
    assert starved[0].after.assigned > Bytes(512 * MiB.count)


def test_a_demand_that_falls_back_does_not_count_as_lasting(clock: FakeClock) -> None:
    life = life_of(World(clock))
    lasting = dynamic.Lasting(lambda s: s.after.demand > 300 * MiB)
    seen = []
    for load in (300, 0, 300, 300):
        life.bench.vm.load = load  # type: ignore[attr-defined]  # the world in a VM's place
        clock.now += 4
        seen.append(lasting(life.sampler.take()))
    clock.now += 4
    assert seen == [False, False, False, False]
    assert lasting(life.sampler.take())
