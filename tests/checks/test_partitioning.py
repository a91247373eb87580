"""How a guest with these tools makes and grows a partition."""

from __future__ import annotations

import pytest

from harness.checks.partitioning import growing, making

DISK = "/dev/sdb"


@pytest.mark.parametrize(
    ("has", "first"),
    [
        ({"growpart", "sfdisk", "partx"}, "growpart /dev/sdb 1"),
        ({"sfdisk", "partx"}, "sfdisk --no-reread --force --relocate gpt-bak-std /dev/sdb"),
        ({"sgdisk", "partx"}, "sgdisk --move-second-header /dev/sdb"),
    ],
)
def test_the_tool_that_is_there_grows_the_partition(has: set[str], first: str) -> None:
    steps = growing(has, DISK)
    assert " ".join(steps[0].argv) == first
    if "growpart" not in has:
        assert steps[-1].argv == ("partx", "--update", "--nr", "1", DISK)


def test_the_table_keeps_its_first_sector_when_it_is_rewritten() -> None:
    (table,) = making({"sfdisk"}, DISK)
    assert "label: gpt" in table.stdin
    assert "start=2048" in table.stdin
    (made,) = making({"sgdisk"}, DISK)
    assert "--new=1:2048:0" in made.argv
    assert any("--new=1:2048:0" in step.argv for step in growing({"sgdisk", "partx"}, DISK))


@pytest.mark.parametrize("has", [set[str](), {"sfdisk"}, {"partx"}])
def test_without_tools_there_are_no_steps(has: set[str]) -> None:
    assert growing(has, DISK) == ()


def test_a_guest_without_a_partitioner_makes_none() -> None:
    assert making({"growpart", "partx"}, DISK) == ()
