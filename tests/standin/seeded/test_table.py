"""The table of faults, and the rules that keep it honest."""

import re
from collections import Counter
from pathlib import Path

import pytest

from harness.catalogue import cases
from harness.checks import mmio
from harness.errors import LabError
from harness.evidence import Evidence, Measured
from harness.host.session import Attempt, Refusal, RefusedBy
from harness.standin.hostlist import parse_hosts, with_faults
from harness.standin.seeded.expected import EXPECTED
from harness.standin.seeded.fault import Cell, tampered
from harness.standin.seeded.table import BY_NAME, FAULTS
from harness.units import MiB

ROOT = Path(__file__).parents[3]
OUTCOMES = {"pass", "fail", "error", "not-run"}
TO_BE_BUILT = {"nmi-to-wrong-vcpu"}
"""Its cells are committed; nothing in QEMU sends an NMI to a processor of choice."""

CELLS = [(name, cell) for name, cells in EXPECTED.items() for cell in cells]


def test_names_are_unique_lower_case_words_with_hyphens() -> None:
    assert [name for name, count in Counter(f.name for f in FAULTS).items() if count > 1] == []
    assert [f.name for f in FAULTS if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", f.name)] == []


def test_every_fault_says_beforehand_which_cases_notice_it() -> None:
    assert {f.name for f in FAULTS} == EXPECTED.keys() - TO_BE_BUILT
    assert [name for name, expected in EXPECTED.items() if not expected] == []


@pytest.mark.parametrize(("name", "cell"), CELLS, ids=[f"{n}-{c.case}" for n, c in CELLS])
def test_a_cell_names_a_case_an_outcome_and_words_of_the_sentence(name: str, cell: Cell) -> None:
    assert cell.case in {row[0] for row in cases(ROOT / "testcases")}
    assert set(cell.outcomes) <= OUTCOMES
    assert cell.because
    re.compile(cell.because)
    re.compile(cell.parameters)
    if name in BY_NAME and BY_NAME[name].level.value != "wire":
        assert len(cell.outcomes) == 1


def test_a_fault_of_a_host_or_guest_fails_a_case() -> None:
    faults = [fault.name for fault in FAULTS if fault.level.value != "wire"]
    fails = {n: [c for c in EXPECTED[n] if c.outcomes == ("fail",)] for n in faults}
    assert [name for name, cells in fails.items() if not cells] == []


NOTICED_BY_FEW = {"DM-03", "DM-07", "DM-08", "DM-09", "FB-04", "KD-03"}
"""Cases that fewer than two faults of hosts or guests are said to fail: visible until there are
more. FB-04 reports and judges nothing, so that only its guest's health fails it."""


def test_every_case_is_failed_by_at_least_two_faults_of_hosts_or_guests() -> None:
    failed = Counter(
        case
        for name, cells in EXPECTED.items()
        if name not in BY_NAME or BY_NAME[name].level.value != "wire"
        for case in {cell.case for cell in cells if cell.outcomes == ("fail",)}
    )
    few = {case for case, *_ in cases(ROOT / "testcases") if failed[case] < 2}
    assert few == NOTICED_BY_FEW


PASSED_BY_NONE = {"gap-ignored"}
"""Every case of its feature looks where the guest's low window begins."""


def test_every_fault_is_passed_by_a_case_of_the_same_feature() -> None:
    feature = {case: of for case, of, *_ in cases(ROOT / "testcases")}
    none = set()
    for name, cells in EXPECTED.items():
        whole = {cell.case for cell in cells if cell.parameters == ".*"}
        touched = {feature[cell.case] for cell in cells}
        if not {case for case, of in feature.items() if of in touched} - whole:
            none.add(name)
    assert none == PASSED_BY_NONE


def test_no_file_outside_the_stand_in_names_a_fault() -> None:
    sources = [p for p in (ROOT / "harness").rglob("*.py") if "standin" not in p.parts]
    sources += [*(ROOT / "testcases").glob("*.py"), *(ROOT / "inventories").iterdir()]
    named = [
        (path.name, name)
        for path in sources
        for name in BY_NAME
        if re.search(rf"(?<![\w-]){name}(?![\w-])", path.read_text())
    ]
    assert named == []


def test_an_unknown_fault_gets_one_sentence_with_the_list() -> None:
    with pytest.raises(LabError, match="named 'nmi-lots'; there are nmi-lost, nmi-") as no:
        with_faults(parse_hosts([]), ["nmi-lots"])
    assert "\n" not in str(no.value)


def test_a_fault_is_for_all_hosts_or_for_the_one_that_it_names() -> None:
    hosts = parse_hosts(["a:2019:127.0.0.1", "b:2016:127.0.0.2"])
    first, second = with_faults(hosts, ["nmi-lost", "b/job-fails", "nmi-lost"])
    assert (first.faults, second.faults) == (("nmi-lost",), ("nmi-lost", "job-fails"))
    with pytest.raises(LabError, match="no host is named c; there are a, b"):
        with_faults(hosts, ["c/nmi-lost"])


def test_tampering_replaces_one_call_and_leaves_the_rest() -> None:
    whole = Counter("abba")
    half = tampered(whole, total=lambda: 2)
    assert (half.total(), half.most_common(1), whole.total()) == (2, [("a", 2)], 4)
    with pytest.raises(AttributeError, match="no_such_call"):
        tampered(whole, no_such_call=lambda: 1)


def test_what_a_failed_job_must_do_to_the_verdicts_is_in_the_judges_words() -> None:
    proof = (Evidence("modify-system-settings", "ReturnValue : 4096", "host h1"),)
    failed = Attempt(Refusal(RefusedBy.JOB, "JobState 10, ErrorCode 32768"), proof)
    host = Measured(128 * MiB, proof)
    said = mmio.judge_set(1024 * MiB, mmio.GapPath.WMI, failed, host).because
    cells = [cell for cell in EXPECTED["job-fails"] if cell.case in ("MMIO-01", "MMIO-02")]
    assert [cell.case for cell in cells if not re.search(cell.because, said)] == []
