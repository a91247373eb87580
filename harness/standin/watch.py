"""What a guest's agent tells, asked in the background so that no cmdlet waits for a slow guest."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Lock

from harness.deadline import SYSTEM
from harness.standin.agent import Agent, Interface
from harness.standin.machines import GuestReport, NicSpec

FRESH, STALE, PATIENCE = 1.0, 3.0, 0.5
"""Seconds: how long an answer is used again, how long it may stand in for a late one, and how long
a caller is kept waiting."""

FACTS_FOR = 30.0
"""Seconds for which names and versions are not asked again."""


class GuestWatch:
    """The latest report of one guest. ``listening``: is an agent at the other end just now?"""

    def __init__(
        self, agent: Agent, nics: tuple[NicSpec, ...], listening: Callable[[], bool]
    ) -> None:
        self._agent, self._nics, self._listening = agent, nics, listening
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="guest-watch")
        self._lock = Lock()
        self._last, self._at = GuestReport(), float("-inf")
        self._facts: tuple[tuple[str, str], ...] = ()
        self._facts_at = float("-inf")
        self._pending: Future[GuestReport] | None = None

    def report(self) -> GuestReport:
        """Return a report not older than a second, or the best one there is after half of one."""
        with self._lock:
            if SYSTEM.monotonic() - self._at <= FRESH:
                return self._last
            if self._pending is None or self._pending.done():
                self._pending = self._worker.submit(self._refresh)
            pending = self._pending
        try:
            return pending.result(timeout=PATIENCE)
        except TimeoutError:
            return self._last if SYSTEM.monotonic() - self._at <= STALE else GuestReport()

    def set_clock(self) -> None:
        """Put the guest's clock right, when its agent answers; does not wait for that."""
        self._worker.submit(self._set_clock)

    def forget(self) -> None:
        """Drop what was heard: the guest has just been stopped, resumed or reset."""
        self._at = self._facts_at = float("-inf")

    def close(self) -> None:
        """Stop asking."""
        self._worker.shutdown(wait=False, cancel_futures=True)
        self._agent.close()

    def _set_clock(self) -> None:
        if self._listening():
            self._agent.set_time(datetime.now(UTC), within=timedelta(seconds=10))

    def _refresh(self) -> GuestReport:
        self._last = self._ask()
        self._at = SYSTEM.monotonic()
        return self._last

    def _ask(self) -> GuestReport:
        if not self._listening() or not self._agent.ping():
            self._facts_at = float("-inf")  # after a restart it may be another kernel
            return GuestReport()
        if SYSTEM.monotonic() - self._facts_at > FACTS_FOR:
            self._facts = key_values(self._agent.os_info(), self._agent.host_name())
            self._facts_at = SYSTEM.monotonic() if self._facts else float("-inf")
        seen = self._agent.interfaces()
        return GuestReport(
            heartbeat=True,
            addresses=reachable(self._nics, seen),
            facts=self._facts,
            private=private(self._nics, seen),
        )


def reachable(nics: tuple[NicSpec, ...], interfaces: tuple[Interface, ...]) -> tuple[str, ...]:
    """Return the addresses of the adapters that the guest has given an IPv4 address of its own."""
    up = {interface.mac for interface in interfaces if interface.ipv4}
    return tuple(nic.address for nic in nics if nic.address and nic.mac in up)


def private(
    nics: tuple[NicSpec, ...], interfaces: tuple[Interface, ...]
) -> tuple[tuple[str, str], ...]:
    """Return (hardware address, IPv4 address) of each adapter on a private switch."""
    macs = {nic.mac for nic in nics if nic.network}
    return tuple((i.mac, ip) for i in interfaces if i.mac in macs for ip in i.ipv4)


def key_values(os_info: dict[str, str], host_name: str | None) -> tuple[tuple[str, str], ...]:
    """Name the guest's facts as Linux' hv_kvp_daemon names them (kernel tools/hv, pool 3)."""
    release = os_info.get("kernel-release", "")
    pairs = {
        "FullyQualifiedDomainName": host_name,
        "OSName": os_info.get("name"),
        "OSMajorVersion": os_info.get("version-id"),
        "OSVersion": release.partition("-")[0],
        "OSBuildNumber": release,
        "ProcessorArchitecture": os_info.get("machine"),
    }
    return tuple((key, value) for key, value in pairs.items() if value)
