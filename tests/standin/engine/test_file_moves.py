"""Moving files, making them read-only, and writing them in pieces as write-bytes.ps1 does."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.standin.api import Given
from harness.standin.cmdlets.file_moves import move_item, set_item_property, write_bytes
from harness.standin.host import Host
from harness.standin.language import parse
from harness.standin.releases import RELEASES
from harness.standin.values import Value
from tests.standin.hyperv.bench import Heard, InMemoryMachines

A, B = "C:\\d\\a", "C:\\d\\b"
SCRIPT = Path(__file__).parents[3] / "harness" / "host" / "scripts" / "write-bytes.ps1"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    found = Host("HV1", RELEASES["2022"], tmp_path, InMemoryMachines())
    (tmp_path / "C" / "d").mkdir(parents=True)
    return found


def call(host: Host, body: object, name: str, **given: Value) -> list[str]:
    heard = Heard()
    assert callable(body)
    assert list(body(host, Given(name, given), heard)) == []
    return [record.fqid.partition(",")[0] for record in heard.errors]


def test_pieces_land_where_they_belong(host: Host) -> None:
    for offset, data in ((0, b"abcd"), (4, b"ef"), (0, b"AB")):
        assert call(host, write_bytes, "Write-FileBytes", Path=A, Offset=offset, Data=data) == []
    assert host.local(A).read_bytes() == b"ABcdef"
    assert call(host, write_bytes, "Write-FileBytes", Path="C:\\no\\a", Offset=0, Data=b"x")


def test_a_file_moves_and_never_over_another(host: Host) -> None:
    host.local(A).write_text("a")
    assert call(host, move_item, "Move-Item", Path=[A], Destination=B) == []
    assert (host.is_file(A), host.local(B).read_text()) == (False, "a")
    host.local(A).write_text("new")
    assert call(host, move_item, "Move-Item", Path=[A], Destination=B)
    assert host.local(B).read_text() == "a"


def test_a_file_is_made_read_only_and_writable_again(host: Host) -> None:
    host.local(A).write_text("a")
    given: dict[str, Value] = {"Path": [A], "Name": "IsReadOnly"}
    assert call(host, set_item_property, "Set-ItemProperty", **given, Value=True) == []
    assert not host.local(A).stat().st_mode & 0o222
    assert call(host, set_item_property, "Set-ItemProperty", **given, Value=False) == []
    assert host.local(A).stat().st_mode & 0o200
    assert call(host, set_item_property, "Set-ItemProperty", Path=[A], Name="Owner", Value="x")


def test_the_script_that_calls_net_has_a_stand_in_of_the_same_parameters() -> None:
    script = parse(SCRIPT.read_text(encoding="utf-8"))
    assert [p.name for p in script.parameters] == ["Path", "Offset", "Data"]
