"""The session in front of the real wire: what it sends, and what it says when things break."""

from __future__ import annotations

import socket
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from pypsrp.powershell import RunspacePool
from pypsrp.wsman import SelectorSet

from harness.errors import (
    DeadlineExceeded,
    HarnessError,
    HostBusy,
    HostLoginRefused,
    HostRefused,
    HostUnreachable,
)
from harness.host.command import Cmdlet, Value
from harness.host.psrp import PsrpSession
from harness.inventory.model import Authentication, Host, Reference, ReferenceKind, Transport
from harness.secret import Secret
from harness.standin.api import CommandCall, ErrorRecord, Request, Streams
from harness.standin.httpd import Limits
from harness.standin.server import Endpoint, WinRM
from harness.standin.values import Int64
from harness.units import GiB

PASSWORD = "S3cret-pass-phrase!"  # noqa: S105  # of this test's own server
GET, NEW = Cmdlet("Get-It", safe_to_repeat=True), Cmdlet("New-It")


class Engine:
    def __init__(self) -> None:
        self.seen: list[CommandCall] = []
        self.released = threading.Event()

    def run(self, request: Request, streams: Streams) -> None:
        self.seen.append(call := request.statements[0][0])
        while call.text == "Wait-It" and not self.released.wait(0.05):
            streams.check()
        if call.text == "Fail-It":
            said = f"no {PASSWORD} here"
            streams.error(ErrorRecord("Bad,It", "InvalidArgument", ("System.Exception",), said))
        streams.output(call.text)

    def run_text(self, text: str, streams: Streams) -> str:  # noqa: ARG002  # the Protocol's
        return ""


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def server(engine: Engine, request: pytest.FixtureRequest) -> Iterator[WinRM]:
    """Serve; a parameter is the seconds after which an idle connection is dropped."""
    users = {"Administrator": PASSWORD}
    limits = Limits(idle=getattr(request, "param", 120.0))
    end = Endpoint("HV", "127.0.0.1", engine, users, http_port=0, https_port=0, limits=limits)
    with WinRM([end]) as running:
        yield running
    engine.released.set()


@pytest.fixture
def host(server: WinRM) -> Host:
    return Host(
        name="hv", address="127.0.0.1", port=server.ports["HV"].http or 0,
        transport=Transport.HTTP, authentication=Authentication.NTLM, username="Administrator",
        password=Reference(ReferenceKind.ENV, "HV_PASSWORD"), certificate=None, verify_tls=True,
        ca=None, switch="s", vlan=None, vm_path="C:\\v", memory_reserve=GiB, memory_budget=None,
    )  # fmt: skip


@pytest.fixture
def session(host: Host) -> Iterator[PsrpSession]:
    with PsrpSession(host, Secret(PASSWORD)) as opened:
        yield opened


def refused(host: Host, password: str = PASSWORD, seconds: float = 20) -> HarnessError:
    with pytest.raises(HarnessError) as caught, PsrpSession(host, Secret(password)) as opened:
        opened.run(GET, within=timedelta(seconds=seconds))
    assert caught.value.__context__ is None, "a library's frames hang on to the error"
    assert password not in "".join(traceback.format_exception(caught.value))
    return caught.value


@pytest.mark.parametrize(
    ("given", "kind"),
    [(4 * GiB, Int64), (1 * GiB, Int64), (1 << 40, Int64), (7, int), (True, bool)],
)
def test_a_number_goes_with_the_width_that_holds_it(
    session: PsrpSession, engine: Engine, given: Value, kind: type
) -> None:
    session.run(Cmdlet("Set-It", {"X": given}))
    value = engine.seen[-1].arguments[0][1]
    assert type(value) is kind


def test_a_duration_is_a_timespan(session: PsrpSession, engine: Engine) -> None:
    session.run(Cmdlet("Set-It", {"For": timedelta(minutes=3)}))
    assert engine.seen[-1].arguments[0][1] == timedelta(minutes=3)


def test_a_non_terminating_error_is_a_refusal_and_echoes_no_secret(session: PsrpSession) -> None:
    with pytest.raises(HostRefused, match=r"no \*\*\* here \[Bad,It\]") as caught:
        session.run(Cmdlet("Fail-It"))
    assert caught.value.record.fqid == "Bad,It"


@pytest.mark.parametrize("call", [GET, NEW], ids=["safe to repeat", "not safe to repeat"])
@pytest.mark.parametrize("server", [0.5], indirect=True)
def test_an_idle_connection_that_the_host_dropped_costs_no_call(
    session: PsrpSession, engine: Engine, call: Cmdlet
) -> None:
    session.run(GET)
    time.sleep(1.0)
    session.run(call)
    assert len(engine.seen) == 2


def test_a_call_that_a_vanished_shell_refused_is_sent_again_once(
    session: PsrpSession, engine: Engine
) -> None:
    session.run(GET)
    pool, wsman, shell = session._pool, session._wsman, SelectorSet()  # noqa: SLF001  # breaks it
    assert pool is not None
    assert wsman is not None
    shell.add_option("ShellId", pool.shell.id or "")
    wsman.delete(pool.shell.resource_uri, selector_set=shell)
    session.run(NEW)
    assert [call.text for call in engine.seen] == ["Get-It", "New-It"]


def test_a_call_over_its_deadline_is_stopped_and_the_session_goes_on(session: PsrpSession) -> None:
    with pytest.raises(DeadlineExceeded, match="Wait-It on hv"):
        session.run(Cmdlet("Wait-It"), within=timedelta(seconds=1))
    assert session.run(GET).objects == ("Get-It",)


def test_another_thread_is_told_at_once(session: PsrpSession) -> None:
    told: list[BaseException] = []

    def use() -> None:
        try:
            session.run(GET)
        except RuntimeError as wrong:
            told.append(wrong)

    other = threading.Thread(target=use)
    other.start()
    other.join()
    assert len(told) == 1


def test_a_wrong_password_names_the_user_and_where_it_came_from(host: Host) -> None:
    wrong = refused(host, "not-it-" + PASSWORD)
    assert isinstance(wrong, HostLoginRefused)
    assert "Administrator" in str(wrong)
    assert "environment variable HV_PASSWORD" in str(wrong)


def test_a_certificate_that_does_not_verify_says_how_to_trust_it(host: Host, server: WinRM) -> None:
    ports = server.ports["HV"]
    tls = replace(host, port=ports.https or 0, transport=Transport.HTTPS)
    wrong = refused(replace(tls, authentication=Authentication.BASIC))
    assert isinstance(wrong, HostUnreachable)
    assert "`ca:`" in str(wrong)
    with PsrpSession(replace(tls, ca=ports.certificate), Secret(PASSWORD)) as trusting:
        assert trusting.run(GET).objects == ("Get-It",)


def test_a_wrong_port_and_a_silent_one_are_told_apart_in_time(host: Host) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        elsewhere = replace(host, port=other.getsockname()[1])
        assert "nothing listens" in str(refused(elsewhere))
        other.listen()
        before = time.monotonic()
        assert isinstance(refused(elsewhere, seconds=2), DeadlineExceeded)
        assert time.monotonic() - before < 20


@pytest.mark.parametrize("server", [0.5], indirect=True)
def test_a_shell_is_deleted_though_its_connection_was_idle_too_long(host: Host) -> None:
    with PsrpSession(host, Secret(PASSWORD)) as idle:
        idle.run(GET)
        time.sleep(1.0)
    with PsrpSession(host, Secret(PASSWORD)) as again:
        again.run(GET)
        wsman = again._wsman  # noqa: SLF001  # asks for all shells
        assert wsman is not None
        assert len(RunspacePool.get_runspace_pools(wsman)) == 1


def test_a_used_up_quota_is_busy_and_no_shell_is_left_behind(host: Host) -> None:
    opened = [PsrpSession(host, Secret(PASSWORD)) for _ in range(31)]
    with pytest.raises(HostBusy, match="raise the quota"):  # noqa: PT012  # which one, matters not
        for one in opened:
            one.run(GET)
    for one in opened:
        one.close()
    with PsrpSession(host, Secret(PASSWORD)) as again:
        again.run(GET)
