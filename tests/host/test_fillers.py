"""VMs that hold a host's memory: sized by what is free, marked, and gone afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import HostError
from harness.host.command import Value
from harness.host.fillers import Fillers
from harness.host.gate import StartGate
from harness.host.lifecycle import NAME, mark_of
from harness.host.session import HostValue
from harness.inventory.load import load
from harness.units import GiB
from tests.host.answering import AnsweringHost, refuse, thing

HOST = load(Path(__file__).parents[2] / "inventories" / "embedded.yaml").hosts[0]
RUN = "20261125-101500-3fa9c1"
TOTAL = 32 << 20  # KiB


class FillableHost(AnsweringHost):
    """Has 32 GiB, and gives each VM what it starts with."""

    def __init__(self, *, full_after: int = 99) -> None:
        self.sizes: dict[str, int] = {}
        self.started: list[str] = []
        self.full_after = full_after
        super().__init__(
            {
                "Get-CimInstance": self.facts,
                "New-VM": self.new,
                "Start-VM": self.start,
                "Get-VM": lambda _given: (thing(State="Running"),),
                "Test-Path": lambda _given: (True,),
            }
        )

    def facts(self, given: Mapping[str, Value]) -> tuple[HostValue, ...]:
        taken = sum(self.sizes[name] for name in self.started) >> 10
        system = thing(
            BuildNumber="17763", Caption="Windows", TotalVisibleMemorySize=TOTAL,
            FreePhysicalMemory=TOTAL - taken,
        )  # fmt: skip
        computer = thing(
            Name="hv", Manufacturer="m", Model="x", OEMStringArray=(), NumberOfLogicalProcessors=8
        )
        return (system if given["ClassName"] == "Win32_OperatingSystem" else computer,)

    def new(self, given: Mapping[str, Value]) -> tuple[HostValue, ...]:
        size = given["MemoryStartupBytes"]
        assert not isinstance(size, int)
        self.sizes[str(given["Name"])] = getattr(size, "count", 0)
        return (thing(Id="guid"),)

    def start(self, given: Mapping[str, Value]) -> tuple[HostValue, ...]:
        if len(self.started) >= self.full_after:
            refuse("OutOfMemory,Microsoft.HyperV.PowerShell.Commands.StartVM")(given)
        self.started.append(str(given["Name"]))
        return ()


def fillers(host: FillableHost, folder: Path, budget: int = 32) -> Fillers:
    given = replace(HOST, memory_reserve=1 * GiB, memory_budget=budget * GiB)
    return Fillers(host, given, RUN, "DM-02", StartGate(folder / "a.gate"))


def test_a_host_is_filled_once_and_again_when_others_let_go(tmp_path: Path) -> None:
    host = FillableHost()
    held = fillers(host, tmp_path, 64)
    with held.filled():
        assert sum(host.sizes.values()) == (31 * GiB).count
        held.fill()
        assert len(host.started) == 8
        host.started.pop()  # somebody's 4 GiB are free again
        held.fill()
        assert len(host.started) == 8
    assert sum("Remove-VM " in text for text in host.asked) == len(host.sizes)


def test_every_filler_is_marked_and_named_as_the_sweep_looks_for_it(tmp_path: Path) -> None:
    host = FillableHost()
    with fillers(host, tmp_path).filled():
        assert all(NAME.fullmatch(name) for name in host.sizes)
        marked = [text for text in host.asked if f"-Notes '{mark_of(RUN)}'" in text]
        assert len(marked) == len(host.sizes)


def test_a_host_that_has_no_more_is_full(tmp_path: Path) -> None:
    host = FillableHost(full_after=3)
    with fillers(host, tmp_path).filled():
        assert (len(host.started), len(host.sizes)) == (3, 4)
    assert sum("Remove-VM " in text for text in host.asked) == 4


def test_a_host_is_not_filled_beyond_the_budget(tmp_path: Path) -> None:
    small = fillers(FillableHost(), tmp_path, 8)
    with pytest.raises(HostError, match="memory_budget"), small.filled():
        pass
