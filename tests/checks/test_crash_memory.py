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
    ],
)
def test_of_several_rows_of_iomem_the_low_one_comes_first_and_does_not_count(
    rows: tuple[str, ...], mib: int | None
) -> None:
    scan = ReservationScan()
    for row in rows:
        scan.feed(row)
    assert (scan.mib, scan.refused) == (mib, False)
