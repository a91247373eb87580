"""What is known of a boot, where one boot begins in the text of another."""

from __future__ import annotations

from harness.checks.boots import Boots


def test_a_capture_kernel_s_command_line_without_its_beginning_forgets_nothing() -> None:
    boots = Boots[list[str]](list)
    boots.now.append("said")
    boots.feed("Command line: root=/dev/sda1 elfcorehdr=0x1000")
    assert boots.now == ["said"]
