from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from harness.checks import nmi
from harness.checks.interrupts import Interrupts, parse_cpu_list, parse_interrupts
from harness.checks.kernel_log import parse_kernel_log
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured, Probe
from harness.host.session import Attempt, Refusal, RefusedBy
from harness.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from tests.checks.conftest import Recording

FOLDER = "nmi"
PROOF = (Evidence("Debug-VM", "ErrorRecord", "host h1"),)
DEBUG_VM = "Microsoft.HyperV.PowerShell.Commands.DebugVM"
SEEN_WITHIN = timedelta(seconds=10)
T = TypeVar("T")


def judged(recording: Recording) -> Verdict:
    given = recording.given
    counts = [
        recording.measured(f"cat /proc/interrupts ({when})", parse_interrupts)
        for when in ("before", "after")
    ]
    logs = [recording.measured(f"dmesg ({when})", parse_kernel_log) for when in ("before", "after")]
    rounds = nmi.Injections(
        given["sent"], given["seen"], (counts[0], counts[1]), (logs[0], logs[1])
    )
    online = recording.measured("cat /sys/devices/system/cpu/online", parse_cpu_list)
    return nmi.judge_injections(rounds, online, given["build"])


def test_injections_are_judged_as_recorded(recording: Recording, outcome: str) -> None:
    if outcome == "error":
        with pytest.raises(EvidenceError):
            judged(recording)
        return
    verdict = judged(recording)
    assert verdict.outcome.value == outcome, verdict.because
    assert len(verdict.evidence) >= 5


def table(*counts: int) -> str:
    cpus = " ".join(f"CPU{n}" for n in range(len(counts)))
    return f"   {cpus}\nNMI: {' '.join(map(str, counts))} Non-maskable interrupts\n"


def measured(*counts: int) -> Measured[Interrupts]:
    text = table(*counts)
    return Measured(parse_interrupts(text), (Evidence("cat /proc/interrupts", text, "guest g1"),))


class Guest:
    """Counts NMIs on CPU 0 as ``behaviour`` says: how many for the n-th injection."""

    def __init__(self, behaviour: tuple[int, ...]) -> None:
        self.counts, self.log, self.sent, self.behaviour = 0, ["[    0.0000] boot"], 0, behaviour

    def inject(self) -> None:
        times = self.behaviour[self.sent]
        self.sent += 1
        for _ in range(times):
            self.counts += 1
            stamp = f"[  {self.counts}.0000]"
            self.log.append(f"{stamp} Uhhuh. NMI received for unknown reason 21 on CPU 0.")

    def measure(self, probe: Probe[T], /) -> Measured[T]:
        answers = {
            nmi.INTERRUPTS.argv: table(self.counts, 0),
            ("dmesg",): "\n".join(self.log),
            nmi.ONLINE_CPUS.argv: "0-1\n",
        }
        text = answers[probe.argv]
        return Measured(probe.parse(text), (Evidence(" ".join(probe.argv), text, "guest g1"),))

    def wait_for(self, what: str, poll: Callable[[], T | None], within: timedelta) -> T | None:
        assert (what, within) == (f"NMI {self.sent} of 5 in /proc/interrupts", SEEN_WITHIN)
        return next((answer for _ in range(9) if (answer := poll()) is not None), None)

    def verdict(self) -> Verdict:
        rounds = nmi.inject_one_by_one(self.inject, self.measure, self.wait_for)
        return nmi.judge_injections(rounds, self.measure(nmi.ONLINE_CPUS), 20348)


def test_five_that_arrive_one_by_one_pass() -> None:
    guest = Guest((1, 1, 1, 1, 1))
    assert guest.verdict().outcome is Outcome.PASS
    assert guest.sent == 5


def test_after_one_that_does_not_arrive_no_more_are_sent_and_the_sentence_says_which() -> None:
    guest = Guest((1, 1, 0, 1, 1))
    verdict = guest.verdict()
    assert verdict.outcome is Outcome.FAIL
    assert "injection 3 was not seen within 10 s" in verdict.because
    assert guest.sent == 3


def test_one_that_arrives_twice_fails_and_the_sentence_says_where() -> None:
    verdict = Guest((1, 1, 2, 1, 1)).verdict()
    assert verdict.outcome is Outcome.FAIL
    assert "CPU 0 counted 6 NMIs, not 5" in verdict.because


def test_a_lost_last_one_fails() -> None:
    guest = Guest((1, 1, 1, 1, 0))
    rounds = nmi.inject_one_by_one(guest.inject, guest.measure, guest.wait_for)
    assert (rounds.sent, rounds.seen) == (5, 4)
    assert Guest((1, 1, 1, 1, 0)).verdict().outcome is Outcome.FAIL


def test_an_injection_counts_as_seen_when_the_counters_stand_still_again() -> None:
    """A second delivery of the same injection that comes a poll later is in the count."""
    guest = Guest((1,))
    counts = iter((0, 0, 1, 2, 2))

    def measure(probe: Probe[T], /) -> Measured[T]:
        if probe.argv == nmi.INTERRUPTS.argv:
            guest.counts = next(counts)
        return guest.measure(probe)

    polled: list[object] = []

    def wait_for(what: str, poll: Callable[[], T | None], within: timedelta) -> T | None:
        del what, within
        polled.extend(poll() for _ in range(4))
        return None

    with pytest.raises(StopIteration):
        nmi.inject_one_by_one(guest.inject, measure, wait_for)
    *early, last = polled
    assert early == [None, None, None]
    assert isinstance(last, Measured)


def test_another_set_of_cpus_than_those_on_line_is_an_error() -> None:
    guest = Guest((1, 1, 1, 1, 1))
    rounds = nmi.inject_one_by_one(guest.inject, guest.measure, guest.wait_for)
    proof = (Evidence("online", "0-2", "guest g1"),)
    online: Measured[tuple[int, ...]] = Measured((0, 1, 2), proof)
    with pytest.raises(EvidenceError) as told:
        nmi.judge_injections(rounds, online, 20348)
    assert str(told.value) == (
        "/proc/interrupts: no column for each on-line CPU (columns [0, 1], on line (0, 1, 2))"
        " in 3 characters of output"
    )


def test_old_kernels_that_blame_the_pci_bus_fail() -> None:
    guest = Guest((1, 1, 1, 1, 1))
    rounds = nmi.inject_one_by_one(guest.inject, guest.measure, guest.wait_for)
    text = rounds.logs[1].evidence[0].answer
    text += f"\n[    9.0000] You have some {nmi.PCI_ERROR}."
    blamed = Measured(parse_kernel_log(text), (Evidence("dmesg", text, "guest g1"),))
    rounds = replace(rounds, logs=(rounds.logs[0], blamed))
    verdict = nmi.judge_injections(rounds, guest.measure(nmi.ONLINE_CPUS), 20348)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.because == "the kernel log blames the NMI on the PCI bus (SERR)"


@pytest.mark.parametrize(
    ("line", "kind", "reason", "cpu"),
    [
        ("Uhhuh. NMI received for unknown reason 21 on CPU 0.", "unknown", 0x21, 0),
        ("Uhhuh. NMI received for unknown reason 3d on CPU 56.", "unknown", 0x3D, 56),
        ("NMI: PCI system error (SERR) for reason b1 on CPU 0.", "SERR", 0xB1, 0),
        ("NMI: IOCK error (debug interrupt?) for reason 71 on CPU 1.", "IOCK", 0x71, 1),
    ],
)
def test_what_the_kernel_says_of_an_nmi_is_read(
    line: str, kind: str, reason: int, cpu: int
) -> None:
    assert nmi.parse_nmi_line(line) == nmi.NmiLine(kind, reason, cpu)


def test_other_talk_of_nmis_is_no_nmi() -> None:
    for line in ("NMI watchdog: Enabled.", "Dazed and confused", "perf: NMI took too long", ""):
        assert nmi.parse_nmi_line(line) is None


def test_the_rule_changes_with_build_14393() -> None:
    assert nmi.receivers(14392, (0, 1)) == {0, 1}
    assert nmi.receivers(14393, (0, 1)) == {0}


def refusal(code: str, by: RefusedBy = RefusedBy.CMDLET) -> Attempt:
    return Attempt(Refusal(by, code), PROOF)


REFUSED = refusal(f"OperationFailed,{DEBUG_VM}")


def test_a_refusal_by_debug_vm_with_all_counts_kept_passes() -> None:
    kept = nmi.judge_refused_kept("Paused", REFUSED, measured(5, 0), measured(5, 0))
    zero = nmi.judge_refused_zero("Off", REFUSED, measured(0, 0))
    assert (kept.outcome, zero.outcome) == (Outcome.PASS, Outcome.PASS)


def test_2012_r2_ends_the_name_of_its_class_with_command() -> None:
    of_2012_r2 = refusal(f"InvalidParameter,{DEBUG_VM}Command")
    assert nmi.judge_refused_zero("Off", of_2012_r2, measured(0, 0)).outcome is Outcome.PASS


def test_an_nmi_that_was_accepted_fails() -> None:
    verdict = nmi.judge_refused_zero("Off", Attempt(None, PROOF), measured(0, 0))
    assert verdict.outcome is Outcome.FAIL
    assert "accepted an NMI for a VM that is Off" in verdict.because


def test_counts_that_changed_fail_although_the_host_refused() -> None:
    zero = nmi.judge_refused_zero("Off", REFUSED, measured(3, 1))
    assert zero.outcome is Outcome.FAIL
    assert "counted after the next boot (CPU 0: 3, CPU 1: 1)" in zero.because
    kept = nmi.judge_refused_kept("Saved", REFUSED, measured(5, 0), measured(6, 0))
    assert kept.outcome is Outcome.FAIL
    assert "CPU 0: +1" in kept.because
    two = nmi.judge_refused_kept("Saved", REFUSED, measured(5, 0), measured(6, 2))
    assert "changed over Saved (CPU 0: +1, CPU 1: +2)" in two.because


@pytest.mark.parametrize(
    "attempt",
    [
        refusal("PSSessionStateBroken"),
        refusal(f"ObjectNotFound,{DEBUG_VM}"),
        refusal(f"AccessDenied,{DEBUG_VM}"),
        refusal("OperationFailed,Microsoft.HyperV.PowerShell.Commands.StopVM"),
        refusal(f"OperationFailed,Other,{DEBUG_VM}"),
        refusal(f"NamedParameterNotFound,{DEBUG_VM}", RefusedBy.BINDING),
    ],
)
def test_another_error_is_no_refusal(attempt: Attempt) -> None:
    with pytest.raises(EvidenceError):
        nmi.judge_refused_zero("Off", attempt, measured(0, 0))


@pytest.mark.parametrize(
    ("name", "build"), [("cpu0-only", 14392), ("every-cpu", 14393)], ids=["2012 R2", "2016"]
)
def test_what_passes_by_one_rule_fails_by_the_other(
    name: str, build: int, read_recording: Callable[[Path], Recording]
) -> None:
    path = Path(__file__).parent.parent / "recorded" / "nmi" / f"debian-12-qemu-{name}.pass.txt"
    recorded = read_recording(path)
    assert judged(replace(recorded, given=recorded.given | {"build": build})).outcome is (
        Outcome.FAIL
    )
    assert judged(recorded).outcome is Outcome.PASS
