"""How much memory is held back for a capture kernel, from whoever states it."""

from __future__ import annotations

import pytest

from harness.checks.crash_memory import ReservationScan


@pytest.mark.parametrize(
    ("rows", "mib"),
    [
        (("60000000-73ffffff : Crash kernel",), 320),
        (("60000000-73fffffe : Crash kernel",), 319),
        (("20000000-2fffffff : Crash kernel", "100000000-10fffffff : Crash kernel"), 256),
        (("00000000-00000000 : Crash kernel",), None),
        (("$ cat /sys/kernel/kexec_crash_size", "201326592"), 192),
        (("$ cat /sys/kernel/kexec_crash_size", "201326592", "536870912"), 192),
        (("$ cat /sys/kernel/kexec_crash_size", "x", "536870912"), None),
        (("$ cat /sys/kernel/kexec_crash_size", "00000536870912"), 512),
        (("$ cat /sys/kernel/kexec_crash_size", "000000536870912"), None),
        (("kexec_crash_size: 268435456",), 256),
    ],
)
def test_rows_of_iomem_and_the_kernel_s_own_number_tell_the_main_reservation(
    rows: tuple[str, ...], mib: int | None
) -> None:
    scan = ReservationScan()
    for row in rows:
        scan.feed(row)
    assert (scan.mib, scan.refused) == (mib, False)
