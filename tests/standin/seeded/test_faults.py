"""What each seeded fault does to a host, seen through the host's own calls and machines."""

import pytest

from harness.standin.seeded import nmi
from harness.standin.values import Record, Value
from tests.standin.hyperv.bench import Bench
from tests.standin.hyperv.test_cim import gap, job_of, set_gap
from tests.standin.seeded.conftest import Broken

MIB = 1 << 20


def nmis_of(bench: Bench) -> int:
    """Inject five NMIs and return how many reached the machine."""
    bench.vm()
    bench.do("Start-VM")
    for _ in range(5):
        bench.do("Debug-VM", InjectNonMaskableInterrupt=True, Force=True)
    return len(bench.machines.nmis)


def machine_gap(bench: Bench, mib: int, memory: int = 4096) -> tuple[int, int]:
    """Set a gap, start the VM, return gap and memory (MiB) of the machine behind it."""
    bench.vm()
    bench.do("Set-VM", LowMemoryMappedIoSpace=mib * MIB, MemoryStartupBytes=memory * MIB)
    assert gap(bench) == mib
    bench.do("Start-VM")
    (spec,) = bench.machines.specs.values()
    return spec.low_gap // MIB, spec.memory // MIB


def oem(bench: Bench) -> Value:
    computer = bench.call("Get-CimInstance", ClassName="Win32_ComputerSystem").one
    return computer.properties["OEMStringArray"]


def test_a_host_that_is_broken_on_purpose_says_so_itself(broken: Broken) -> None:
    assert oem(broken()) == []
    assert oem(broken("nmi-lost", "gap-ignored")) == [
        "broken on purpose: nmi-lost",
        "broken on purpose: gap-ignored",
    ]


def test_of_five_nmis_one_is_lost_or_doubled(
    broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nmi, "APART", 0.0)
    assert [nmis_of(broken(*f)) for f in ((), ("nmi-lost",), ("nmi-doubled",))] == [5, 4, 6]


@pytest.mark.parametrize(
    ("fault", "given", "found"),
    [
        ("gap-ignored", (1024, 4096), (1536, 4096)),
        ("gap-ignored", (128, 3968), (1536, 3968)),
        ("gap-off-by-one-mb", (1024, 4096), (1025, 4096)),
        ("gap-off-by-one-mb", (128, 3968), (129, 3967)),
    ],
)
def test_the_machine_has_another_gap_than_the_host_reads_back(
    broken: Broken, fault: str, given: tuple[int, int], found: tuple[int, int]
) -> None:
    assert machine_gap(broken(fault), *given) == found


@pytest.mark.parametrize("mib", [64, 126, 3586])
def test_a_gap_out_of_range_is_taken_on_both_paths(broken: Broken, mib: int) -> None:
    bench = broken("gap-range-unchecked")
    bench.vm()
    bench.do("Set-VM", LowMemoryMappedIoSpace=mib * MIB)
    assert gap(bench) == mib
    assert set_gap(bench, 4096).properties["ReturnValue"] == 0
    assert gap(bench) == 4096


def job(bench: Bench, result: Record) -> tuple[Value, Value]:
    ended = job_of(bench, result).properties
    return ended["JobState"], ended["ErrorCode"]


@pytest.mark.parametrize(
    ("fault", "end"), [("job-fails", (10, 32768)), ("job-does-nothing", (7, 0))]
)
def test_a_started_job_changes_nothing_and_fails_or_says_that_it_did(
    broken: Broken, fault: str, end: tuple[int, int]
) -> None:
    bench = broken(fault, release="2012r2")
    bench.vm()
    result = set_gap(bench, 1024)
    assert result.properties["ReturnValue"] == 4096
    assert job(bench, result) == end
    assert gap(bench) == 128
