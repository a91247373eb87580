"""Images staged on a host: whole and compared, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.errors import HostError
from harness.host.command import Value
from harness.host.session import HostValue
from harness.host.stage import PIECE, stage
from harness.units import Bytes
from tests.host.answering import AnsweringHost, refuse, thing

TARGET = r"C:\hvcert\templates\a.vhdx"


class FileHost(AnsweringHost):
    """A host that keeps one file; ``spoils`` changes what arrives."""

    def __init__(self, *there: str, spoils: bytes = b"") -> None:
        self.there, self.data, self.spoils = set(there), bytearray(), spoils
        super().__init__(
            {
                "write-bytes": self.write,
                "Get-FileHash": lambda _: (thing(Hash=hashlib.sha256(self.data).hexdigest()),),
                "Test-Path": lambda given: (given["Path"] in self.there,),
                "Move-Item": self.move,
                "Remove-Item": self.remove,
            }
        )

    def write(self, given: Mapping[str, Value]) -> tuple[HostValue, ...]:
        offset, data = given["Offset"], given["Data"]
        assert isinstance(offset, Bytes)
        assert isinstance(data, bytes)
        assert offset.count == len(self.data)
        self.there.add(str(given["Path"]))
        self.data += data + self.spoils
        return ()

    def move(self, given: Mapping[str, Value]) -> tuple[HostValue, ...]:
        self.there.remove(str(given["Path"]))
        self.there.add(str(given["Destination"]))
        return ()

    def remove(self, given: Mapping[str, Value]) -> tuple[HostValue, ...]:
        self.there.discard(str(given["Path"]))
        return ()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "a.vhdx"
    path.write_bytes(b"vhdxfile" * (PIECE.count // 8) + b"the end")
    return path


def test_an_image_arrives_whole_and_read_only_with_its_note(image: Path) -> None:
    host, told = FileHost(), list[Bytes]()
    digest = stage(host, image, TARGET, {"generation": 1}, lambda done, _: told.append(done))
    assert bytes(host.data) == image.read_bytes()
    assert digest == hashlib.sha256(image.read_bytes()).hexdigest()
    assert told == [PIECE, PIECE + Bytes(7)]
    assert host.there == {TARGET}
    assert any("Set-ItemProperty" in call and "IsReadOnly" in call for call in host.asked)
    assert '"generation": 1' in host.asked[-1]
    assert digest in host.asked[-1]


def test_a_template_is_never_replaced(image: Path) -> None:
    for there in (TARGET, f"{TARGET}.json"):
        with pytest.raises(HostError, match="exists already; remove it there, or give another"):
            stage(FileHost(there), image, TARGET, {}, lambda *_: None)


def test_what_changed_on_its_way_is_removed_and_said(image: Path) -> None:
    host = FileHost(spoils=b"x")
    image.write_bytes(b"short")
    with pytest.raises(HostError, match="changed on its way"):
        stage(host, image, TARGET, {}, lambda *_: None)
    assert host.there == set()


def test_a_copy_that_breaks_off_leaves_nothing(image: Path) -> None:
    host = FileHost()
    host.replies["Get-FileHash"] = refuse("IOException,GetFileHash")
    with pytest.raises(HostError):
        stage(host, image, TARGET, {}, lambda *_: None)
    assert host.there == set()


def test_the_part_of_a_dead_run_is_replaced(image: Path) -> None:
    host = FileHost(f"{TARGET}.part")
    stage(host, image, TARGET, {}, lambda *_: None)
    assert host.there == {TARGET}
