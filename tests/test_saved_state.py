"""A case that starts from a saved state finds nothing of an earlier one, and no VM stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest

from harness.bench import Bench
from harness.errors import HostRefused
from harness.host.session import HostSession, HostValue
from harness.host.vm import Vm
from harness.saved_state import SavedStates
from tests.host.answering import AnsweringHost, refuse, thing


class BootedBench:
    """As much of a bench as booting once needs."""

    build = 17763

    def __init__(self, session: HostSession) -> None:
        self.vm = Vm(session, "vm-1", "guid", "switch")
        self.did = list[str]()

    def boot(self) -> None:
        self.vm.start()

    def judge_health(self) -> None:
        self.did.append("judged")


class Maker:
    def __init__(self) -> None:
        self.host = AnsweringHost({"Get-VM": lambda _: self.look()})
        self.made = 0
        self.removed = 0

    def look(self) -> tuple[HostValue, ...]:
        return (thing(State="Running"),)

    @contextmanager
    def __call__(self) -> Iterator[Bench]:
        self.made += 1
        yield cast("Bench", BootedBench(self.host))
        self.removed += 1


def calls(host: AnsweringHost) -> list[str]:
    return [call.split()[0] for call in host.asked if not call.startswith("Get-VM ")]


def test_the_vm_is_booted_once_and_its_checkpoint_applied_for_each_case() -> None:
    make, states = Maker(), SavedStates("run-1")
    for _ in range(2):
        with states.applied("debian@hv", make):
            pass
    states.close()
    assert (make.made, make.removed) == (1, 1)
    once = ["Start-VM", "Set-VM", "Checkpoint-VM", "Stop-VM"]
    assert calls(make.host) == [*once, *["Restore-VMSnapshot", "Stop-VM"] * 2]


def test_a_vm_whose_checkpoint_cannot_be_applied_is_removed_and_made_anew() -> None:
    make, states = Maker(), SavedStates("run-1")
    with states.applied("debian@hv", make):
        pass
    make.host.replies["Restore-VMSnapshot"] = refuse("InvalidParameter,x")
    with pytest.raises(HostRefused), states.applied("debian@hv", make):
        pass
    assert make.removed == 1
    del make.host.replies["Restore-VMSnapshot"]
    with states.applied("debian@hv", make):
        pass
    assert make.made == 2


def test_a_host_of_2012_r2_is_asked_for_no_type_of_checkpoint() -> None:
    host = AnsweringHost({})
    Vm(host, "vm-1", "guid", "switch").checkpoint_with_memory("booted", build=9600)
    assert calls(host) == ["Checkpoint-VM"]
