"""What each seeded fault does to a host, seen through the host's own calls and machines."""

import pytest

from harness.standin.seeded import nmi
from harness.standin.values import Record, Value
from tests.standin.hyperv.bench import Bench
from tests.standin.hyperv.test_cim import gap, job_of, set_gap, settings
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


def refused_while(bench: Bench, leave: str, enter: str) -> tuple[bool, int]:
    """Inject while the VM does not run; return whether that was refused, and what arrived."""
    bench.vm()
    bench.do("Start-VM")
    bench.do(leave)
    inject: dict[str, Value] = {"InjectNonMaskableInterrupt": True, "Force": True}
    heard = bench.call("Debug-VM", inject, Name=["a"])
    bench.do(enter)
    return bool(heard.errors), len(bench.machines.nmis)


WAYS = [("Save-VM", "Start-VM"), ("Suspend-VM", "Resume-VM")]


@pytest.mark.parametrize(("leave", "enter"), WAYS)
def test_an_nmi_for_a_vm_that_does_not_run_is_accepted_or_kept(
    broken: Broken, leave: str, enter: str
) -> None:
    assert refused_while(broken(), leave, enter) == (True, 0)
    assert refused_while(broken("nmi-accepted-when-off"), leave, enter) == (False, 0)
    assert refused_while(broken("nmi-kept-for-later"), leave, enter) == (True, 1)


def test_a_saved_vm_boots_anew_and_one_of_a_checkpoint_does_not(broken: Broken) -> None:
    for faults, resumed in (((), ["memory"]), (("saved-state-lost",), [])):
        bench = broken(*faults)
        bench.vm()
        for step in ("Start-VM", "Save-VM", "Start-VM"):
            bench.do(step)
        assert bench.machines.resumed == resumed


def test_the_gap_of_another_vm_is_set(broken: Broken) -> None:
    bench = broken("gap-of-another-vm")
    bench.vm("other")
    bench.vm("a")
    bench.do("Set-VM", LowMemoryMappedIoSpace=1024 * MIB)
    assert (gap(bench), settings(bench, "other").properties["LowMmioGapSize"]) == (128, 1024)


@pytest.mark.parametrize(
    ("faults", "resolution", "pointers"),
    [((), (1920, 1080), 1), (("display-stuck",), (1024, 768), 1), (("pointer-doubled",), None, 2)],
)
def test_a_machine_is_made_with_another_display_or_a_second_pointer(
    broken: Broken, faults: tuple[str, ...], resolution: tuple[int, int] | None, pointers: int
) -> None:
    bench = broken(*faults)
    bench.vm()
    size: dict[str, Value] = {"HorizontalResolution": 1920, "VerticalResolution": 1080}
    bench.call("Set-VMVideo", size, VMName=["a"], ResolutionType="Single")
    bench.do("Start-VM")
    (spec,) = bench.machines.specs.values()
    assert (spec.resolution, spec.pointers) == (resolution or (1920, 1080), pointers)


def test_pictures_are_black_or_the_first_one_for_ever(broken: Broken) -> None:
    for fault, whole in (("thumbnail-black", bytes(6)), ("thumbnail-stale", None)):
        bench = broken(fault)
        bench.vm()
        bench.do("Start-VM")
        (vm,) = bench.machines.specs
        first = bench.host.machines.picture(vm)
        assert whole is None or first.rgb == whole
        bench.machines.shown = bytes((9, 9, 9, 9, 9, 9))
        assert bench.host.machines.picture(vm) == first


def test_a_picture_is_that_of_a_running_neighbour_or_of_nobody(broken: Broken) -> None:
    bench = broken("thumbnail-of-another-vm")
    bench.vm()
    bench.do("Start-VM")
    (vm,) = bench.machines.specs
    assert bench.host.machines.picture(vm).rgb == bytes((0, 0, 170)) * 2
    bench.vm("b")
    bench.do("Start-VM", "b")
    assert bench.host.machines.picture(vm).rgb == bench.machines.shown


def test_a_pointer_goes_beside_its_place_and_stays_on_the_display(broken: Broken) -> None:
    bench = broken("pointer-beside")
    bench.vm()
    (vm,) = bench.host.world.vms
    bench.host.machines.point(vm, 100, 7)
    bench.host.machines.point(vm, 3, 7)
    assert [place[1:] for place in bench.machines.pointed] == [(60, 7), (43, 7)]
