"""fio's JSON and systemd's word on the workload."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks import workload
from harness.errors import EvidenceError
from harness.units import Bytes, MiB


def told(error: int = 0, before: str = "", after: str = "") -> str:
    job = {
        "jobname": "work",
        "error": error,
        "write": {"io_bytes": 700 << 20},
        "read": {"io_bytes": 690 << 20},
    }
    return before + json.dumps({"fio version": "fio-3.33", "jobs": [job]}, indent=1) + after


def test_a_stopped_fio_says_what_it_wrote_and_verified() -> None:
    found = workload.parse_fio(told(before="\nfio: terminating on signal 2\n"))
    assert found == workload.Fio(0, 700 * MiB, 690 * MiB)
    assert workload.parse_fio(told(after="!\n")) == found


def test_a_verify_error_is_an_errno() -> None:
    before = (
        "verify: bad magic header 0, wanted acca at file /mnt/work offset 0, length 262144\n"
        "fio: pid=900, err=84/file:io_u.c:2166, func=io_u_queued_complete, error=Invalid\n"
    )
    assert workload.parse_fio(told(84, before)).error == 84


@pytest.mark.parametrize("text", ["", "fio: not found", "{}", '{"jobs": []}', told()[:-40], "}{"])
def test_a_report_that_is_cut_off_is_an_error(text: str) -> None:
    with pytest.raises(EvidenceError):
        workload.parse_fio(text)


@given(st.text(max_size=400))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (workload.parse_fio, workload.parse_unit):
        try:
            parse(text)
        except EvidenceError:
            continue


def test_a_unit_is_active_while_it_runs() -> None:
    running = workload.parse_unit("ActiveState=active\nSubState=running\nResult=success\n")
    assert running == workload.Unit(active=True, result="success")
    failed = workload.parse_unit("ActiveState=failed\nSubState=failed\nResult=exit-code\n")
    assert failed == workload.Unit(active=False, result="exit-code")
    begins = workload.parse_unit("ActiveState=activating\nDescription=fio --size=1\n")
    assert begins == workload.Unit(active=True, result="")
    with_more = workload.parse_unit("ActiveState=active\nResult=a=b\n")
    assert with_more.result == "a=b"


def test_a_unit_without_a_state_is_an_error() -> None:
    with pytest.raises(EvidenceError) as told:
        workload.parse_unit("Result=success\n")
    assert str(told.value) == "unit: no ActiveState in 15 characters of output"


def test_the_workload_reads_back_from_the_disk_what_it_wrote() -> None:
    argv = workload.start("u", "/mnt/work", 580 * MiB, "/run/u.json").argv
    assert {"--direct=1", "--verify=crc32c", "--time_based", "--size=608174080"} <= set(argv)
    assert argv[:2] == ("systemd-run", "--unit=u")
    assert workload.fill("/mnt/new", Bytes(1 << 20)).argv[0] == "fio"
