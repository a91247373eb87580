from collections.abc import Callable
from pathlib import Path

import pytest

from harness.standin.host import Host
from harness.standin.releases import RELEASES
from tests.standin.hyperv.bench import Bench, InMemoryMachines

MakeBench = Callable[[str], Bench]


@pytest.fixture
def make_bench(tmp_path: Path) -> MakeBench:
    def make(release: str) -> Bench:
        machines = InMemoryMachines()
        host = Host("HV1", RELEASES[release], tmp_path / "files", machines)
        host.files.mkdir()
        return Bench(host, machines)

    return make


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    return make_bench("2022")
