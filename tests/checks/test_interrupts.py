from __future__ import annotations

import pytest

from harness.checks.interrupts import parse_cpu_list, parse_interrupts
from harness.errors import EvidenceError

TABLE = "           CPU0       CPU1\n{}:          5          7   Non-maskable interrupts\n"


def test_an_nmi_row_without_a_cpu_header_is_an_error() -> None:
    with pytest.raises(EvidenceError, match="CPU header"):
        parse_interrupts("NMI:          5          7   Non-maskable interrupts\n")


def test_a_table_without_an_nmi_row_has_no_counts_and_err_and_mis_are_none() -> None:
    for label in ("ERR", "MIS", "PMI", "XNMI"):
        assert parse_interrupts(TABLE.format(label)).nmi is None


def test_asking_for_counts_of_a_table_without_an_nmi_row_is_an_error() -> None:
    with pytest.raises(EvidenceError, match="NMI row"):
        parse_interrupts(TABLE.format("LOC")).nmi_of()


def test_an_indented_label_is_read() -> None:
    assert parse_interrupts(TABLE.format("   NMI")).nmi == (5, 7)


def test_a_row_with_fewer_counts_than_cpus_is_none() -> None:
    assert parse_interrupts("  CPU0  CPU1\nNMI:   5   Non-maskable interrupts\n").nmi is None


def test_header_and_row_broken_by_a_mailer_are_whole_again() -> None:
    text = "  CPU0  CPU1  CPU2\n  CPU3\n LOC: 1 1 1\n 1 Local\nNMI: 1 2 3\n 4 Non-maskable\n"
    assert parse_interrupts(text).nmi_of() == {0: 1, 1: 2, 2: 3, 3: 4}


def test_a_row_that_goes_on_with_words_is_over() -> None:
    text = "  CPU0  CPU1\nNMI: 1\nNon-maskable interrupts\n 7\n"
    assert parse_interrupts(text).nmi is None


def test_the_last_table_counts() -> None:
    text = TABLE.format("NMI") + TABLE.format("NMI").replace(" 7 ", " 9 ")
    assert parse_interrupts(text).nmi == (5, 9)
    assert parse_interrupts(TABLE.format("NMI") + "   CPU0   CPU1\n").nmi is None


def test_one_cpu_is_a_table_too() -> None:
    assert parse_interrupts("           CPU0\nNMI:          3   Non-maskable\n").nmi == (3,)


def test_a_loggers_prefix_does_not_hide_the_table() -> None:
    text = "".join(f"12:00:01 vm1> {line}\n" for line in TABLE.format("NMI").splitlines())
    assert parse_interrupts(text).nmi == (5, 7)


def test_a_message_that_ends_in_a_cpu_is_no_header() -> None:
    with pytest.raises(EvidenceError):
        parse_interrupts("[    0.1] microcode: updated early on CPU0\n")


@pytest.mark.parametrize(
    "message",
    ["CPU0 mce: hardware error", "CPU0 CPU1 are up", "it was    CPU0"],
)
def test_a_message_about_cpus_begins_no_new_table(message: str) -> None:
    assert parse_interrupts(TABLE.format("NMI") + message + "\n").nmi == (5, 7)


def test_numbers_without_an_nmi_row_are_no_counts() -> None:
    assert parse_interrupts("  CPU0  CPU1\n  5  7\n").nmi is None


def test_a_header_may_be_broken_after_its_first_cpu_and_two_of_one_cpu_are_two() -> None:
    assert parse_interrupts("CPU0\nCPU1\nNMI: 1 2\n").nmi_of() == {0: 1, 1: 2}
    assert parse_interrupts("CPU0\nCPU0\nNMI: 5\n").nmi_of() == {0: 5}


def test_a_cpu_list_is_read_with_its_gaps() -> None:
    assert parse_cpu_list("0-1,3,5-6\n") == (0, 1, 3, 5, 6)
    for text in ("", "x", "0-", "-1", "0-x"):
        with pytest.raises(EvidenceError):
            parse_cpu_list(text)
