"""Cores by their first and last bytes, and by their names."""

from __future__ import annotations

import pytest

from harness.checks.core import (
    ELF,
    FLAT,
    FLAT_END,
    FLAT_HEADER,
    FLAT_RECORD,
    HEAD,
    STATUS,
    CoreFile,
    CoreHeader,
    parse_bytes,
    parse_files,
    parse_header,
    tail,
)
from harness.errors import EvidenceError

RELEASE = "6.1.0-56-cloud-amd64"


def compressed(release: str = RELEASE, status: int = 1) -> bytes:
    words = (b"Linux", b"lab", release.encode(), b"#1 SMP", b"x86_64", b"(none)")
    head = b"KDUMP   " + (6).to_bytes(4, "little") + b"".join(w.ljust(65, b"\0") for w in words)
    return head.ljust(STATUS, b"\0") + status.to_bytes(4, "little") + bytes(64)


def flattened(content: bytes, *, end: bool = True) -> bytes:
    head = (FLAT + (1).to_bytes(8, "big") * 2).ljust(FLAT_HEADER, b"\0")
    pieces = (content[at : at + 100] for at in range(0, len(content), 100))
    records = (FLAT_RECORD.pack(100 * n, len(p)) + p for n, p in enumerate(pieces))
    return head + b"".join(records) + (FLAT_END if end else b"")


def elf(flags: int = 0, note: bytes = b"OSRELEASE=" + RELEASE.encode() + b"\n") -> bytes:
    return (ELF.ljust(48, b"\0") + flags.to_bytes(4, "little")).ljust(512, b"\0") + note


def od(raw: bytes) -> str:
    return "".join(f" {raw[at : at + 16].hex(' ')}\n" for at in range(0, len(raw), 16))


def test_a_compressed_core_names_its_kernel() -> None:
    assert parse_header(od(compressed())) == CoreHeader("kdump", RELEASE)


def test_a_flattened_core_is_read_through_its_records() -> None:
    assert parse_header(od(flattened(compressed()))) == CoreHeader("kdump", RELEASE, flattened=True)
    late = (FLAT + bytes(16)).ljust(FLAT_HEADER, b"\0") + FLAT_RECORD.pack(HEAD * 4, 4) + b"page"
    start = compressed()
    raw = late + FLAT_RECORD.pack(0, len(start)) + start
    assert parse_header(od(raw)).release == RELEASE


def test_an_elf_core_names_its_kernel_in_a_note() -> None:
    assert parse_header(od(elf())) == CoreHeader("elf", RELEASE)


def test_the_header_of_an_elf_core_has_64_bytes_and_its_flags_four() -> None:
    note = b"OSRELEASE=6.1\n"
    shortest = ELF.ljust(64 - len(note), b"\0") + note
    assert parse_header(od(shortest)) == CoreHeader("elf", "6.1")
    with pytest.raises(EvidenceError, match="OSRELEASE"):
        parse_header(od(ELF.ljust(63 - len(note), b"\0") + note))
    sized = ELF.ljust(52, b"\0") + b"\x40\0" + bytes(458) + note
    assert not parse_header(od(sized)).incomplete


@pytest.mark.parametrize("raw", [compressed(status=0x9), elf(flags=1)], ids=["kdump", "elf"])
def test_a_core_that_its_writer_marked_incomplete_says_so(raw: bytes) -> None:
    assert parse_header(od(raw)).incomplete


@pytest.mark.parametrize(
    "raw",
    [b"", b"hello world", compressed()[:300], elf(note=b""), flattened(b"no core at all")],
    ids=["empty", "text", "cut off", "no note", "flattened text"],
)
def test_what_is_no_core_is_an_error(raw: bytes) -> None:
    with pytest.raises(EvidenceError):
        parse_header(od(raw))
    with pytest.raises(EvidenceError):
        parse_header("od: /var/crash/dump: No such file or directory")


def test_a_flattened_core_ends_with_its_writers_last_record() -> None:
    whole, cut = flattened(compressed()), flattened(compressed(), end=False)
    asked = tail(CoreFile("/var/crash/dump", len(whole)))
    assert asked.argv[-3:] == (str(len(whole) - 16), "--", "/var/crash/dump")
    assert asked.parse(od(whole[-16:]))
    assert not asked.parse(od(cut[-16:]))
    assert parse_bytes(" ff 00\n") == b"\xff\0"


def test_cores_are_told_from_logs_beside_them() -> None:
    listing = """\
27262976 /var/crash/202611232158/dump.202611232158
54000 /var/crash/202611232158/dmesg.202611232158
18874368 /var/crash/127.0.0.1-2020-01-16-02:06:14/vmcore
60000 /var/crash/127.0.0.1-2020-01-16-02:06:14/vmcore-dmesg.txt
60001 /var/crash/127.0.0.1-2020-01-16-02:06:14/kexec-dmesg.log
1000 /var/crash/x/dump-incomplete
1001 /var/crash/y/vmcore-incomplete
1002 /var/crash/z/vmcore.flat
12 /var/crash/kexec_cmd
70 /var/crash/hvcert-capture-kernel.log
"""
    assert [(file.size, file.incomplete) for file in parse_files(listing)] == [
        (27262976, False),
        (18874368, False),
        (1000, True),
        (1001, True),
        (1002, False),
    ]
    assert parse_files("") == ()
    with pytest.raises(EvidenceError):
        parse_files("find: '/var/crash': Permission denied")


def record(offset: int, content: bytes) -> bytes:
    return FLAT_RECORD.pack(offset, len(content)) + content


def stream(*records: bytes) -> str:
    return od((FLAT + bytes(16)).ljust(FLAT_HEADER, b"\0") + b"".join(records))


def test_a_record_beyond_what_was_read_is_cut_off_there_and_later_ones_still_count() -> None:
    start = compressed()
    long = start.ljust(HEAD, b"\0") + b"beyond"
    assert parse_header(stream(record(0, long))).release == RELEASE
    assert parse_header(stream(record(HEAD - 2, b"last"), record(0, start))).release == RELEASE
    assert parse_header(stream(record(0, b""), record(0, start))).release == RELEASE


def test_records_count_in_the_place_that_they_tell_in_any_order() -> None:
    start = compressed()
    assert parse_header(stream(record(100, start[100:]), record(0, start[:100]))).release == RELEASE


@pytest.mark.parametrize("end", [(-1, 4), (4, -1), (-1, -1)])
def test_after_a_streams_end_nothing_counts(end: tuple[int, int]) -> None:
    other = record(0, compressed(release="other"))
    text = stream(record(0, compressed()), FLAT_RECORD.pack(*end), other)
    assert parse_header(text).release == RELEASE


def test_a_last_record_without_content_is_read() -> None:
    text = stream(record(0, compressed()), FLAT_RECORD.pack(0, 0))
    assert parse_header(text) == CoreHeader("kdump", RELEASE, flattened=True)


def test_a_header_is_whole_with_the_last_byte_of_its_status() -> None:
    whole = compressed()[: STATUS + 4]
    assert parse_header(od(whole)) == CoreHeader("kdump", RELEASE)
    with pytest.raises(EvidenceError, match="whole header"):
        parse_header(od(whole[:-1]))


def test_a_release_that_is_no_ascii_is_read_all_the_same() -> None:
    raw = compressed().replace(b"6.1.0-56", b"6.1.0\xff56")
    assert parse_header(od(raw)).release == "6.1.0\N{REPLACEMENT CHARACTER}56-cloud-amd64"


def test_a_release_ends_with_its_field() -> None:
    assert parse_header(od(compressed(release="r" * 65))).release == "r" * 65


@pytest.mark.parametrize("text", ["12 vmcore\n", "x /var/crash/vmcore\n", "12\n"])
def test_a_line_without_size_or_path_is_an_error(text: str) -> None:
    with pytest.raises(EvidenceError, match="size and path in each line"):
        parse_files(text)


def test_a_path_may_have_blanks() -> None:
    assert parse_files("12 /var/crash/a b/vmcore\n") == (CoreFile("/var/crash/a b/vmcore", 12),)


@pytest.mark.parametrize("name", ["vmcore-dmesg.txt", "vmcore.log", "dump.txt", "dmesg.incomplete"])
def test_a_log_is_no_core(name: str) -> None:
    assert parse_files(f"12 /var/crash/{name}\n") == ()
