from collections.abc import Callable
from pathlib import Path

import pytest

from harness.standin.host import Host
from harness.standin.releases import RELEASES
from harness.standin.seeded.table import plant
from tests.standin.hyperv.bench import Bench, InMemoryMachines

Broken = Callable[..., Bench]


@pytest.fixture
def broken(tmp_path: Path) -> Broken:
    def make(*faults: str, release: str = "2019") -> Bench:
        machines = InMemoryMachines()
        files = tmp_path / "-".join(("files", *faults))
        files.mkdir()
        host = Host("HV1", RELEASES[release], files, machines)
        plant(host, faults)
        return Bench(host, machines)

    return make
