"""The file cmdlets, on a folder that plays the host's drives."""

import threading
from pathlib import Path

import pytest

from harness.standin.api import Terminated
from harness.standin.values import Record
from tests.standin.engine.recorder import Console, call

FILE = "C:\\lease"


@pytest.fixture
def drive(console: Console) -> Path:
    return console.host.files / "C"


def test_a_new_file_has_its_content(console: Console, drive: Path) -> None:
    (made,) = console.run((call("New-Item", FILE, ItemType="File", Value="mine"),)).outputs
    assert (drive / "lease").read_text() == "mine"
    assert isinstance(made, Record)
    assert made.type_names[0] == "System.IO.FileInfo"
    assert made.properties["FullName"] == FILE


def test_a_file_that_exists_is_not_replaced(console: Console, drive: Path) -> None:
    (drive / "lease").write_text("theirs")
    (record,) = console.run((call("New-Item", FILE, Value="mine"),)).errors
    assert record.fqid == "NewItemIOError,Microsoft.PowerShell.Commands.NewItemCommand"
    assert record.category in ("WriteError", "ResourceExists")
    assert record.exception_types[0] == "System.IO.IOException"
    assert (drive / "lease").read_text() == "theirs"


def test_of_many_at_once_one_makes_the_file(console: Console, drive: Path) -> None:
    made: list[int] = []
    start = threading.Barrier(8)

    def attempt(number: int) -> None:
        start.wait()
        given = call("New-Item", FILE, Value=str(number), ErrorAction="Stop")
        try:
            console.run((given,))
        except Terminated:
            return
        made.append(number)

    threads = [threading.Thread(target=attempt, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert (drive / "lease").read_text() == str(made[0])
    assert [p.name for p in drive.iterdir()] == ["lease"]


def test_force_replaces_a_file_and_makes_folders(console: Console, drive: Path) -> None:
    for text in ("one", "two"):
        console.run((call("New-Item", "C:\\a\\b.txt", Value=text, Force=None),))
    assert (drive / "a" / "b.txt").read_text() == "two"


def test_a_file_needs_its_folder(console: Console) -> None:
    (record,) = console.run((call("New-Item", "C:\\a\\b.txt"),)).errors
    assert record.exception_types[0] == "System.IO.DirectoryNotFoundException"


def test_a_folder_that_exists_is_an_error_only_without_force(console: Console) -> None:
    folder = call("New-Item", "C:\\a\\b", ItemType="Directory", Force=None)
    assert console.run((folder,), (folder,)).errors == []
    (record,) = console.run((call("New-Item", "C:\\a", ItemType="Directory"),)).errors
    assert record.fqid.startswith("DirectoryExist,")


def test_a_missing_file_has_the_ids_of_a_real_host(console: Console) -> None:
    for name in ("Remove-Item", "Get-Content", "Get-Item"):
        (record,) = console.run((call(name, "C:\\none"),)).errors
        command = name.replace("-", "")
        assert record.fqid == f"PathNotFound,Microsoft.PowerShell.Commands.{command}Command"
        assert record.category == "ObjectNotFound"


def test_a_missing_drive_is_named(console: Console) -> None:
    (record,) = console.run((call("Get-Item", "Q:\\x"),)).errors
    assert record.fqid.startswith("DriveNotFound,")


@pytest.mark.parametrize("path", ["C:\\..\\x", "C:\\a\\..\\..\\..\\x", "\\\\nas\\share\\x", "x"])
def test_nothing_outside_the_drives_is_touched(console: Console, path: str) -> None:
    (console.host.files / "x").write_text("outside")
    for name in ("Get-Content", "Remove-Item", "New-Item"):
        assert console.run((call(name, path),)).errors
    assert console.run((call("Test-Path", path),)).outputs == [False]
    assert (console.host.files / "x").read_text() == "outside"


def test_a_link_does_not_lead_out_of_the_drives(
    console: Console, drive: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (drive / "link").symlink_to(outside)
    for name in ("Get-Content", "Remove-Item"):
        assert console.run((call(name, "C:\\link\\secret"),)).errors
    assert console.run((call("New-Item", "C:\\link\\new"),)).errors
    assert sorted(p.name for p in outside.iterdir()) == ["secret"]


def test_a_linked_template_may_be_read_and_not_written(
    console: Console, drive: Path, tmp_path: Path
) -> None:
    image = tmp_path / "image"
    image.write_text("image")
    (drive / "template").symlink_to(image)
    (drive / "other").write_text("other")
    template = "C:\\template"
    assert console.run((call("Get-Content", template),)).outputs == ["image"]
    for writing in (call("Set-Content", template, "x"), call("Copy-Item", "C:\\other", template),
                    call("New-Item", template, Value="x", Force=None)):  # fmt: skip
        assert console.run((writing,)).errors
    console.run((call("Remove-Item", template),))
    assert (image.read_text(), (drive / "template").exists()) == ("image", False)


def test_content_comes_line_by_line_or_raw(console: Console, drive: Path) -> None:
    (drive / "t").write_bytes(b"a\r\nb\r\n")
    assert console.run((call("Get-Content", "C:\\t"),)).outputs == ["a", "b"]
    assert console.run((call("Get-Content", "C:\\t", Raw=None),)).outputs == ["a\r\nb\r\n"]
    assert console.run((call("Get-Content", "C:\\t", Tail=1),)).outputs == ["b"]
    assert console.run((call("Get-Content", "C:\\t", Head=1),)).outputs == ["a"]


def test_set_content_writes_what_is_piped(console: Console, drive: Path) -> None:
    console.run((call("Write-Output", "a", "b"), call("Set-Content", "C:\\t")))
    assert (drive / "t").read_bytes() == b"a\r\nb\r\n"


def test_test_path_tells_files_from_folders(console: Console, drive: Path) -> None:
    (drive / "d").mkdir()
    asked = [call("Test-Path", "C:\\d", PathType=kind) for kind in ("Any", "Container", "Leaf")]
    assert console.run(*((one,) for one in asked)).outputs == [True, True, False]


def test_case_does_not_matter(console: Console, drive: Path) -> None:
    (drive / "Mixed.txt").write_text("x")
    assert console.run((call("Get-Content", "c:\\MIXED.TXT"),)).outputs == ["x"]


def test_a_full_folder_is_removed_only_with_recurse(console: Console, drive: Path) -> None:
    (drive / "d").mkdir()
    (drive / "d" / "f").touch()
    with pytest.raises(Terminated, match="Recurse"):
        console.run((call("Remove-Item", "C:\\d"),))
    console.run((call("Remove-Item", "C:\\d", Recurse=None, Force=None),))
    assert not (drive / "d").exists()


def test_wildcards_name_what_is_there(console: Console, drive: Path) -> None:
    for name in ("a.vhdx", "b.vhdx", "c.txt"):
        (drive / name).touch()
    console.run((call("Remove-Item", "C:\\*.vhdx"),))
    assert [p.name for p in drive.iterdir()] == ["c.txt"]
    assert console.run((call("Remove-Item", "C:\\*.vhdx"),)).errors == []


def test_a_literal_path_is_no_pattern(console: Console, drive: Path) -> None:
    (drive / "[a].txt").touch()
    assert console.run((call("Test-Path", LiteralPath="C:\\[a].txt"),)).outputs == [True]
    assert console.run((call("Test-Path", "C:\\[a].txt"),)).outputs == [False]


def test_items_can_be_piped_to_remove(console: Console, drive: Path) -> None:
    (drive / "d").mkdir()
    (drive / "d" / "f").touch()
    console.run((call("Get-ChildItem", "C:\\d"), call("Remove-Item")))
    assert list((drive / "d").iterdir()) == []


def test_a_copy_has_the_same_hash(console: Console, drive: Path) -> None:
    (drive / "f").write_bytes(b"abc")
    console.run((call("Copy-Item", "C:\\f", "C:\\g"),))
    hashes = [console.run((call("Get-FileHash", path),)).outputs[0] for path in ("C:\\f", "C:\\g")]
    found = [h.properties["Hash"] for h in hashes if isinstance(h, Record)]
    assert found == ["BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"] * 2
