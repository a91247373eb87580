"""What is mounted, and what a file system's checker or superblock says of its state."""

from __future__ import annotations

import pytest

from harness.checks.filesystems import (
    ExtState,
    judge_checked,
    judge_ext,
    parse_ext,
    parse_mounts,
)
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured


def findmnt(**row: str) -> str:
    given = {"SOURCE": "/dev/sda1", "TARGET": "/", "FSTYPE": "ext4", "UUID": "u", "OPTIONS": "rw"}
    return " ".join(f'{name}="{value}"' for name, value in {**given, **row}.items() if value != "-")


def test_a_mount_that_does_not_tell_its_options_or_its_source_is_none() -> None:
    good = findmnt()
    for other in (
        findmnt(OPTIONS="-", UUID="v"),
        findmnt(OPTIONS="ro,rwx", UUID="v"),
        findmnt(SOURCE="-", UUID="v"),
        findmnt(SOURCE="nfs:/x", UUID="v"),
    ):
        assert [one.uuid for one in parse_mounts(f"{other}\n{good}\n")] == ["u"]
    subvolume = findmnt(SOURCE="/dev/sdb1[/home]", FSTYPE="btrfs", UUID="v", OPTIONS="noatime,rw")
    assert [one.device for one in parse_mounts(f"{good}\n{subvolume}\n")] == [
        "/dev/sda1", "/dev/sdb1",
    ]  # fmt: skip


def test_a_superblock_without_features_is_an_error() -> None:
    with pytest.raises(EvidenceError) as told:
        parse_ext("dumpe2fs 1.47.0\n")
    assert str(told.value) == ("dumpe2fs: no Filesystem features line in 16 characters of output")


@pytest.mark.parametrize(
    ("kind", "tool"),
    [("xfs", "xfs_repair -n after the replay of its log"), ("btrfs", "btrfs check --readonly")],
)
def test_the_checker_is_named(kind: str, tool: str) -> None:
    proof = (Evidence(tool, "", "guest"),)
    assert judge_checked("/", kind, Measured(0, proof)).because == f"/: {tool} finds nothing"
    wrong = judge_checked("/", kind, Measured(4, proof))
    assert (wrong.outcome.value, wrong.because) == ("fail", f"/: {tool} ended with status 4")


@pytest.mark.parametrize("proof", [(), (Evidence("dumpe2fs", "features", "guest"),)])
def test_ext_without_a_journal_is_an_error_with_its_text(proof: tuple[Evidence, ...]) -> None:
    state = Measured(ExtState(journal=False, needs_recovery=False), proof)
    with pytest.raises(EvidenceError) as told:
        judge_ext("/", state)
    length = len(proof[0].answer) if proof else 0
    assert str(told.value).endswith(f"no mark without one in {length} characters of output")
