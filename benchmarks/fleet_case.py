"""The case that `fleet.py` runs for each of its guests: MMIO-01 with one gap, as it is."""

from __future__ import annotations

import pytest

from harness.bench import Bench, Certify
from harness.units import GiB
from testcases import test_mmio


@pytest.mark.feature("MMIO")
@pytest.mark.case("MMIO-01")
def test_the_guest_sees_the_low_gap_that_the_host_was_given(bench: Bench, certify: Certify) -> None:
    test_mmio.test_the_guest_sees_the_low_gap_that_the_host_was_given(bench, certify, 1 * GiB)
