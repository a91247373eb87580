from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.checks import mmio
from harness.checks.root_bus import RootBus, parse_root_bus, parse_root_bus_of_a_boot
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured
from harness.host.session import Attempt, Refusal, RefusedBy
from harness.units import Bytes, GiB, MiB
from harness.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from tests.checks.conftest import Recording

FOLDER = "mmio"
PROOF = (Evidence("Set-VM", "ErrorRecord", "host h1"),)
SET_VM = "Microsoft.HyperV.PowerShell.Commands.SetVM"


def host_reads(mib: int) -> Measured[Bytes]:
    return Measured(mib * MiB, (Evidence("Get-CimInstance", f"LowMmioGapSize : {mib}", "host h1"),))


def test_gaps_are_judged_as_recorded(recording: Recording, outcome: str) -> None:
    given = recording.given
    expected, former, host = (given[key] for key in ("expected", "former", "host"))

    def verdict() -> str:
        guest = recording.measured("dmesg", parse_root_bus_of_a_boot)
        return mmio.judge_gap(
            expected * MiB, host_reads(former), host_reads(host), guest
        ).outcome.value

    if outcome == "error":
        with pytest.raises(EvidenceError):
            verdict()
    else:
        assert verdict() == outcome


def log(*windows: str, spelling: str = "root bus resource", hyperv: bool = True) -> str:
    rows = ["Linux version 6.1.0", *(["Hypervisor detected: Microsoft Hyper-V"] if hyperv else [])]
    rows += [f"pci_bus 0000:00: {spelling} [mem {window}]" for window in windows]
    return "".join(f"[    0.{n:06}] {row}\n" for n, row in enumerate(rows))


def guest_shows(start: int) -> Measured[RootBus]:
    text = log("0x000a0000-0x000bffff window", f"{start:#x}-0xfffbffff window")
    return Measured(parse_root_bus(text), (Evidence("dmesg", text, "guest g1"),))


def gap(text: str) -> Bytes | None:
    return parse_root_bus(text).gap


def test_order_and_spelling_do_not_matter() -> None:
    low, high, vga = "0x40000000-0xfffbffff", "0xfc0000000-0xfffffffff", "0x000a0000-0x000bffff"
    for windows in ((low, high, vga), (vga, low, high), (high, vga, low)):
        for spelling in ("root bus resource", "resource 7"):
            assert gap(log(*windows, spelling=spelling)) == 3 * GiB
            assert gap(log(*(f"{w} window" for w in windows), spelling=spelling)) == 3 * GiB


def test_other_buses_bars_and_reservations_are_no_windows() -> None:
    text = (
        "[    1.000000] pci_bus 2610:00: root bus resource [mem 0xf8880000-0xf88fffff window]\n"
        "[    1.000001] pci 0000:00:08.0: reg 0x10: [mem 0xf8000000-0xfbffffff]\n"
        "[    1.000002] system 00:08: [mem 0x00100000-0x3fffffff] could not be reserved\n"
        "[    1.000003] [mem 0x40000000-0xffffffff] available for PCI devices\n"
        "[    1.000004] pci_bus 0000:01: resource 1 [mem 0xf0000000-0xf7ffffff]\n"
    )
    assert parse_root_bus(text).windows == ()


def test_a_window_that_starts_at_1_mib_is_low_and_one_at_4_gib_is_not() -> None:
    assert gap(log("0x000fffff-0x7fffffff")) is None
    assert gap(log("0x00100000-0x7fffffff")) == 4 * GiB - MiB
    assert gap(log("0xffffffff-0xffffffff")) == Bytes(1)
    assert gap(log("0x100000000-0x1ffffffff")) is None


def test_of_several_low_windows_hyper_v_gaps_start_at_the_lowest_that_reaches_the_top() -> None:
    two = ("0xe0000000-0xf7ffffff", "0xf8000000-0xfffbffff")
    assert gap(log(*two)) == 512 * MiB
    assert gap(log(*two, hyperv=False)) == 128 * MiB


def test_rows_of_iomem_count_and_those_without_addresses_do_not() -> None:
    seen = "000a0000-000bffff : PCI Bus 0000:00\n40000000-fffbffff : PCI Bus 0000:00\n"
    assert gap(seen) == 3 * GiB
    twice = "40000000-fffbffff : PCI Bus 0000:00\n" * 2
    assert [str(window) for window in parse_root_bus(twice).windows] == ["0x40000000-0xfffbffff"]
    small = parse_root_bus("00000000-0000000f : PCI Bus 0000:00\n")
    assert [window.end for window in small.windows] == [15]
    hidden = "00000000-00000000 : PCI Bus 0000:00\n" * 3
    assert parse_root_bus(hidden).windows == ()


def test_a_line_broken_by_a_mailer_is_read() -> None:
    text = (
        "> [    0.706662] pci_bus 0000:00: root bus resource [mem\n"
        "> 0x40000000-0xfffbffff window]\n"
    )
    assert gap(text) == 3 * GiB


def test_the_last_boot_counts_even_when_it_got_no_further_than_its_first_line() -> None:
    first = log("0x40000000-0xfffbffff")
    assert gap(first + log("0xf8000000-0xfffbffff")) == 128 * MiB
    assert gap(first + "[    0.000000] Linux version 6.1.0\n") is None


def test_a_log_that_lost_its_start_is_told_from_a_boot_without_windows() -> None:
    with pytest.raises(EvidenceError, match="ring buffer wrapped"):
        parse_root_bus_of_a_boot("[ 9999.000000] usb 1-1: new device\n")
    with pytest.raises(EvidenceError, match="memory window of root bus"):
        parse_root_bus_of_a_boot(log())


ONE_GIB = guest_shows(0xC0000000)
TOO_MUCH = Attempt(Refusal(RefusedBy.CMDLET, f"InvalidParameter,{SET_VM}"), PROOF)
BY_JOB = Attempt(Refusal(RefusedBy.JOB, "JobState 10, ErrorCode 32773"), PROOF)
BY_BINDING = Attempt(Refusal(RefusedBy.BINDING, f"CannotConvertArgumentNoMessage,{SET_VM}"), PROOF)
CMDLET, WMI = mmio.GapPath.CMDLET, mmio.GapPath.WMI


def refused(
    asked: Bytes, path: mmio.GapPath, attempt: Attempt, host: int = 1024, low: int = 0xC0000000
) -> Outcome:
    return mmio.judge_refused_gap(
        asked, path, mmio.FORMER_GAP, attempt, host_reads(host), guest_shows(low)
    ).outcome


@pytest.mark.parametrize("asked", mmio.OUT_OF_RANGE, ids=str)
def test_a_gap_out_of_range_that_is_refused_and_changes_nothing_passes(asked: Bytes) -> None:
    by_cmdlet = BY_BINDING if asked == 4096 * MiB else TOO_MUCH
    assert refused(asked, CMDLET, by_cmdlet) is Outcome.PASS
    assert refused(asked, WMI, BY_JOB) is Outcome.PASS


def test_a_gap_that_was_accepted_fails() -> None:
    for path in mmio.GapPath:
        assert refused(3586 * MiB, path, Attempt(None, PROOF)) is Outcome.FAIL


def test_a_refusal_after_which_the_value_changed_fails() -> None:
    assert refused(64 * MiB, CMDLET, TOO_MUCH, host=128) is Outcome.FAIL
    assert refused(64 * MiB, CMDLET, TOO_MUCH, low=0xF8000000) is Outcome.FAIL


def test_more_than_a_uint32_must_be_refused_by_binding() -> None:
    assert refused(4096 * MiB, CMDLET, TOO_MUCH) is Outcome.FAIL
    assert refused(4096 * MiB, WMI, BY_JOB) is Outcome.PASS


@pytest.mark.parametrize(
    ("path", "attempt"),
    [
        (CMDLET, Attempt(Refusal(RefusedBy.CMDLET, f"ObjectNotFound,{SET_VM}"), PROOF)),
        (CMDLET, Attempt(Refusal(RefusedBy.CMDLET, f"AccessDenied,{SET_VM}"), PROOF)),
        (CMDLET, Attempt(Refusal(RefusedBy.CMDLET, "CommandNotFoundException"), PROOF)),
        (WMI, TOO_MUCH),
    ],
)
def test_another_error_is_no_refusal_of_the_value(path: mmio.GapPath, attempt: Attempt) -> None:
    with pytest.raises(EvidenceError):
        refused(64 * MiB, path, attempt)


def test_2012_r2_has_wmi_only() -> None:
    assert mmio.gap_paths(9600) == mmio.gap_paths(14392) == (WMI,)
    assert mmio.gap_paths(14393) == (CMDLET, WMI)
    assert mmio.gap_path(20348) is CMDLET


def test_the_value_to_start_from_is_another_one() -> None:
    assert mmio.other_than(128 * MiB, 128 * MiB) == 1 * GiB
    for want in (128, 1024, 3584):
        for current in (128, 1024, 3584):
            assert mmio.other_than(want * MiB, current * MiB) != want * MiB


def test_memory_leaves_room_for_a_small_gap() -> None:
    assert mmio.memory_for(128 * MiB) == 3968 * MiB
    assert mmio.memory_for(1 * GiB) == 4 * GiB
    assert mmio.memory_for(3584 * MiB) == 4 * GiB


def taken(attempt: Attempt, host: int, path: mmio.GapPath = WMI) -> Verdict:
    return mmio.judge_set(1 * GiB, path, attempt, host_reads(host))


def test_a_gap_in_range_that_the_host_refuses_or_does_not_keep_fails_both_cases() -> None:
    accepted = Attempt(None, PROOF)
    assert taken(accepted, 1024).outcome is Outcome.PASS
    for failed, said in (
        (taken(BY_JOB, 128), "refused a gap of 1024 MiB, which is in range, by WMI [JobState 10"),
        (taken(accepted, 128), "the host reads a gap of 128 MiB back, not 1024 MiB"),
    ):
        reads = host_reads(128)
        set_to = mmio.judge_gap(128 * MiB, reads, reads, guest_shows(0xF8000000), failed)
        refused_to = mmio.judge_refused_gap(
            64 * MiB, WMI, 1 * GiB, BY_JOB, host_reads(1024), ONE_GIB, failed
        )
        for verdict in (set_to, refused_to):
            assert verdict.outcome is Outcome.FAIL
            assert said in verdict.because


def test_a_gap_in_range_that_is_refused_for_another_reason_proves_nothing() -> None:
    with pytest.raises(EvidenceError):
        taken(Attempt(Refusal(RefusedBy.CMDLET, f"AccessDenied,{SET_VM}"), PROOF), 128, CMDLET)


def test_a_gap_that_stays_passes_and_names_where_the_window_is() -> None:
    boots = (guest_shows(0xC0000000), guest_shows(0xC0000000))
    verdict = mmio.judge_kept(1 * GiB, "stop and start", host_reads(1024), boots)
    assert verdict.outcome is Outcome.PASS
    assert verdict.because.startswith("over stop and start the gap stays 1024 MiB")


@pytest.mark.parametrize(
    ("host", "starts"),
    [(128, (0xC0000000,)), (1024, (0xF8000000,)), (1024, (0xC0000000, 0xBFE00000))],
    ids=["host lost it", "guest lost it", "second boot lost it"],
)
def test_a_gap_that_does_not_stay_fails(host: int, starts: tuple[int, ...]) -> None:
    boots = [guest_shows(start) for start in starts]
    verdict = mmio.judge_kept(1 * GiB, "stop and start", host_reads(host), boots)
    assert verdict.outcome is Outcome.FAIL


def test_no_boot_proves_nothing() -> None:
    with pytest.raises(EvidenceError, match="boot to judge"):
        mmio.judge_kept(1 * GiB, "stop and start", host_reads(1024), ())


@pytest.mark.parametrize(
    ("host", "start", "outcome"),
    [
        (1024, 0xC0000000, Outcome.PASS),
        (1536, 0xA0000000, Outcome.FAIL),
        (1024, 0xA0000000, Outcome.FAIL),
    ],
    ids=["as at the checkpoint", "as set in between", "guest as set in between"],
)
def test_after_a_checkpoint_the_gap_is_the_one_it_holds(
    host: int, start: int, outcome: Outcome
) -> None:
    verdict = mmio.judge_restored(1 * GiB, host_reads(1536), host_reads(host), guest_shows(start))
    assert verdict.outcome is outcome


def test_the_same_value_in_between_proves_nothing() -> None:
    with pytest.raises(EvidenceError, match="other than"):
        mmio.judge_restored(1 * GiB, host_reads(1024), host_reads(1024), guest_shows(0xC0000000))


REFUSED_SETTING = taken(BY_JOB, 128)
TOOK = taken(Attempt(None, PROOF), 1024)


def test_a_host_that_refused_on_the_way_fails_whatever_is_judged_at_the_end() -> None:
    kept = mmio.judge_kept(1 * GiB, "stop and start", host_reads(1024), (), REFUSED_SETTING)
    restored = mmio.judge_restored(
        1 * GiB, host_reads(1024), host_reads(1024), ONE_GIB, REFUSED_SETTING
    )
    for verdict in (kept, restored):
        assert (verdict.outcome, verdict.because) == (Outcome.FAIL, REFUSED_SETTING.because)
        assert verdict.evidence == REFUSED_SETTING.evidence


def test_the_evidence_of_what_was_set_on_the_way_stays_with_the_verdict() -> None:
    between, reads = host_reads(1536), host_reads(1024)
    verdict = mmio.judge_restored(1 * GiB, between, reads, ONE_GIB, TOOK)
    assert verdict.outcome is Outcome.PASS
    assert verdict.evidence[: len(TOOK.evidence)] == TOOK.evidence
    over = "over a checkpoint (set to 1536 MiB in between) the gap stays 1024 MiB"
    assert verdict.because.startswith(over)


def test_the_upper_windows_are_named_all_of_them() -> None:
    low = "0xc0000000-0xfffbffff"
    two = log(low, "0x100000000-0x1ffffffff", "0x300000000-0x3ffffffff")
    for text, said in (
        (log(low), "; no upper window"),
        (two, "; upper window 0x100000000-0x1ffffffff, 0x300000000-0x3ffffffff"),
    ):
        guest = Measured(parse_root_bus(text), (Evidence("dmesg", text, "guest g1"),))
        verdict = mmio.judge_gap(1 * GiB, host_reads(128), host_reads(1024), guest)
        assert verdict.outcome is Outcome.PASS
        assert verdict.because.endswith(said)


def test_a_value_without_its_raw_text_is_told_in_an_error() -> None:
    bare = Measured(1 * GiB, ())
    with pytest.raises(EvidenceError) as told:
        mmio.judge_gap(1 * GiB, bare, host_reads(1024), ONE_GIB)
    assert "in 8 characters" in str(told.value)  # "1024 MiB"


def test_an_error_of_another_cmdlet_whose_id_ends_alike_is_no_refusal_of_the_value() -> None:
    other = Attempt(Refusal(RefusedBy.CMDLET, f"InvalidParameter,Other,{SET_VM}"), PROOF)
    with pytest.raises(EvidenceError):
        refused(64 * MiB, CMDLET, other)
