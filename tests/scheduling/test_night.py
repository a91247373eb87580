"""The controller looks at hosts beside its work: none of them can keep it waiting."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from harness.errors import HostUnreachable
from harness.inventory.load import load
from harness.inventory.model import Host
from harness.scheduling import night
from harness.scheduling.job import Job, Room
from harness.scheduling.night import Night
from harness.scheduling.plan import Plan
from harness.units import GiB

INVENTORY = load(Path(__file__).parents[2] / "inventories" / "embedded.yaml")
(HOST,) = INVENTORY.hosts
JOB = Job("x", "x", "g", HOST.name, (HOST.name,), 1 * GiB, 1, timedelta(seconds=60))


def planned(made: Night) -> Plan:
    made.plan = Plan([JOB, replace(JOB, item="y")], [Room(HOST.name, 9 * GiB, 4)])
    return made.plan


def test_a_host_that_does_not_answer_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(night, "LOOK_EVERY", timedelta(0))
    answer, asked = threading.Event(), threading.Event()

    def slow(host: Host) -> Any:  # noqa: ANN401  # it never returns a session
        asked.set()
        answer.wait(30)
        raise HostUnreachable(host.name, "no listener")

    made = Night(INVENTORY, cast("Any", slow))
    plan = planned(made)
    made.look()
    assert asked.wait(10)
    began = datetime.now(UTC)
    made.look()
    assert datetime.now(UTC) - began < timedelta(seconds=1)
    answer.set()
    for _ in range(4):  # each look after an answer counts one error, and asks again
        while made._asking is not None and not made._asking.done():  # noqa: SLF001
            threading.Event().wait(0.01)
        made.look()
        made.look()
    assert "no listener" in plan.rooms[HOST.name].problem


def test_what_still_runs_long_after_the_deadline_is_interrupted() -> None:
    late = datetime.now(UTC) - night.GRACE - timedelta(seconds=1)
    ended: list[str] = []
    made = Night(INVENTORY, cast("Any", None), late)
    plan = planned(made)
    made.look(lambda: ended.append("too early"))
    assert ended == []
    plan.next(0)
    made.look(lambda: ended.append("interrupted"))
    assert ended == ["interrupted"]


def test_a_host_that_could_not_be_opened_gets_nothing_also_when_it_comes_back() -> None:
    """Nothing is leased there: another run would sweep what this one makes."""
    made = Night(INVENTORY, cast("Any", None), missing={HOST.name: "no listener"})
    plan = made.make_plan((JOB,))
    assert plan.refused == {"x": "no listener"}
    assert made.workers() == 1
