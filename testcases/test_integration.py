"""Integration: the guest works by the distribution's own drivers of the hypervisor's devices."""

from __future__ import annotations

import pytest

from harness.bench import Bench, Certify
from harness.checks.integration import PARTS
from harness.integration import Integration

pytestmark = pytest.mark.feature("Integration")


@pytest.mark.saved_state
@pytest.mark.case("IC-01", parameters=PARTS)
def test_synthetic_devices_work_by_drivers_of_the_distributions_own_kernel(
    bench: Bench, certify: Certify
) -> None:
    for part, verdict in Integration(bench, bench.boot()).verdicts().items():
        certify(verdict, part)
