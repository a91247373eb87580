"""Host sessions over pypsrp; the only file that knows it.

One session is one WSMan and one runspace pool, and belongs to one thread: shared ones corrupt each
other's messages. Every pipeline is closed (a host allows 1000 per shell). A connection that idled
is made anew before the host's own limit (http.sys: 120 s) kills it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Self

import requests.exceptions
from pypsrp.complex_objects import ObjectMeta, PSInvocationState
from pypsrp.exceptions import AuthenticationError, WinRMError, WinRMTransportError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from harness.deadline import SYSTEM, Deadline
from harness.errors import (
    DeadlineExceeded,
    HostBusy,
    HostConnectionLost,
    HostError,
    HostLoginRefused,
    HostRefused,
    HostUnreachable,
)
from harness.evidence import Evidence
from harness.host.command import Call, Cmdlet, FixedScript, Pipeline, Value
from harness.host.connection import advice_for, wsman_options
from harness.host.decode import decode
from harness.host.refusal import facts_of
from harness.host.render import render_call, render_objects
from harness.host.scripts import text_of
from harness.host.session import Answer
from harness.inventory.model import Host
from harness.secret import Secret
from harness.units import Bytes

_SECURE_STRING = ObjectMeta("SS")
IDLE_LIMIT = 90.0
CALLS_PER_POOL = 500
DEFAULT_WITHIN = timedelta(seconds=120)
SHELL_GONE = 2150858843
QUOTAS = {2150859174, 2150859173, 2150858967, 2150858968, 2150859121}
NETWORK = (requests.exceptions.RequestException, ConnectionError, TimeoutError)


class PsrpSession:
    """A leased session to one host. ``password`` is kept as a Secret and given to pypsrp alone."""

    def __init__(self, host: Host, password: Secret | None) -> None:
        self._host, self._password = host, password
        self._owner = threading.get_ident()
        self._wsman: WSMan | None = None
        self._pool: RunspacePool | None = None
        self._calls, self._last_use = 0, 0.0

    @property
    def name(self) -> str:
        """The host's name in the inventory."""
        return self._host.name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the pool and the connection; a host that is gone by now does not matter."""
        pool, wsman, self._pool, self._wsman = self._pool, self._wsman, None, None
        if pool is not None:
            with contextlib.suppress(WinRMError, *NETWORK, RuntimeError, ValueError):
                pool.close()
        if wsman is not None:
            wsman.close()

    def run(self, call: Call, *, within: timedelta = DEFAULT_WITHIN) -> Answer:
        """Run the call to its end (see HostSession.run for the errors)."""
        if threading.get_ident() != self._owner:
            raise RuntimeError("a host session belongs to the thread that made it")
        deadline = Deadline(within)
        try:
            return self._run(call, deadline)
        except HostConnectionLost:
            if not repeatable(call):
                raise
            self.close()
            return self._run(call, deadline)

    def _run(self, call: Call, deadline: Deadline) -> Answer:
        pool = self._ready()
        shell = PowerShell(pool)
        try:
            _add(shell, call, pool)
            self._begin(shell, call)
            self._poll(shell, call, deadline)
        finally:
            self._last_use = SYSTEM.monotonic()
            self._calls += 1
        objects = tuple(decode(item) for item in shell.output)
        records = [facts_of(record) for record in shell.streams.error]
        state = shell.state
        self._end(shell)
        if records:
            raise HostRefused(self.name, render_call(call), records[0])
        if state != PSInvocationState.COMPLETED:
            raise HostError(self.name, f"{render_call(call)} ended in state {state}, without error")
        warnings = [f"WARNING: {record.message}" for record in shell.streams.warning]
        text = "\n".join((render_objects(objects), *warnings))
        return Answer(objects, Evidence(render_call(call), text, f"host {self.name}"))

    def _ready(self) -> RunspacePool:
        """Return an open pool: the one there is, or a new one where it is spent or was idle."""
        if self._pool is not None and self._calls >= CALLS_PER_POOL:
            self.close()
        if self._wsman is not None and SYSTEM.monotonic() - self._last_use > IDLE_LIMIT:
            _forget_connection(self._wsman)
        if self._pool is None:
            self._open()
        assert self._pool is not None  # noqa: S101  # opened just above
        return self._pool

    def _open(self) -> None:
        wsman = WSMan(**wsman_options(self._host, self._password))
        pool = RunspacePool(wsman)
        try:
            pool.open()
        except (*NETWORK, WinRMError, OSError, ValueError) as broken:
            wsman.close()
            raise self._not_open(broken) from None
        self._wsman, self._pool, self._calls = wsman, pool, 0
        self._last_use = SYSTEM.monotonic()

    def _not_open(self, broken: Exception) -> HostError:
        """Say why no session could be opened: the call has surely not run."""
        if isinstance(broken, AuthenticationError):
            who = self._host.username or "the client certificate"
            return HostLoginRefused(
                self.name,
                f"{self._host.address} does not accept {who} by {self._host.authentication.value}",
                "check user name and password where the inventory refers to them,"
                " and that the user may use remote management there",
            )
        if isinstance(broken, WSManFaultError):
            kind = HostBusy if broken.code in QUOTAS else HostError
            return kind(self.name, f"WS-Man fault {broken.code}: {broken.reason}")
        what, advice = advice_for(self._host, broken)
        return HostUnreachable(self.name, what, advice)

    def _begin(self, shell: PowerShell, call: Call) -> None:
        """Hand the pipeline to the host; what was surely not accepted is sent once more."""
        try:
            shell.begin_invoke()
        except WSManFaultError as fault:
            if fault.code in QUOTAS:
                raise HostBusy(
                    self.name, f"a quota of the host is used up: {fault.reason}"
                ) from None
            raise self._lost(call, fault) from None
        except (WinRMTransportError, AuthenticationError, *NETWORK) as broken:
            raise self._lost(call, broken) from None

    def _poll(self, shell: PowerShell, call: Call, deadline: Deadline) -> None:
        while shell.state == PSInvocationState.RUNNING:
            left = deadline.left()
            if left <= 0:
                self._stop(shell)
                raise DeadlineExceeded(
                    f"the end of {render_call(call)} on {self.name}", deadline.limit
                )
            try:
                shell.poll_invoke(timeout=max(1, min(20, int(left))))
            except (WinRMError, *NETWORK) as broken:
                raise self._lost(call, broken) from None

    def _stop(self, shell: PowerShell) -> None:
        try:
            shell.stop()
        except (WinRMError, *NETWORK):
            self.close()

    def _end(self, shell: PowerShell) -> None:
        """Close the pipeline; the answer is there already, so trouble costs only the connection."""
        try:
            shell.close()
        except (WinRMError, *NETWORK, RuntimeError):
            self.close()

    def _lost(self, call: Call, broken: Exception) -> HostConnectionLost:
        self.close()
        said = (
            f"fault {broken.code}" if isinstance(broken, WSManFaultError) else type(broken).__name__
        )
        return HostConnectionLost(
            self.name,
            f"the connection broke in {render_call(call)} ({said}): it may or may not have run",
            "look at the host and its network, then run again",
        )


def repeatable(call: Call) -> bool:
    """Return whether sending the call twice has the same effect as once."""
    if isinstance(call, Pipeline):
        return all(cmdlet.safe_to_repeat for cmdlet in call.cmdlets)
    return isinstance(call, Cmdlet) and call.safe_to_repeat


def _forget_connection(wsman: WSMan) -> None:
    """Drop a connection that may be dead with its message keys; the shell on the host lives on."""
    transport: Any = wsman.transport
    transport.close()
    transport.session = None
    transport.encryption = None


def _add(shell: PowerShell, call: Call, pool: RunspacePool) -> None:
    if isinstance(call, FixedScript):
        shell.add_script(text_of(call.name))
        _parameters(shell, call.parameters, pool)
        return
    for cmdlet in call.cmdlets if isinstance(call, Pipeline) else (call,):
        shell.add_cmdlet(cmdlet.name)
        _parameters(shell, cmdlet.parameters, pool)


def _parameters(shell: PowerShell, parameters: Mapping[str, Value], pool: RunspacePool) -> None:
    for name, value in parameters.items():
        shell.add_parameter(name, _wire(value, pool))


def _wire(value: Value, pool: RunspacePool) -> Any:  # noqa: ANN401  # what pypsrp serialises
    match value:
        case Bytes():
            return value.count
        case Secret():
            pool.exchange_keys()
            return pool.serialize(value.reveal(), _SECURE_STRING)
        case timedelta():
            return str(value)
        case tuple():
            return [_wire(item, pool) for item in value]
        case Mapping():
            return {key: _wire(item, pool) for key, item in value.items()}
        case _:
            return value
