"""Dynamic memory: what the host gives and takes arrives in the guest, within its limits."""

from __future__ import annotations

import pytest

from harness import density, dynamic, web
from harness.bench import Bench, Certify
from harness.checks import bounds, memory, memory_judges
from harness.checks.density import judge_density
from harness.checks.kernel_log import KERNEL_LOG
from harness.checks.memory import Limits
from harness.checks.web import judge_web

pytestmark = pytest.mark.feature("Dynamic memory")
BEYOND = ("DM-02", "DM-04", "DM-05", "DM-06")


@pytest.mark.needs(fills_host=True)
@pytest.mark.case("DM-01", "DM-02", "DM-04", "DM-05", "DM-06")
def test_memory_rises_with_demand_and_falls_under_pressure_and_both_sides_agree(
    bench: Bench, certify: Certify
) -> None:
    life = dynamic.begin(bench, Limits())
    goal = life.start + bounds.DM_BLOCKS_UP * life.step
    life.ramp("ramp", lambda s: life.risen(s, goal), bounds.DM_WITHIN)
    offline = life.guest.measure(memory.OFFLINE_BLOCKS)
    certify(memory_judges.judge_hot_add(life.sampler.log("start", "ramp"), offline, life.step))
    if not bench.guest.wanted(BEYOND):
        return
    life.settle(bounds.DM_SAMPLES // 2)
    life.rest("rest")
    if refused := dynamic.not_pressed(bench):
        for case in ("DM-02", "DM-04", "DM-06"):
            certify(refused, case=case)
    else:
        dynamic.ballooned_saved_and_stopped(life, certify)
    certify(
        memory_judges.judge_agreement(life.sampler.log(), life.step, life.guest.release),
        case="DM-05",
    )


@pytest.mark.needs(fills_host=True)
@pytest.mark.case("DM-09", "DM-03")
@pytest.mark.long  # three minutes on two cores without virtualisation
def test_a_guest_lives_without_its_host_s_memory_and_never_gets_more_than_its_maximum(
    bench: Bench, certify: Certify
) -> None:
    limits = Limits(maximum=bounds.DM_NEAR_MAXIMUM)
    life = dynamic.begin(bench, limits)
    if refused := dynamic.not_pressed(bench):
        certify(refused)
    else:
        bench.provoked = frozenset({"oom"})
        before = life.guest.measure(KERNEL_LOG)
        fed = dynamic.starved_then_fed(life)
        logs = (before, life.guest.measure(KERNEL_LOG))
        starved = life.sampler.log("starved")
        certify(memory_judges.judge_starved(starved, fed, logs, limits.buffer, life.step))
    asking = dynamic.Lasting(lambda s: life.asks(s) > limits.maximum)
    life.ramp("most", asking, bounds.DM_WITHIN)
    life.settle(1, bounds.DM_HELD * 1.5)
    seen = life.sampler.log()
    certify(memory_judges.judge_maximum(seen, limits.maximum, limits.buffer), case="DM-03")


@pytest.mark.needs(guests=2)
@pytest.mark.case("DM-07")
@pytest.mark.long
@pytest.mark.alone
def test_a_web_server_keeps_its_rate_with_dynamic_memory_where_it_collapses_with_static(
    bench: Bench, certify: Certify
) -> None:
    if refused := web.too_little(bench):
        certify(refused)
        return
    with web.client(bench) as client:
        static = web.static(bench, client)
        flexible, block = web.flexible(bench, client, Limits(), bounds.WEB_SHARES)
        ends = (bounds.WEB_SHARES[0], bounds.WEB_SHARES[-1])
        announced, _ = web.flexible(bench, client, web.ANNOUNCED, ends)
    ours = bool(bench.facts.get("banner"))
    certify(judge_web(static, flexible, announced, block, ours=ours))


@pytest.mark.case("DM-08")
@pytest.mark.long
@pytest.mark.alone
def test_more_guests_run_with_dynamic_memory_than_with_static(
    bench: Bench, certify: Certify
) -> None:
    if refused := dynamic.not_pressed(bench):
        certify(refused)
        return
    with density.little_room(bench):
        static = density.crowd(bench, dynamic=False)
        flexible = density.crowd(bench, dynamic=True)
    certify(judge_density(static, flexible, ours=bool(bench.facts.get("banner"))))
