"""What the harness's session makes of a wire that is broken on purpose: never a wrong answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from harness.errors import HostBusy, HostConnectionLost, HostError
from harness.host.command import Cmdlet
from harness.host.psrp import PsrpSession
from harness.inventory.model import Authentication, Host, Reference, ReferenceKind, Transport
from harness.secret import Secret
from harness.standin.cmdlets import HYPERV_CMDLETS
from harness.standin.engine import HostEngine
from harness.standin.seeded import wire
from harness.standin.server import Endpoint, WinRM
from harness.units import GiB
from tests.standin.hyperv.bench import Bench
from tests.standin.seeded.conftest import Broken

PASSWORD = "S3cret-pass-phrase!"  # noqa: S105  # of this test's own server
LOOK = Cmdlet("Get-VM", {"Name": "a"}, safe_to_repeat=True)
NMI = Cmdlet("Debug-VM", {"Name": "a", "InjectNonMaskableInterrupt": True, "Force": True})


@contextmanager
def session_to(bench: Bench) -> Iterator[PsrpSession]:
    engine = HostEngine(bench.host, HYPERV_CMDLETS)
    end = Endpoint(
        "HV", "127.0.0.1", engine, {"Administrator": PASSWORD}, http_port=0, https_port=None,
        between=bench.host.wire,
    )  # fmt: skip
    with WinRM([end]) as server:
        host = Host(
            name="hv", address="127.0.0.1", port=server.ports["HV"].http or 0,
            transport=Transport.HTTP, authentication=Authentication.NTLM, username="Administrator",
            password=Reference(ReferenceKind.ENV, "HV_PASSWORD"), certificate=None, verify_tls=True,
            ca=None, switch="s", vlan=None, vm_path="C:\\v", memory_reserve=GiB, memory_budget=None,
        )  # fmt: skip
        with PsrpSession(host, Secret(PASSWORD)) as session:
            yield session


@pytest.mark.parametrize(
    "fault",
    ["winrm-cut-in-mid-call", "winrm-session-expired", "winrm-unavailable"],
)
def test_a_call_that_may_be_repeated_survives(
    broken: Broken, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(wire, "EVERY", 4)
    bench = broken(fault)
    bench.vm()
    with session_to(bench) as session:
        states = [session.run(LOOK).one().string("State") for _ in range(10)]
    assert states == ["Off"] * 10


def test_a_quota_that_is_used_up_is_an_error_that_says_what_to_do(
    broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "EVERY", 2)
    bench = broken("winrm-quota")
    bench.vm()
    with session_to(bench) as session:
        session.run(LOOK)
        with pytest.raises(HostBusy, match=r"a quota is used up.*close other sessions"):
            session.run(LOOK)
        assert session.run(LOOK).one().string("State") == "Off"


def test_an_answer_that_is_lost_is_an_error_and_the_injection_is_not_sent_again(
    broken: Broken,
) -> None:
    bench = broken("winrm-answer-lost")
    bench.vm()
    bench.do("Start-VM")
    with session_to(bench) as session:
        session.run(NMI)
        session.run(NMI)
        with pytest.raises(HostConnectionLost):
            session.run(NMI)
        assert session.run(LOOK).one().string("State") == "Running"
    assert len(bench.machines.nmis) == 3


def test_an_injection_in_a_broken_call_is_done_once_or_the_call_is_an_error(
    broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "EVERY", 3)
    for fault in ("winrm-cut-in-mid-call", "winrm-session-expired", "winrm-unavailable"):
        bench = broken(fault)
        bench.vm()
        bench.do("Start-VM")
        with session_to(bench) as session:
            errors = sum(_fails(session) for _ in range(5))
        assert len(bench.machines.nmis) <= 5
        assert len(bench.machines.nmis) >= 5 - errors


def _fails(session: PsrpSession) -> bool:
    try:
        session.run(NMI)
    except HostError:
        return True
    return False


def test_a_late_answer_is_waited_for(broken: Broken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "EVERY", 2)
    monkeypatch.setattr(wire, "LATE", 2.0)
    bench = broken("winrm-answers-late")
    bench.vm()
    with session_to(bench) as session:
        for _ in range(3):
            assert session.run(LOOK, within=timedelta(seconds=30)).one().string("Name") == "a"


def test_a_host_that_restarts_in_an_injection_has_its_machines_off_and_forgets_its_sessions(
    broken: Broken,
) -> None:
    bench = broken("host-rebooted-in-mid-case")
    bench.vm()
    bench.do("Start-VM")
    with session_to(bench) as session:
        session.run(NMI)
        session.run(NMI)
        with pytest.raises(HostError):
            session.run(NMI)
        assert bench.machines.states == {}
        assert session.run(LOOK).one().string("State") == "Off"
    assert len(bench.machines.nmis) == 2
