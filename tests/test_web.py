"""The steps of DM-07, on a guest and a client that are a few numbers each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness import dynamic, web
from harness.checks import bounds
from harness.checks.memory import GuestMemory, HostMemory, Limits, Sample
from harness.checks.pressure import Room
from harness.checks.web import SWAPPED, Round, judge_web
from harness.distro import FAMILIES
from harness.dynamic import Life
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured, Probe
from harness.guest.shell import Completed
from harness.guest.web import Client
from harness.sampling import Sampler
from harness.units import GiB, MiB
from harness.verdict import Outcome
from tests.checks.conftest import RECORDED
from tests.test_dynamic import IDLE, FakeClock, FakeGuest, World, clock

__all__ = ["clock"]
FINE = (RECORDED / "web" / "ab-fine.txt").read_text()
NOBODY = (RECORDED / "web" / "ab-nobody.txt").read_text()

GUEST = GuestMemory(700 * MiB, 100 * MiB)


def sample(at: float, assigned: int, demand: int = 0) -> Sample:
    host = HostMemory(assigned * MiB, demand * MiB, "", "Running")
    return Sample(at, "", host, GUEST, host)


def life() -> Life:
    block = Measured(128 * MiB, ())
    nobody: Any = None
    return dynamic.Life(nobody, nobody, Limits(), block, nobody)


def rests(one: web.AtRest, *samples: Sample) -> list[bool]:
    return [one(sample) for sample in samples]


def test_static_memory_is_at_rest_once_the_server_is_warm() -> None:
    seen = rests(web.AtRest(None), *(sample(at, 768) for at in (50, 60, 64, 65)))
    assert seen == [False, False, False, True]


def test_memory_that_moves_is_waited_for() -> None:
    sizes = ((0, 768), (5, 896), (14, 1024), (16, 1024), (23, 1024), (24, 1024))
    seen = rests(web.AtRest(life()), *(sample(at, size, 700) for at, size in sizes))
    assert seen == [False, False, False, False, False, True]


def test_a_guest_that_still_asks_for_a_block_is_waited_for() -> None:
    asking = (sample(at, 768, 747) for at in (0, 10, 20))  # 896 MiB with its buffer
    assert rests(web.AtRest(life()), *asking) == [False, False, False]
    content = (sample(at, 768, 746) for at in (0, 10, 20))
    assert rests(web.AtRest(life()), *content) == [False, False, True]


@pytest.mark.parametrize(("free", "runs"), [(4096 + 3456, True), (4096 + 3455, False)])
def test_the_case_is_not_run_where_the_guest_has_no_room_to_grow(free: int, runs: bool) -> None:  # noqa: FBT001
    room = Measured(Room(free * MiB, 4 * GiB, None), (Evidence("Get-CimInstance", "", "host"),))
    bench = cast("Any", SimpleNamespace(fillers=SimpleNamespace(room=lambda: room)))
    refused = web.too_little(bench)
    assert (refused is None) == runs
    if refused:
        assert refused.outcome is Outcome.NOT_RUN
        assert "may grow to 3456 MiB" in refused.because


def test_the_largest_step_fits_into_memory_and_swap() -> None:
    assert max(bounds.WEB_SHARES) * bounds.DM_STARTUP.count <= web.SWAP.count
    assert web.URL == "http://10.99.0.1:8080/held?48"


@dataclass
class Server(FakeGuest):
    """A guest with a web server: what its memory does not hold is swapped out and slows it."""

    deaf: bool = False

    @property
    def swapped(self) -> int:
        return max(0, self.world.load + IDLE - self.world.total)

    def measure(self, probe: Probe[Any]) -> Measured[Any]:
        if probe is SWAPPED:
            rows = f"Filename Type Size Used Priority\n/swap file 9 {self.swapped << 10} -2\n"
            return Measured(probe.parse(rows), (Evidence("cat /proc/swaps", rows, "guest"),))
        held, self.world.load = self.world.load, min(self.world.load, self.world.total - IDLE)
        try:
            return super().measure(probe)
        finally:
            self.world.load = held

    def run(self, argv: tuple[str, ...], **_: object) -> Completed:
        self.world.clock.now += 1
        if argv[0] == "systemd-run":
            (workers,) = re.findall(r"HVCERT_WORKERS (\d+)", " ".join(argv))
            self.world.load = int(workers) * 48
        if argv[1] == "kill":
            self.world.load = 0
        found = f"{argv[-1]}\n" if argv[0] == "ls" else ""
        return Completed(argv, 0, found, "")

    def wait_for(
        self, _what: str, poll: Callable[[], bool | None], _within: timedelta
    ) -> bool | None:
        return poll()


@dataclass
class Ab:
    """The client's shell."""

    server: Server
    end: float = 0.0
    name: str = "client"

    def run(self, argv: tuple[str, ...], **_: object) -> Completed:
        clock, text = self.server.world.clock, ""
        clock.now += 0.1
        if argv[0] == "ab":
            text = NOBODY if self.server.deaf else FINE
        elif argv[0] == "systemd-run":
            self.end = clock.now + int(argv[argv.index("-t") + 1])
        elif argv[1] == "show":
            text = f"ActiveState={'active' if clock.now < self.end else 'inactive'}\n"
        elif argv[0] == "cat":
            text = FINE.replace("2666", "6" if self.server.swapped else "266")
        return Completed(argv, 0, text, "")


def rising(server: Server, *, static: bool) -> web.Rising:
    world: Any = server.world
    guest: Any = server
    bench: Any = SimpleNamespace(
        vm=world, family=FAMILIES["debian"], context=[], story=[], stop=lambda: None
    )
    sampler, block = Sampler(world, guest), Measured(128 * MiB, ())
    life = None if static else Life(bench, guest, world.limits, block, sampler)
    client: Any = Ab(server)
    return web.Rising(bench, Client(client, web.URL), guest, sampler, life)


def taken(clock: FakeClock, *, static: bool) -> Round:
    limits = Limits(maximum=768 * MiB) if static else Limits()
    return rising(Server(World(clock, limits=limits)), static=static).take("it", bounds.WEB_SHARES)


def test_every_step_is_measured_when_the_guest_s_memory_has_come_to_rest(clock: FakeClock) -> None:
    static, flexible = taken(clock, static=True), taken(clock, static=False)
    assert [one.share for one in static.steps] == [0.5, 1.0, 2.0, 3.0]
    assert [one.swapped.value == 0 * MiB for one in static.steps] == [True, False, False, False]
    assert [one.swapped.value for one in flexible.steps] == [0 * MiB] * 4
    verdict = judge_web(static, flexible, flexible, 128 * MiB, ours=False)
    assert verdict.outcome is Outcome.PASS, verdict.because


def test_the_memory_of_the_last_step_is_given_back_before_the_guest_shuts_down(
    clock: FakeClock,
) -> None:
    world = World(clock, limits=Limits(maximum=768 * MiB))
    rising(Server(world), static=True).take("it", bounds.WEB_SHARES)
    assert world.load == 0


def test_a_server_that_never_answers_is_an_error_that_names_the_firewall(clock: FakeClock) -> None:
    deaf = rising(Server(World(clock), deaf=True), static=True)
    with pytest.raises(EvidenceError, match=r"firewall open to 10\.99\.0\.0/24"):
        deaf.take("it", bounds.WEB_SHARES)
