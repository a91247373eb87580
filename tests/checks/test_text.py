from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks.text import decode, lines, records
from harness.errors import EvidenceError
from harness.reading import TOPICS


def messages(text: str) -> list[str]:
    return [record.message for record in records(text)]


def test_line_ends_escapes_and_quotes_are_taken_off() -> None:
    assert list(lines("a\r\n\x1b[0;31mb\x1b[0m\r\r\n> > c\n\x1b]0;title\x07d")) == [
        "a",
        "b",
        "c",
        "d",
    ]


def test_a_runner_line_keeps_its_arrow() -> None:
    assert list(lines("->handler()\n>text")) == ["->handler()", "text"]


@pytest.mark.parametrize(
    "prefix",
    [
        "", "> ", "<4>", "  ", "Jun 11 20:16:31 vm1 kernel: ", "<6>Jun  1 20:16:31 vm1 kernel: ",
        "2025-06-03T16:02:28.126191+00:00 vm1 kernel: ", "2025-12-18 21:32:52.340 ",
        "[2025-06-03 16:02:28] ", "kern  :warn  : ",
        "2025-12-18 21:32:52.340[1000][DEBUG] lisa.env[g].node[0].cmd[16].stdout ",
        "2025-06-03T16:02:28.126Z COM1| ",
    ],
)  # fmt: skip
def test_what_a_logger_puts_before_a_kernel_line_is_taken_off(prefix: str) -> None:
    (record,) = records(f"{prefix}[    1.000000] pci_bus 0000:00: text")
    assert (record.message, record.seconds) == ("pci_bus 0000:00: text", 1.0)
    assert record.by_kernel


def test_a_journal_line_has_stamp_and_tag() -> None:
    (record,) = records("[    1.500000] vm1 kernel: hello there")
    assert (record.message, record.seconds) == ("hello there", 1.5)


def test_a_human_time_stamp_is_the_kernels_too() -> None:
    (record,) = records("[Thu Jun 11 20:16:31 2021] hello")
    assert record.by_kernel
    assert record.message == "hello"


def test_another_programs_line_is_not_the_kernels() -> None:
    (record,) = records("Jun 11 20:16:31 vm1 kubelet[99]: BUG: not mine")
    assert record.other


def test_two_kernel_lines_on_one_are_told_apart() -> None:
    text = "[    1.000000] first |  [    1.200000] second\n"
    assert messages(text) == ["first |", "second"]


def test_lines_on_one_keep_the_line_their_stamps_and_who_wrote_them() -> None:
    line = "Jun 11 20:16:31 vm1 kubelet[99]: own [    1.000000] first [    1.200000] second"
    found = list(records(line))
    assert [(r.message, r.seconds, r.by_kernel, r.other) for r in found] == [
        ("own", None, False, True),
        ("first", 1.0, True, False),
        ("second", 1.2, True, False),
    ]
    assert {record.line for record in found} == {line}


@pytest.mark.parametrize(
    ("text", "message", "other"),
    [
        ("vm1 systemd[1]: Started x", "systemd[1]: Started x", True),
        ("systemd[1]: Started x", "systemd[1]: Started x", True),
        ("dpkg[9]: segfault at 0", "dpkg[9]: segfault at 0", False),
        ("usb 1-1: new", "usb 1-1: new", False),
    ],
)
def test_a_program_s_line_in_the_kernel_log_is_the_program_s(
    text: str,
    message: str,
    other: bool,  # noqa: FBT001  # a column
) -> None:
    (record,) = records(f"[    1.000000] {text}")
    assert (record.message, record.other) == (message, other)


def test_a_stamp_in_quotes_is_a_quotation() -> None:
    (record,) = records("found ['[    0.022001] Kernel panic - not syncing: x']")
    assert not record.by_kernel


def test_a_line_that_a_mailer_broke_is_whole_again() -> None:
    text = (
        "[  605.209984] Hardware name: Microsoft Corporation Virtual Machine/Virtual\n"
        "Machine, BIOS\n[  605.3] next"
    )
    assert messages(text)[0].endswith("Virtual Machine/Virtual Machine, BIOS")


STAMP = "[    1.000000] "


@pytest.mark.parametrize(
    ("head", "joined"),
    [
        ("a window of the bus [mem", True),
        ("root bus resource", True),
        ("a window of the bus", False),
        ("x" * 45 + "=", False),  # 61 wide
        ("x" * 54 + "=", True),
        ("x" * 66, True),  # 81 wide
        ("x" * 67, False),
    ],
)
def test_a_line_goes_on_where_it_is_open_or_as_wide_as_mail_is(head: str, joined: bool) -> None:  # noqa: FBT001
    found = messages(f"{STAMP}{head}\nabc more\n")
    assert (len(found) == 1) is joined, found


def test_a_word_that_had_room_in_the_line_was_not_broken_off() -> None:
    head = STAMP + "x" * 50  # 65 wide
    assert len(messages(f"{head}\nab cdefgh ijklmn\n")) == 2
    assert len(messages(f"{head}\nabc\n")) == 1
    assert len(messages(f"{head}\nab\n")) == 2


def test_a_short_line_is_not_joined_with_what_follows() -> None:
    assert messages("[    1.000000] short\ndone.") == ["short", "done."]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Größe\n".encode("utf-16"), "Größe\n"),
        (b"\xfe\xff" + "Größe\n".encode("utf-16-be"), "Größe\n"),
        (b"\xff\xfe" + "ab".encode("utf-16-le") + b"\x00\xd8", "ab\N{REPLACEMENT CHARACTER}"),
        (b"\xef\xbb\xbfa", "a"),
        (b"a\xef\xbb\xbf", "a\ufeff"),
        (b"\xff\xfeabcdef\0", "\N{REPLACEMENT CHARACTER}" * 2 + "abcdef\0"),
        (b"\xff\xfeabcdef\0\0", "\N{REPLACEMENT CHARACTER}" * 2 + "abcdef\0\0"),
        (b"\xff\xfeabcd\0\0", "\N{REPLACEMENT CHARACTER}" * 2 + "abcd\0\0"),
        (b"\xff\xfe" + "a".encode("utf-16-le"), "a"),
        (b"\xff\xfe", "\N{REPLACEMENT CHARACTER}" * 2),
    ],
)
def test_what_powershell_redirects_is_utf_16_when_a_third_of_it_is_zero(
    raw: bytes, text: str
) -> None:
    assert decode(raw) == text


def test_bytes_that_are_no_utf8_do_not_hide_the_rest() -> None:
    assert messages(decode(b"\xff\xfe[    1.000000] ok \xc3\x28\n"))[-1].startswith("ok")


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.binary().map(decode)))
def test_no_text_crashes_a_parser(text: str) -> None:
    for read in TOPICS.values():
        try:
            answer = read(text)
        except EvidenceError:
            continue
        assert isinstance(answer, dict)


PIECES = [
    "[    0.000000] ",
    "Linux version ",
    "pci_bus 0000:00: root bus resource [mem 0x",
    "-0x",
    "window]",
    "CPU0 ",
    "CPU1",
    "NMI: ",
    " 5",
    "\n",
    "\r\n",
    "> ",
    "\x1b[",
    "Kernel panic - not syncing: ",
    "Uhhuh. NMI received for unknown reason 21 on CPU 0.",
    "BUG: ",
    "Call Trace:",
    "I/O error, dev ",
    "sr0",
    "hv_storvsc x cmd 0x28 status: scsi 0x2",
    "40000000-fffbffff : PCI Bus 0000:00",
    "ffffffff",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_no_jumble_of_what_they_look_for_crashes_a_parser(text: str) -> None:
    for read in TOPICS.values():
        try:
            read(text)
        except EvidenceError:
            continue


SIZE = 60_000


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize(
    "unit",
    [
        "[", "[ ", "> ", "\x1b[", "\x1b[0", "CPU0 ", "NMI: ", "\n", "\r", "[    0.000000] ",
        "BUG: ",
        "Kernel panic - not syncing: ", "pci_bus 0000:00: root bus resource [mem 0x", "[mem\n",
        "[    1.000000] " + "x" * 50 + "\n" + "y" * 70 + "\n", "hv_storvsc ", "EXT4-fs (x): ",
        "[ 1.000000] INFO: task ", "CPU0 CPU1\nNMI: 1 ", "]: segfault at ", "a",
    ],
    ids=repr,
)  # fmt: skip
def test_hostile_input_costs_no_more_than_its_length(topic: str, unit: str) -> None:
    text = unit * (SIZE // len(unit))
    begun = time.process_time()
    with suppress(EvidenceError):
        TOPICS[topic](text)
    assert time.process_time() - begun < 0.3  # what is quadratic takes minutes


def test_what_another_writer_was_interrupted_in_is_not_joined() -> None:
    text = (
        "ci-info: |   4  [   19.465177] Kernel panic - not syncing: Fatal exception\n |  fe80 |\n"
    )
    assert messages(text)[1] == "Kernel panic - not syncing: Fatal exception"


def test_a_soft_break_of_quoted_printable_is_mended() -> None:
    line = "[    0.123456] pci_bus 0000:00: root bus resource [mem 0x40000000-0xfffb="
    assert messages(f"{line}\nffff window]=20\n") == [
        "pci_bus 0000:00: root bus resource [mem 0x40000000-0xfffbffff window]"
    ]


def test_what_follows_an_empty_line_is_not_the_rest_of_the_line_before() -> None:
    end = "[    9.772547][    T0] ---[ end Kernel panic - not syncing: Fatal exception ]---"
    text = f"[    9.772546] first\n{end}\n\nThe working boot looks like this:\n"
    assert messages(text)[1:] == [end[23:], "The working boot looks like this:"]


def test_a_bare_panic_that_a_mailer_broke_is_one_message_and_what_the_kernel_adds_is_another() -> (
    None
):
    panic = "Kernel panic - not syncing: XSAVE has to be disabled as it is not yet"
    assert messages(f"{panic}\nsupported by this\n") == [f"{panic} supported by this"]
    assert messages(f"{panic}\na feature of this\n") == [f"{panic} a feature of this"]
    assert messages(f"{panic}\nCPU: 0 PID: 1 Comm: x\n") == [panic, "CPU: 0 PID: 1 Comm: x"]


@pytest.mark.parametrize("space", ["\xa0", "\ufffd"])
def test_a_stamp_with_the_spaces_of_a_web_page_is_one(space: str) -> None:
    (record,) = records(f"[{space}{space} 38.332403]{space}Kernel panic - not syncing: x")
    assert record.seconds == pytest.approx(38.332403)
    assert record.by_kernel


def test_a_record_of_the_journals_json_is_a_line() -> None:
    line = '{"_TRANSPORT":"kernel","__REALTIME_TIMESTAMP":"1623442591123456","MESSAGE":"hello"}'
    (record,) = records(line)
    assert (record.message, record.by_kernel) == ("hello", True)
    (record,) = records(line.replace("kernel", "syslog"))
    assert record.other


def test_brackets_that_are_no_json_are_a_line() -> None:
    assert messages('{"MESSAGE": \n{"a":1}\n[1]') == ['{"MESSAGE":', '{"a":1}', "[1]"]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("ends with an X\r\n", ["ends with an X"]),
        ("one\rtwo\n", ["one", "two"]),  # a progress line, written over
        ("one\n\n\ntwo\n", ["one", "", "two"]),
        ("one\n\ntwo\n", ["one", "two"]),
        ("one\r\n\r\ntwo\r\n", ["one", "two"]),
        ("one\ntwo\n\nthree\n\nfour", ["one", "two", "", "three", "four"]),
        ("[\xa0\xa0 1.0]\xa0 text", ["[   1.0]  text"]),
        ("  indented  \n", ["  indented"]),
    ],
)
def test_a_line_is_what_stands_between_line_ends(text: str, read: list[str]) -> None:
    assert list(lines(text)) == read


WIDE = f"[    1.000000] {'x' * 60}"  # as wide as mail is: what follows may be the rest of it


@pytest.mark.parametrize(
    "begins",
    [
        f"{' ' * 12}kernel: next",
        f"{' ' * 4}kernel: next",
        "[Thu Jun 11 20:16:31 2021] next",
        "Jun 11 20:16:31 vm1 kernel: next",
        "[    1.500000] next",
    ],
)
def test_what_begins_as_log_lines_do_is_never_the_rest_of_another(begins: str) -> None:
    assert [r.line for r in records(f"{WIDE}\n{begins}\n")] == [WIDE, begins]


@pytest.mark.parametrize(
    ("broken", "read"),
    [
        (f"{'b' * 70}-\ncdefgh", 1),  # "BIOS-e820: [mem 0x…-" goes on
        (f"{'b' * 71}\ncdefgh", 2),
        ("pci_bus 0000:00: root bus resource\n[mem 0xf8000000-0xfffbffff window]", 1),
        ("pci_bus 0000:00: root bus resources\n[mem 0xf8000000-0xfffbffff window]", 2),
        (f"a:      {WIDE[:65]}\ncdefgh", 2),  # another writer's, far before the stamp
    ],
)
def test_a_line_without_a_stamp_is_broken_only_where_it_breaks_off(broken: str, read: int) -> None:
    assert len({record.line for record in records(f"{broken}\n")}) == read


def test_who_wrote_a_message_is_told_by_its_own_tag() -> None:
    (human,) = records("[Thu Jun 11 20:16:31 2021] systemd[1]: Started\n")
    assert (human.by_kernel, human.other) == (False, True)
    (bare,) = records("kernel: hv_vmbus: registering\n")
    assert (bare.by_kernel, bare.other) == (True, False)
    two = tuple(records("[    1.000000] one [    2.000000] two\n"))
    assert [(r.by_kernel, r.other) for r in two] == [(True, False)] * 2
