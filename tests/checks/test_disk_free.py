# ruff: noqa: E501, RUF001  # samples are as long, and in as many languages, as they come
from __future__ import annotations

import pytest

from harness.checks.disk_free import MountedSpace, parse_df
from harness.errors import EvidenceError

ROOT = MountedSpace("/", 10255636, 2211484, 7501396)
ROW = "/dev/sda1       10255636 2211484   7501396  23% /"


def table(header: str, *rows: str) -> str:
    return "\n".join((header, *rows)) + "\n"


@pytest.mark.parametrize(
    "header",
    [
        "Filesystem     1K-blocks    Used Available Use% Mounted on",
        "Filesystem           1K-blocks      Used Available Use% Mounted on",
        "Filesystem     1024-blocks    Used Available Capacity Mounted on",
        "Dateisystem    1K-Blöcke Benutzt Verfügbar Verw% Eingehängt auf",
        "Sys. de fichiers blocs de 1K Utilisé Disponible Uti% Monté sur",
        "S.ficheros     bloques de 1K  Usados Disponibles Uso% Montado en",
        "File system    1K-blocchi   Usati Disponib. Uso% Montato su",
        "Sist. Arq.      Blocos de 1K    Usado Disponível Uso% Montado em",
        "Файловая система 1K-блоков Использовано  Доступно Использовано% Cмонтировано в",
        "文件系统          1K-块    已用     可用 已用% 挂载点",
        "ファイルシス   1K-ブロック    使用   使用可 使用% マウント位置",
        "System plików  1K-bl    użyte dostępne %uż. zamont. na",
        "Souborový systém 1K-bloků Použito    Volné Uži% Připojeno do",
        "Bestandssysteem 1K-blokken Gebruikt Beschikbaar Geb% Aangekoppeld op",
        "파일 시스템    1K-블록    사용    가용 사용% 마운트위치",
        "Filsystem      1K-block  Använt Tillgängligt Anv% Monterat på",
    ],
)  # fmt: skip
def test_a_table_in_any_language_is_read(header: str) -> None:
    assert parse_df(table(header, ROW)) == (ROOT,)


@pytest.mark.parametrize(
    ("header", "row", "size"),
    [
        ("Filesystem     1M-blocks  Used Available Use% Mounted on", "/dev/sda1 10 2 8 23% /", 10240),
        ("Filesystem     512-blocks  Used Available Capacity Mounted on", "/dev/sda1 11 2 8 2% /", 5.5),
        ("Filesystem     1B-blocks  Used Available Use% Mounted on", "/dev/sda1 2048 2 8 2% /", 2),
        ("Filesystem     1kB-blocks  Used Available Use% Mounted on", "/dev/sda1 1024 2 8 2% /", 1000),
        ("Filesystem     1G-blocks  Used Available Use% Mounted on", "/dev/sda1 10G 2G 8G 23% /", None),
        ("Filesystem      Size  Used Avail Use% Mounted on", "/dev/sda1 9.8G 2.2G 7.2G 23% /", None),
        ("Dateisystem    Größe Benutzt Verf. Verw% Eingehängt auf", "udev 1,9G 0 1,9G 0% /", None),
        ("Filesystem     1K-blocks  Used Available Use% Mounted on", "/dev/sda1 1,024 2 8 2% /", 1024),
        ("Filesystem    Type 1K-blocks Used Available Use% Mounted on", "/dev/sda1 ext4 9 2 7 2% /", 9),
        (
            "Filesystem 512-blocks Used Available Capacity iused ifree %iused Mounted on",
            "/dev/disk1 4 2 2 50% 355384 2448101960 0% /",
            2,
        ),
        ("Mounted on     1K-blocks    Used   Avail Use%", "/              9       2       7   2%", 9),
    ],
)  # fmt: skip
def test_the_header_tells_the_unit(header: str, row: str, size: float | None) -> None:
    (found,) = parse_df(table(header, row))
    assert (found.mount, found.size_kib) == ("/", size)


HEADER = "Filesystem     1K-blocks    Used Available Use% Mounted on"


def test_a_row_that_is_broken_after_a_long_device_name_is_whole_again() -> None:
    assert parse_df(
        table(
            HEADER,
            "/dev/mapper/VolGroup00-LogVol00",
            "                      10255636 2211484   7501396  23% /",
        )
    ) == (ROOT,)


def test_a_row_that_a_mailer_broke_is_whole_again() -> None:
    assert parse_df(table(HEADER, "> /dev/sda1 10255636 2211484 7501396  23%", "> /")) == (ROOT,)


def test_a_mount_point_with_blanks_keeps_them() -> None:
    (found,) = parse_df(table(HEADER, "//srv/a b     9 2 7  23% /mnt/a  b c"))
    assert found.mount == "/mnt/a  b c"


def test_sizes_that_are_not_told_are_none() -> None:
    (found,) = parse_df(table(HEADER, "systemd-1      -    -         -    - /proc/sys/fs"))
    assert found == MountedSpace("/proc/sys/fs", None, None, None)


def test_the_last_table_counts_and_one_of_inodes_is_none() -> None:
    inodes = "Filesystem      Inodes  IUsed   IFree IUse% Mounted on"
    first = table(HEADER, "/dev/sda1 1 1 1 1% /old")
    last = table(HEADER, ROW, "total 1 1 1 1% -")
    ending = table(inodes, "/dev/sda1 655360 81210 574150 13% /")
    assert parse_df(first + last + ending) == (ROOT,)


def test_lines_of_others_between_rows_do_no_harm() -> None:
    lines = (HEADER, "[  100.1] sd 0:0:0:0: [sda] hello", ROW, "df: /x: Permission denied")
    assert parse_df(table(*lines)) == (ROOT,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ROW,
        "  PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND\n 1 root 20 0 1 2 3 S",
        "df: no file systems processed",
    ],
)
def test_no_header_is_an_error(text: str) -> None:
    with pytest.raises(EvidenceError):
        parse_df(text)


@pytest.mark.parametrize(
    ("header", "row", "found"),
    [
        (
            "Mounted on     1K-blocks    Used   Avail",
            "/mnt/a            10      4       6",
            ("/mnt/a", 10, 4, 6),
        ),
        (
            "Filesystem  Avail 1K-blocks  Used Type  Mounted on",
            "/dev/sdb        6        10     4 ext4  /mnt/with two  words",
            ("/mnt/with two  words", 10, 4, 6),
        ),
    ],
)
def test_columns_come_in_the_order_asked_for(
    header: str, row: str, found: tuple[str, int, int, int]
) -> None:
    assert parse_df(table(header, row, "/short", "no mount 1 2", "a 1 2 x 4")) == (
        MountedSpace(*found),
    )


@pytest.mark.parametrize(
    "row",
    ["/mnt/a 10 4", "/mnt/a 10 4 6 8", "/mnt/a 10 4 x", "mnt/a 10 4 6"],
)
def test_a_row_that_does_not_fit_its_columns_is_none(row: str) -> None:
    header = "Mounted on     1K-blocks    Used   Avail"
    assert parse_df(table(header, row, "/mnt/b 10 4 6")) == (MountedSpace("/mnt/b", 10, 4, 6),)


def test_a_line_broken_after_a_row_by_columns_is_none() -> None:
    header = "Filesystem  Avail 1K-blocks  Used Mounted on"
    rows = ("/dev/sdb 6 10 4 /a", "/dev/sdc 6", "10 4 /b")
    assert parse_df(table(header, *rows)) == (MountedSpace("/a", 10, 4, 6),)


def test_a_row_that_is_broken_between_its_numbers_is_whole_again() -> None:
    assert parse_df(table(HEADER, "/dev/sda1 10255636", "2211484 7501396  23% /")) == (ROOT,)


BY_COLUMN = "Used Avail Use% Mounted on"


def test_columns_asked_for_are_a_table_when_a_row_proves_it() -> None:
    assert parse_df(table(BY_COLUMN, "2 7 2% /")) == (MountedSpace("/", None, None, None),)
    for no_row in ("2 7", "2 7 2% home", "two 7 2% /"):
        with pytest.raises(EvidenceError):
            parse_df(table(BY_COLUMN, no_row))


def test_a_word_too_many_is_no_row_where_the_mount_is_not_last() -> None:
    header = "Mounted on     1K-blocks    Used   Avail Use%"
    assert parse_df(table(header, "/ 9 2 7 2% more", "/boot 9 2 7 2%")) == (
        MountedSpace("/boot", 9, 2, 7),
    )


HUMAN = "Filesystem      Size  Used Avail Use% Mounted on"
LONG = "/dev/mapper/VolGroup00-LogVol00"
UNSIZED = MountedSpace("/", None, None, None)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (table(HEADER, ROW, "it is 100% done"), ROOT),
        (table(HEADER, "/dev/mapper/a%b 10255636", "2211484 7501396  23% /"), ROOT),
        (table(HEADER, ROW, HUMAN, "/dev/sda1 9.8G 2.2G 7.2G 23% /"), UNSIZED),
        (table(HUMAN, LONG, "  9.8G 2.2G 7.2G 23% /"), UNSIZED),
        (table("Filesystem Type 1K-blocks Used Available Use% Mounted on", f"{LONG} ext4", ROW[10:]), ROOT),
        (table("Mounted on 1K-blocks Used Available Use%", "/ 9 2 7 2%"), MountedSpace("/", 9, 2, 7)),
    ],
)  # fmt: skip
def test_what_stands_around_a_row_does_not_change_it(text: str, found: MountedSpace) -> None:
    assert parse_df(text) == (found,)


def test_a_share_in_a_sentence_begins_no_table() -> None:
    text = table(HEADER, "/dev/sdb1 9 2 7 2% /b", "we are at 5% of it all", ROW)
    assert parse_df(text) == (MountedSpace("/b", 9, 2, 7), ROOT)


@pytest.mark.parametrize(
    ("words", "known"), [(3, False), (4, True), (5, True), (16, True), (17, False)]
)
def test_a_header_has_4_to_16_words(words: int, known: bool) -> None:  # noqa: FBT001
    header = " ".join(("Fs", "1K-b", "Verw%", *("auf" for _ in range(words - 3))))
    text = table(HEADER, "/dev/sdb1 9 2 7 2% /b", header, ROW)
    assert parse_df(text) == ((ROOT,) if known else (MountedSpace("/b", 9, 2, 7), ROOT))


def test_a_row_that_ends_before_its_mount_proves_no_header() -> None:
    with pytest.raises(EvidenceError):
        parse_df(
            table("Dateisystem 1K-Blöcke Benutzt Verfügbar Verw% Eingehängt auf", "a 13 4 9 4%")
        )
