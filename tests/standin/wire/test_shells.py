"""Shells: their quotas, their end, what they tell, and the console kind that pywinrm uses."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
import winrm as pywinrm
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.shell import Process, SignalCode, WinRS
from pypsrp.wsman import NAMESPACES

from harness.deadline import wait_for
from harness.standin import psrp_shell, service, winrs
from harness.standin.releases import RELEASES
from harness.standin.server import Endpoint, WinRM
from tests.standin.wire.conftest import Connect
from tests.standin.wire.fake_engine import PASSWORD, FakeEngine

SHELLS = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
SOON = timedelta(seconds=5)


@pytest.fixture
def console(winrm: WinRM) -> Iterator[pywinrm.Session]:
    session = pywinrm.Session(
        f"http://127.0.0.1:{winrm.ports['HV01'].http}/wsman",
        auth=("Administrator", PASSWORD),
        transport="ntlm",
        ca_trust_path=None,
    )
    yield session
    session.protocol.transport.close_session()


def test_pywinrm_runs_a_console_command(console: pywinrm.Session) -> None:
    answer = console.run_cmd("hostname")
    assert (answer.std_out, answer.std_err, answer.status_code) == (b"HV01\r\n", b"", 0)
    assert console.run_cmd("echo", ["a", "b"]).std_out == b"a b\r\n"
    assert console.run_cmd("whoami").std_out == b"hv01\\administrator\r\n"


def test_an_unknown_console_command_gets_cmds_own_words(console: pywinrm.Session) -> None:
    answer = console.run_cmd("rm -rf /")
    assert answer.status_code == 1
    assert answer.std_err.startswith(b"'rm' is not recognized as an internal or external command")


def test_pywinrm_runs_powershell_text(console: pywinrm.Session) -> None:
    answer = console.run_ps("Get-VM | ft # ü")
    assert answer.std_out == "ran <Get-VM | ft # ü>\r\n".encode("cp437")
    assert answer.status_code == 0


def test_an_error_of_powershell_text_is_on_stderr_with_exit_code_one(
    console: pywinrm.Session,
) -> None:
    failed, complained = console.run_ps("throw it"), console.run_ps("complain")
    assert (failed.std_out, failed.status_code) == (b"", 1)
    assert b"InvalidArgument: (x:String) [Get-VM], VirtualizationException" in failed.std_err
    assert complained.std_out == b"ran <complain>\r\n"
    assert b"FullyQualifiedErrorId : InvalidParameter," in complained.std_err


@pytest.mark.parametrize(
    "arguments",
    [
        "-Command Get-VM",
        '-NoProfile -ExecutionPolicy Bypass "Get-VM"',
        "-nop -noni -ep bypass -c Get-VM",
        "-EncodedCommand " + base64.b64encode("Get-VM".encode("utf-16-le")).decode(),
        "/enc " + base64.b64encode("Get-VM".encode("utf-16-le")).decode(),
        "Get-VM",
    ],
)
def test_powershell_exe_takes_its_command_in_many_ways(
    console: pywinrm.Session, arguments: str
) -> None:
    program = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"
    assert console.run_cmd(f"{program} {arguments}").std_out == b"ran <Get-VM>\r\n"


@pytest.mark.parametrize("arguments", ["-File x.ps1", "-enc !!", "-Fly", ""])
def test_unusable_arguments_of_powershell_exe_fail(
    console: pywinrm.Session, arguments: str
) -> None:
    answer = console.run_cmd(f"powershell {arguments}")
    assert answer.status_code == -196608
    assert answer.std_err


def test_warnings_of_powershell_text_show_in_the_output(console: pywinrm.Session) -> None:
    assert console.run_ps("warn").std_out == b"WARNING: careful\r\nran <warn>\r\n"


def test_a_console_command_can_be_interrupted_and_unknown_ones_not(connect: Connect) -> None:
    with WinRS(connect()) as shell:
        process = Process(shell, "hostname")
        process.begin_invoke()
        process.signal(SignalCode.CTRL_C)
        process.signal(SignalCode.TERMINATE)
        with pytest.raises(WSManFaultError):
            process.signal(SignalCode.TERMINATE)


def test_a_user_may_have_thirty_shells(connect: Connect) -> None:
    connection = connect()
    pools = [RunspacePool(connection) for _ in range(service.MAX_SHELLS_PER_USER + 1)]
    for pool in pools[:-1]:
        pool.open()
    with pytest.raises(WSManFaultError, match="maximum number of 30 concurrent shells") as caught:
        pools[-1].open()
    assert caught.value.code == 2150859173
    pools[0].close()
    pools[-1].open()


def test_a_shell_may_have_so_many_commands_until_they_are_closed(
    pool: RunspacePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psrp_shell, "MAX_COMMANDS", 3)
    shells = []
    for _ in range(3):
        shells.append(PowerShell(pool))
        shells[-1].add_cmdlet("Get-VM").invoke()
    refused = PowerShell(pool)
    refused.add_cmdlet("Get-VM")
    with pytest.raises(WSManFaultError) as caught:
        refused.begin_invoke()
    assert caught.value.code == 2150859241
    shells[0].close()
    PowerShell(pool).add_cmdlet("Get-VM").invoke()


def test_a_console_shell_may_have_so_many_processes(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(winrs, "MAX_PROCESSES", 1)
    with WinRS(connect()) as shell:
        Process(shell, "hostname").invoke()
        with pytest.raises(WSManFaultError):
            Process(shell, "hostname").begin_invoke()


def test_closed_commands_leave_room_for_more(pool: RunspacePool) -> None:
    for number in range(40):
        with PowerShell(pool) as shell:
            assert shell.add_cmdlet("Echo").add_parameter("A", number).invoke() == [number]
    assert _commands_on_the_host(pool) == 0


def _commands_on_the_host(pool: RunspacePool) -> int:
    (found,) = RunspacePool.get_runspace_pools(pool.connection)
    return len(found.pipelines)


def test_a_deleted_shell_is_not_found(pool: RunspacePool) -> None:
    selectors = pool.shell._selector_set  # noqa: SLF001 - pypsrp forgets it on close
    pool.connection.delete(pool.shell.resource_uri, selector_set=selectors)
    assert not pool.is_alive()
    with pytest.raises(WSManFaultError) as caught:
        pool.get_available_runspaces()
    assert caught.value.code == 2150858843


def test_a_command_that_never_was_is_not_found(pool: RunspacePool) -> None:
    for command_id in ("not an id", "00000000-0000-0000-0000-000000000001"):
        with pytest.raises(WSManFaultError, match="was not found"):
            pool.shell.signal(SignalCode.TERMINATE, command_id)


def test_an_idle_shell_goes_and_a_used_one_stays(connect: Connect, engine: FakeEngine) -> None:
    with RunspacePool(connect()) as used:
        shell = PowerShell(used)
        shell.add_cmdlet("Wait").begin_invoke()
        RunspacePool(connect(), idle_timeout=1).open()
        assert _shells_on_the_host(used) == 2
        wait_for(
            "the idle shell's end",
            lambda: _shells_on_the_host(used) == 1 or None,
            SOON,
            every=timedelta(milliseconds=50),
        )
        engine.release.set()
        assert shell.end_invoke() == ["released"]


def _shells_on_the_host(pool: RunspacePool) -> int:
    """Count by Enumerate, which does not use any shell."""
    question = ET.Element(f"{{{NAMESPACES['wsen']}}}Enumerate")
    return len(pool.connection.enumerate(SHELLS, question).findall(".//rsp:Shell", NAMESPACES))


def test_a_shell_tells_of_itself(pool: RunspacePool) -> None:
    facts = pool.shell._get_shell()  # noqa: SLF001 - pypsrp has no public way to ask
    assert facts["State"] == "Connected"
    assert facts["Owner"] == "administrator"
    assert facts["ResourceUri"] == "http://schemas.microsoft.com/powershell/Microsoft.PowerShell"
    assert facts["IdleTimeOut"] == "PT7200.000S"


def test_the_configuration_names_the_envelope_size(connect: Connect) -> None:
    connection = connect()
    connection.update_max_payload_size()
    assert connection.max_envelope_size == 512_000
    config = connection.get_server_config()
    assert isinstance(config, ET.Element)
    assert config.findtext("cfg:Config/cfg:MaxTimeoutms", "", NAMESPACES) == "60000"


def test_2012_r2_speaks_an_older_protocol(engine: FakeEngine) -> None:
    users, release = {"Administrator": PASSWORD}, RELEASES["2012r2"]
    endpoint = Endpoint("OLD", "127.0.0.1", engine, users, 0, None, release=release)
    with WinRM([endpoint]) as server:
        session = pywinrm.Session(
            f"http://127.0.0.1:{server.ports['OLD'].http}/wsman",
            auth=("Administrator", PASSWORD),
            transport="ntlm",
            ca_trust_path=None,
        )
        assert b"6.3.9600" in session.run_cmd("ver").std_out
        session.protocol.transport.close_session()
