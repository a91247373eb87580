"""Which kernel a message names."""

from __future__ import annotations

import pytest

from harness.checks.capacity import kernel_named


@pytest.mark.parametrize(
    ("message", "kernel"),
    [
        ("Linux version 6.6.41 (a@b)", (6, 6)),
        ("Kernel 3.10.0-514.el7.x86_64 on an x86_64", (3, 10)),
        ("Kernel 3.10.0-514.el7.x86_64 is old", None),
        ("Kernel 3.10.0-514.el7.x86_64 is old, Linux version 6.6.41", (6, 6)),
        ("Linux vm1 5.15.0-1041-azure #48", (5, 15)),
        ("Linux vm1 5.15.0-1041-azure", None),
        ("Linux vm1 5.15.0-1041-azure is old, Linux version 6.6.41", (6, 6)),
        ("5.15.0", None),
    ],
)
def test_a_kernel_is_named_by_what_stands_around_its_version(
    message: str, kernel: tuple[int, int] | None
) -> None:
    assert kernel_named(message) == kernel
