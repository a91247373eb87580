"""Host sessions over pypsrp; the only file that knows it.

One session is one WSMan and one runspace pool, and belongs to one thread: shared ones corrupt each
other's messages. Every pipeline is closed (a host allows 1000 per shell). A connection that idled
is made anew before the host's own limit (http.sys: 120 s) kills it.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Self

import requests.exceptions
from pypsrp.complex_objects import PSCredential, PSInvocationState
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.serializer import TaggedValue
from pypsrp.wsman import NAMESPACES, WSMan, WSManAction

from harness.deadline import SYSTEM, Deadline
from harness.errors import (
    DeadlineExceeded,
    HarnessError,
    HostBusy,
    HostConnectionLost,
    HostError,
    HostLoginRefused,
    HostRefused,
    HostUnreachable,
)
from harness.evidence import Evidence
from harness.host import connection
from harness.host.command import Call, Credential, FixedScript, Pipeline, Value, repeatable
from harness.host.decode import decode
from harness.host.refusal import facts_of
from harness.host.render import name_of, render_call, render_objects, scrubbed, secrets_in
from harness.host.scripts import text_of
from harness.host.session import Answer
from harness.host.wsman_faults import DENIED, QUOTA_ADVICE, QUOTAS, TIMED_OUT
from harness.inventory.model import Host
from harness.secret import Secret
from harness.units import Bytes

IDLE_LIMIT = 90.0
FORGOTTEN_AFTER = 600
"""Seconds without a word from us, and the host ends a shell: a killed run leaves its own behind, a
user may have 30, and the host's own limit is two hours.
"""
CALLS_PER_POOL = 500
DEFAULT_WITHIN = timedelta(seconds=60)
STOP_WITHIN = 5.0
logging.getLogger("pypsrp").addHandler(logging.NullHandler())  # else its tracebacks reach stderr


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
        if pool is not None and wsman is not None:
            _close_pool(pool, wsman)
        if wsman is not None:
            wsman.close()

    def run(self, call: Call, *, within: timedelta = DEFAULT_WITHIN) -> Answer:
        """Run the call to its end (see HostSession.run for the errors)."""
        if threading.get_ident() != self._owner:
            raise RuntimeError("a host session belongs to the thread that made it")
        deadline = Deadline(within)
        result = self._try(call, deadline)
        if isinstance(result, _Broken) and result.worth_repeating(call):
            result = self._try(call, deadline)
        if isinstance(result, _Broken):
            raise result.error  # outside of any handler: no library frame hangs on to it
        return result

    def _try(self, call: Call, deadline: Deadline) -> Answer | _Broken:
        try:
            return self._run(call, deadline)
        except _Broken as broken:
            return broken

    def _run(self, call: Call, deadline: Deadline) -> Answer:
        pool = self._ready(call, deadline)
        shell = PowerShell(pool)
        try:
            self._begin(shell, call, deadline)
            self._poll(shell, call, deadline)
        except BaseException:  # Ctrl-C too: what comes next must not meet a half-read answer
            self._abandon(shell)
            raise
        finally:
            self._last_use = SYSTEM.monotonic()
            self._calls += 1
        return self._answer(shell, call)

    def _answer(self, shell: PowerShell, call: Call) -> Answer:
        secrets = (self._password, *secrets_in(call))
        objects = tuple(decode(item) for item in shell.output)
        records = [facts_of(record) for record in shell.streams.error]
        state, asked = shell.state, render_call(call)
        self._end(shell)
        if records:
            message = scrubbed(records[0].message, *secrets)
            raise HostRefused(self.name, asked, replace(records[0], message=message))
        if state != PSInvocationState.COMPLETED:
            raise HostError(self.name, f"{asked} ended in state {state}, without error")
        said = [f"WARNING: {record.message}" for record in shell.streams.warning]
        said += [f"VERBOSE: {record.message}" for record in shell.streams.verbose]
        text = scrubbed("\n".join((render_objects(objects), *said)), *secrets)
        return Answer(objects, Evidence(asked, text, f"host {self.name}"))

    def _ready(self, call: Call, deadline: Deadline) -> RunspacePool:
        """Return an open pool: the one there is, or a new one where it is spent or was idle."""
        if self._pool is not None and self._calls >= CALLS_PER_POOL:
            self.close()
        if self._wsman is not None and SYSTEM.monotonic() - self._last_use > IDLE_LIMIT:
            _forget_connection(self._wsman)
        return self._pool or self._open(call, deadline)

    def _open(self, call: Call, deadline: Deadline) -> RunspacePool:
        wsman = _Patient(**connection.wsman_options(self._host, self._password))
        pool = RunspacePool(wsman, idle_timeout=FORGOTTEN_AFTER)
        self._wsman, self._pool, self._calls = wsman, pool, 0
        try:
            _bound(wsman, deadline.left())
            pool.open()
        except Exception as broken:  # noqa: BLE001  # the library's seam: whatever it raises
            error = self._not_open(broken, call, deadline)
            self._drop()
            raise _Broken(error, run=False) from None
        return pool

    def _not_open(self, broken: Exception, call: Call, deadline: Deadline) -> HarnessError:
        """Say why no session could be opened: the call has surely not run."""
        if isinstance(broken, AuthenticationError):
            return self._refused_login("does not accept")
        if isinstance(broken, WSManFaultError) and broken.code != TIMED_OUT:
            if broken.code == DENIED:
                return self._refused_login("knows, but gives no PowerShell remoting to,")
            kind = HostBusy if broken.code in QUOTAS else HostError
            return kind(self.name, f"WS-Man fault {broken.code}: {broken.reason}", QUOTA_ADVICE)
        if deadline.left() <= 0:
            return DeadlineExceeded(f"a session to {self.name} for {name_of(call)}", deadline.limit)
        what, advice = connection.advice_for(self._host, broken)
        return HostUnreachable(self.name, what, advice)

    def _refused_login(self, verb: str) -> HostLoginRefused:
        host = self._host
        return HostLoginRefused(
            self.name,
            f"{host.address} {verb} {connection.login(host)} by {host.authentication.value}",
            "correct the name or the password there; the user must be an administrator of the host"
            " or in its group Remote Management Users",
        )

    def _begin(self, shell: PowerShell, call: Call, deadline: Deadline) -> None:
        """Hand the pipeline to the host."""
        wsman = self._wsman
        try:
            _bound(wsman, deadline.left())
            _add(shell, call, shell.runspace_pool)
            shell.begin_invoke()
        except Exception as broken:  # noqa: BLE001  # the library's seam: whatever it raises
            answered = isinstance(
                broken, (WinRMTransportError, AuthenticationError, WSManFaultError)
            )
            sent = shell.state != PSInvocationState.NOT_STARTED
            raise self._broken(broken, call, run=sent or not answered) from None

    def _poll(self, shell: PowerShell, call: Call, deadline: Deadline) -> None:
        while shell.state == PSInvocationState.RUNNING:
            if deadline.left() <= 0:
                stopped = self._stop(shell)
                raise DeadlineExceeded(
                    f"the end of {name_of(call)} on {self.name}",
                    deadline.limit,
                    "" if stopped else "it could not be stopped: it may still run on the host",
                )
            try:
                _bound(self._wsman, deadline.left())
                shell.poll_invoke(
                    timeout=max(1, min(connection.OPERATION_TIMEOUT, int(deadline.left())))
                )
            except requests.exceptions.ReadTimeout:
                _forget_connection(self._wsman)  # asking again loses nothing: see WSMan.receive
            except Exception as broken:  # noqa: BLE001  # the library's seam: whatever it raises
                raise self._broken(broken, call, run=True) from None

    def _stop(self, shell: PowerShell) -> bool:
        try:
            _bound(self._wsman, STOP_WITHIN)
            shell.stop()
        except Exception:  # noqa: BLE001  # the library's seam: it was not stopped, whatever it says
            return False
        return True

    def _end(self, shell: PowerShell) -> None:
        """Close the pipeline; the answer is there already, so trouble costs only the connection."""
        try:
            _bound(self._wsman, STOP_WITHIN)
            shell.close()
        except Exception:  # noqa: BLE001  # the library's seam: whatever it raises
            self._drop()

    def _abandon(self, shell: PowerShell) -> None:
        """Stop what may still run, then start anew: answers may be half read."""
        if self._pool is not None and shell.state == PSInvocationState.RUNNING:
            _forget_connection(self._wsman)
            self._stop(shell)
        self.close()

    def _broken(self, broken: Exception, call: Call, *, run: bool) -> _Broken:
        if isinstance(broken, WSManFaultError) and broken.code in QUOTAS:
            busy = HostBusy(self.name, f"a quota is used up: {broken.reason}", QUOTA_ADVICE)
            return _Broken(busy, run=False, again=False)
        said = (
            f"fault {broken.code}" if isinstance(broken, WSManFaultError) else type(broken).__name__
        )
        may = "it may or may not have run" if run else "it has not run"
        what = f"the connection broke in {render_call(call)} ({said}): {may}"
        advice = "look at the host and its network, then run again"
        return _Broken(HostConnectionLost(self.name, what, advice), run=run)

    def _drop(self) -> None:
        """Let go of a session whose connection is dead, without a word to the host."""
        wsman, self._pool, self._wsman = self._wsman, None, None
        if wsman is not None:
            wsman.close()


class _Broken(Exception):
    """A call that did not come through; ``run``: the host may have run it."""

    def __init__(self, error: HarnessError, *, run: bool, again: bool = True) -> None:
        self.error, self.run = error, run
        self._again = again and isinstance(error, HostConnectionLost)
        super().__init__(str(error))

    def worth_repeating(self, call: Call) -> bool:
        """Return whether once more may help and can do no harm."""
        return self._again and (not self.run or repeatable(call))


def _close_pool(pool: RunspacePool, wsman: WSMan) -> None:
    """Have the host delete the shell; on a new connection where the old one was idle too long."""
    _bound(wsman, STOP_WITHIN)
    try:
        pool.close()
    except Exception:  # noqa: BLE001  # the library's seam: whatever it raises
        _forget_connection(wsman)
        with contextlib.suppress(Exception):  # a host that is gone by now does not matter
            pool.close()


class _Patient(WSMan):
    """WSMan that leaves repeating a Receive to its caller, who has a deadline."""

    def receive(self, resource_uri: str, *given: Any, **named: Any) -> Any:  # noqa: ANN401
        answer = self.invoke(WSManAction.RECEIVE, resource_uri, *given, **named)
        return answer.find("s:Body", namespaces=NAMESPACES)


def _bound(wsman: WSMan | None, seconds: float) -> None:
    """Let no request of this connection outlast ``seconds`` (at least one)."""
    if wsman is None:
        return
    left = max(1, int(seconds))
    wsman.operation_timeout = min(connection.OPERATION_TIMEOUT, left)
    wsman.transport.read_timeout = min(connection.READ_TIMEOUT, left + 2)
    wsman.transport.connection_timeout = min(connection.CONNECT_TIMEOUT, left)


def _forget_connection(wsman: WSMan | None) -> None:
    """Drop a connection that may be dead with its message keys; the shell on the host lives on."""
    if wsman is None:
        return
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
    if isinstance(value, (Secret, Credential)):
        pool.exchange_keys()
        return _sealed(value)
    if isinstance(value, tuple):
        return [_wire(item, pool) for item in value]
    if isinstance(value, Mapping):
        return {key: _wire(item, pool) for key, item in value.items()}
    return _plain(value)


def _sealed(value: Secret | Credential) -> Any:  # noqa: ANN401  # what pypsrp serialises
    if isinstance(value, Secret):
        return TaggedValue("SS", value.reveal())
    sealed: Any = PSCredential
    return sealed(username=value.username, password=value.password.reveal())


def _plain(value: bool | int | str | bytes | Bytes | timedelta | None) -> Any:  # noqa: ANN401, FBT001
    """Say each number's width: pypsrp would write any int as Int32, however large."""
    if isinstance(value, Bytes):
        return TaggedValue("I64", value.count)
    if isinstance(value, timedelta):
        return TaggedValue("TS", f"PT{value.total_seconds():f}S")
    if isinstance(value, int) and not isinstance(value, bool):
        return TaggedValue("I32" if -(1 << 31) <= value < 1 << 31 else "I64", value)
    return value
