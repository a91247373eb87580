from __future__ import annotations

import pytest

from harness.checks.memory_info import MemoryInfo, parse_memory_info
from harness.errors import EvidenceError

LISTING = "MemTotal:        8164548 kB\nMemFree:          851960 kB\nMemAvailable:    1950080 kB\n"


@pytest.mark.parametrize("prefix", ["", "> ", "2025-12-18 21:32:52.340 ", "/proc/meminfo:", "  "])
def test_the_three_rows_are_read_behind_any_prefix(prefix: str) -> None:
    text = "".join(f"{prefix}{line}\r\n" for line in LISTING.splitlines())
    assert parse_memory_info(text) == MemoryInfo(8164548, 851960, 1950080)


def test_a_kernel_before_3_14_has_no_available_row() -> None:
    text = LISTING + "MemTotal:       15666184 kB\nMemFree:          440324 kB\n"
    assert parse_memory_info(text) == MemoryInfo(15666184, 440324, None)


@pytest.mark.parametrize(
    "text", ["", "MemFree: 5 kB\n", "Node 0 MemTotal:       8388152 kB\n", "Mem: 1 2 3\n"]
)
def test_no_total_is_an_error(text: str) -> None:
    with pytest.raises(EvidenceError):
        parse_memory_info(text)


def test_the_rows_of_a_node_are_not_the_machine_s() -> None:
    node = "Node 0 MemTotal: 5 kB MemFree: 4 kB\n"
    assert parse_memory_info(LISTING + node) == MemoryInfo(8164548, 851960, 1950080)
