from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from harness.standin.host import Host
from harness.standin.machines import Machines
from harness.standin.releases import RELEASES
from tests.standin.engine.recorder import Console

MakeConsole = Callable[[str], Console]


@pytest.fixture
def make_console(tmp_path: Path) -> MakeConsole:
    def make(release: str) -> Console:
        files = tmp_path / release
        (files / "C").mkdir(parents=True)
        nothing = cast("Machines", None)  # no body here touches a machine
        return Console(Host("HV01", RELEASES[release], files, nothing))

    return make


@pytest.fixture
def console(make_console: MakeConsole) -> Console:
    return make_console("2019")
