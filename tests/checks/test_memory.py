"""What host and guest say of the guest's memory, read."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.checks.memory import (
    GuestMemory,
    HostMemory,
    Sample,
    curves,
    host_lines,
    parse_block_size,
    parse_guest_memory,
    parse_host_memory,
    parse_offline,
    parse_samples,
    parse_uptime,
    render_sample,
)
from harness.errors import EvidenceError
from harness.units import Bytes, KiB, MiB

EVIDENCE = Path(__file__).parent.parent / "recorded" / "evidence" / "balloon"
HOST = """[Microsoft.HyperV.PowerShell.VirtualMachine] VirtualMachine (Name = 'a')
Name                  : a
State                 : Running (2)
MemoryAssigned        : 805306368
MemoryDemand          : 242221056
MemoryStatus          : OK
MemoryStartup         : 805306368
Status                : Operating normally
"""
GUEST = "MemTotal:         670720 kB\nMemFree:          571392 kB\nMemAvailable:     547840 kB\n"
DRIVER = (
    "page_size             : 4096\npages_added           : 65536\npages_ballooned       : 32768\n"
)


def test_the_host_s_memory_is_read_from_the_lines_that_a_sample_keeps() -> None:
    lines = host_lines(HOST)
    assert lines.count("\n") == 3
    assert parse_host_memory(lines) == HostMemory(768 * MiB, 231 * MiB, "OK", "Running")


@pytest.mark.parametrize("name", ["MemoryAssigned", "MemoryDemand", "MemoryStatus", "State"])
def test_a_host_that_does_not_say_it_is_an_error(name: str) -> None:
    with pytest.raises(EvidenceError, match=name):
        parse_host_memory(host_lines(HOST).replace(name, "Other"))


def test_a_host_s_figure_that_is_no_number_is_an_error() -> None:
    with pytest.raises(EvidenceError, match="MemoryDemand"):
        parse_host_memory(HOST.replace("242221056", ""))


@pytest.mark.parametrize(
    ("file", "total", "available"),
    [("16", 8164548, 1950080), ("17", 15666184, 440324), ("18", 8144960, 4389516)],
)
def test_meminfo_of_real_machines(file: str, total: int, available: int) -> None:
    read = parse_guest_memory((EVIDENCE / f"{file}.txt").read_text())
    assert (read.total, read.available) == (total * KiB, available * KiB)
    assert read.moved is None


def test_the_driver_s_count_is_pages_added_less_pages_ballooned() -> None:
    assert parse_guest_memory(GUEST + DRIVER).moved == 128 * MiB


def test_a_driver_that_tells_half_of_it_is_an_error() -> None:
    with pytest.raises(EvidenceError, match="pages_ballooned"):
        parse_guest_memory(GUEST + DRIVER.replace("pages_ballooned", "pages_lost"))


@pytest.mark.parametrize("text", ["", "MemTotal:  12 kB\n", "MemFree:  12 kB\n"])
def test_a_meminfo_without_its_rows_is_an_error(text: str) -> None:
    with pytest.raises(EvidenceError):
        parse_guest_memory(text)


def test_blocks_that_are_off_line_are_counted() -> None:
    folder = "/sys/devices/system/memory"
    text = "".join(
        f"{folder}/memory{n}/state:{'offline' if n > 6 else 'online'}\n" for n in range(9)
    )
    assert parse_offline(text) == 2
    with pytest.raises(EvidenceError):
        parse_offline(f"{folder}/auto_online_blocks:offline\n")


def test_small_answers() -> None:
    assert parse_block_size("8000000\n") == 128 * MiB
    assert parse_block_size("c000000\n") == 192 * MiB
    assert parse_uptime("53.21 98.10\n") == 53.21
    for parse in (parse_block_size, parse_uptime):
        with pytest.raises(EvidenceError):
            parse("no such file\n")


def test_a_log_of_samples_is_read_as_it_was_written() -> None:
    lines = [render_sample(n, "ramp", host_lines(HOST), GUEST, host_lines(HOST)) for n in (0, 1.5)]
    first, second = parse_samples("\n".join(lines))
    assert (second.at, second.phase) == (1.5, "ramp")
    assert (second.given(first), second.view(first)) == (Bytes(0), Bytes(0))
    assigned = curves((first, second))[0]
    assert (assigned.name, assigned.points) == ("assigned", ((0.0, 768.0), (1.5, 768.0)))


@pytest.mark.parametrize("text", ["", "\n", "no json", '{"at": 1}', "[]"])
def test_a_log_that_is_none_is_an_error(text: str) -> None:
    with pytest.raises(EvidenceError):
        parse_samples(text)


def seen(total: int, moved: int | None = None) -> Sample:
    host = HostMemory(768 * MiB, 0 * MiB, "", "Running")
    told = None if moved is None else moved * MiB
    return Sample(0.0, "", host, GuestMemory(total * MiB, 0 * MiB, told), host)


@pytest.mark.parametrize(
    ("first", "last", "change"),
    [
        (seen(700, 10), seen(600, 60), 50),
        (seen(700, 10), seen(600), -100),
        (seen(700), seen(600, 60), -100),
        (seen(700), seen(600), -100),
    ],
)
def test_the_driver_s_count_is_taken_where_both_samples_have_it(
    first: Sample, last: Sample, change: int
) -> None:
    assert last.view(first).count == change * MiB.count


def test_all_that_a_host_does_not_say_is_named() -> None:
    with pytest.raises(EvidenceError) as told:
        parse_host_memory("State : Running (2)\nMemoryAssigned : 1\n")
    assert str(told.value) == "Get-VM: no MemoryDemand, MemoryStatus in 39 characters of output"
    read = parse_host_memory("State : Off\nMemoryAssigned : 0\nMemoryDemand : 0\nMemoryStatus :")
    assert read.state == "Off"
    two = parse_host_memory(
        "State : Off (3) x\nMemoryAssigned : 0\nMemoryDemand : 0\nMemoryStatus :"
    )
    assert two.state == "Off"


def test_a_sample_is_told_to_a_millisecond() -> None:
    line = render_sample(1.23456, "most", "", "", "")
    assert '"at": 1.235,' in line


def test_an_answer_that_cannot_be_read_is_kept_with_what_was_missing() -> None:
    text = "State : Running (2)\nMemoryAssigned : x\nMemoryDemand : 0\nMemoryStatus :"
    with pytest.raises(EvidenceError) as told:
        parse_host_memory(text)
    assert told.value.output == text
    guest = "MemTotal: 9 kB\nMemFree: 9 kB\nMemAvailable: 9 kB\npages_added : 1\n"
    with pytest.raises(EvidenceError) as told:
        parse_guest_memory(guest)
    assert told.value.missing == "page_size, pages_ballooned"
