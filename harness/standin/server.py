"""The WinRM listeners of all simulated hosts in one process: one loop thread, and workers."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import tempfile
import threading
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

from harness.standin.api import Engine
from harness.standin.auth import Accounts
from harness.standin.between import Between
from harness.standin.httpd import Limits, Listener
from harness.standin.releases import RELEASES, Release
from harness.standin.service import Service, WinRMSession
from harness.standin.shells import Host
from harness.standin.tls import make_certificate, server_context

_WORKERS = 64
_CLOSE_WITHIN = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One simulated host.

    ``users`` maps names to passwords; a port None is not opened, 0 takes a free one; without a
    certificate a self-signed one is made.
    """

    name: str
    address: str
    engine: Engine
    users: Mapping[str, str] = field(repr=False)
    http_port: int | None = 5985
    https_port: int | None = 5986
    certificate: Path | None = None
    key: Path | None = None
    release: Release = RELEASES["2022"]
    limits: Limits = field(default_factory=Limits)
    between: Sequence[Between] = ()


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a host listens: its ports, and the certificate that its HTTPS clients may trust."""

    http: int | None
    https: int | None
    certificate: Path


class WinRM:
    """Serves the endpoints from ``start`` to ``close``; usable as a context manager."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._endpoints = tuple(endpoints)
        self._listeners: list[Listener] = []
        self._services: list[Service] = []
        self._running: set[Future[None]] = set()
        self._ports: dict[str, Ports] = {}

    @property
    def ports(self) -> Mapping[str, Ports]:
        """Where each endpoint listens, by its name; filled by ``start``."""
        return self._ports

    def __enter__(self) -> WinRM:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Listen. Raises OSError when a port is taken; nothing is left open then."""
        self._folder = Path(tempfile.mkdtemp(prefix="standin-winrm-"))
        self._executor = ThreadPoolExecutor(_WORKERS, thread_name_prefix="standin-engine")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="standin-winrm", daemon=True
        )
        self._thread.start()
        try:
            for endpoint in self._endpoints:
                self._in_loop(self._open(endpoint))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop listening, stop every pipeline, remove the private files; once is enough."""
        if self._loop.is_closed():
            return
        self._in_loop(self._shut())
        wait(self._running, timeout=_CLOSE_WITHIN.total_seconds())
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _in_loop(self, work: Coroutine[object, object, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _open(self, endpoint: Endpoint) -> None:
        host = Host(endpoint.name, endpoint.release, endpoint.engine, self._loop, self._executor)
        host.running = self._running
        service = Service(host, endpoint.between)
        self._services.append(service)
        accounts = Accounts(endpoint.name, endpoint.users, self._folder)
        serve = partial(self._listen, endpoint, service, accounts)
        certificate, key = self._certificate(endpoint)
        self._ports[endpoint.name] = Ports(
            http=await serve(endpoint.http_port, None),
            https=await serve(endpoint.https_port, server_context(certificate, key)),
            certificate=certificate,
        )

    async def _listen(
        self,
        endpoint: Endpoint,
        service: Service,
        accounts: Accounts,
        port: int | None,
        tls: ssl.SSLContext | None,
    ) -> int | None:
        if port is None:
            return None
        session = partial(WinRMSession, service, accounts, secure=tls is not None)
        listener = Listener(session, endpoint.limits)
        self._listeners.append(listener)
        return await listener.open(endpoint.address, port, tls)

    def _certificate(self, endpoint: Endpoint) -> tuple[Path, Path]:
        if endpoint.certificate and endpoint.key:
            return endpoint.certificate, endpoint.key
        return make_certificate(self._folder, endpoint.name, endpoint.address)

    async def _shut(self) -> None:
        for listener in self._listeners:
            await listener.close()
        for service in self._services:
            service.close()
