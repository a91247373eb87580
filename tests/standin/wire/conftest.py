"""Unmodified clients in front of the real wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pypsrp.powershell import RunspacePool
from pypsrp.wsman import WSMan

from harness.standin.server import Endpoint, WinRM
from tests.standin.wire.fake_engine import PASSWORD, FakeEngine

Connect = Callable[..., WSMan]


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def winrm(engine: FakeEngine) -> Iterator[WinRM]:
    endpoint = Endpoint(
        name="HV01",
        address="127.0.0.1",
        engine=engine,
        users={"Administrator": PASSWORD},
        http_port=0,
        https_port=0,
    )
    with WinRM([endpoint]) as server:
        yield server
    engine.release.set()


@pytest.fixture
def connect(winrm: WinRM) -> Iterator[Connect]:
    """Return a function that opens pypsrp connections: NTLM, sealed, over HTTP if not told else."""
    opened: list[WSMan] = []

    def open_connection(auth: str = "ntlm", **options: object) -> WSMan:
        ports = winrm.ports["HV01"]
        settings: dict[str, Any] = {
            "username": "Administrator",
            "password": PASSWORD,
            "auth": auth,
            "ssl": auth == "basic",
            "cert_validation": str(ports.certificate),
        }
        settings.update(options)
        settings.setdefault("port", ports.https if settings["ssl"] else ports.http)
        opened.append(WSMan("127.0.0.1", **settings))
        return opened[-1]

    yield open_connection
    for connection in opened:
        connection.close()


@pytest.fixture
def pool(connect: Connect) -> Iterator[RunspacePool]:
    with RunspacePool(connect()) as opened:
        yield opened
