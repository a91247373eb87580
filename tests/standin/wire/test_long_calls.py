"""Commands that take longer than a request: polls, stops, changes of hand, lost connections."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pypsrp.complex_objects import PSInvocationState, RunspacePoolState
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool

from harness.deadline import wait_for
from harness.standin.server import WinRM
from tests.standin.wire.conftest import Connect
from tests.standin.wire.fake_engine import FakeEngine
from tests.standin.wire.raw import post, raw_connection, receive_message

SOON = timedelta(seconds=5)


def begin(pool: RunspacePool, name: str) -> PowerShell:
    shell = PowerShell(pool)
    shell.add_cmdlet(name)
    shell.begin_invoke()
    return shell


def wait_until(what: str, happened: threading.Event) -> None:
    assert happened.wait(SOON.total_seconds()), what


def test_a_poll_without_data_times_out_and_the_result_still_comes(
    connect: Connect, engine: FakeEngine
) -> None:
    with RunspacePool(connect(operation_timeout=1)) as pool:
        shell = begin(pool, "Wait")
        shell.poll_invoke(timeout=1)
        assert shell.state == PSInvocationState.RUNNING
        engine.release.set()
        assert shell.end_invoke() == ["released"]


def test_stop_returns_when_the_command_has_stopped(pool: RunspacePool, engine: FakeEngine) -> None:
    shell = begin(pool, "Wait")
    wait_until("the command began", engine.began)
    shell.stop()
    assert engine.ended.is_set()
    assert shell.state == PSInvocationState.STOPPED


def test_a_stopped_pipeline_says_so_to_who_still_listens(
    pool: RunspacePool, engine: FakeEngine
) -> None:
    shell = begin(pool, "Wait")
    wait_until("the command began", engine.began)
    shell.stop()
    pool.pipelines[shell.id] = shell
    shell.poll_invoke()
    assert shell.state == PSInvocationState.STOPPED
    assert shell.streams.error[0].fq_error == "PipelineStopped"


def test_a_pipeline_waits_for_a_free_runspace_and_can_be_stopped_there(
    pool: RunspacePool, engine: FakeEngine
) -> None:
    first = begin(pool, "Wait")
    wait_until("the command began", engine.began)
    second, third = begin(pool, "All-Streams"), begin(pool, "Get-VM")
    assert pool.get_available_runspaces() == 0
    second.stop()
    assert len(engine.asked) == 1
    engine.release.set()
    first.end_invoke()
    third.end_invoke()
    assert len(engine.asked) == 2


def test_pipelines_run_side_by_side_in_a_wide_pool(connect: Connect, engine: FakeEngine) -> None:
    with RunspacePool(connect(), max_runspaces=3) as pool:
        waiting = [begin(pool, "Wait") for _ in range(3)]
        wait_for("three pipelines", lambda: len(engine.asked) == 3 or None, SOON)
        engine.release.set()
        assert [shell.end_invoke() for shell in waiting] == [["released"]] * 3


def test_a_disconnected_pool_keeps_running_and_reconnects(
    pool: RunspacePool, engine: FakeEngine
) -> None:
    shell = begin(pool, "Wait")
    pool.disconnect()
    with pytest.raises(WSManFaultError, match="disconnected"):
        begin(pool, "Get-VM")
    engine.release.set()
    pool.connect()
    shell.state = PSInvocationState.RUNNING
    assert shell.end_invoke() == ["released"]


def test_another_client_takes_over_a_pool_and_its_running_command(
    connect: Connect, engine: FakeEngine
) -> None:
    owner = RunspacePool(connect())
    owner.open()
    begin(owner, "Wait")
    owner.disconnect()
    (found,) = RunspacePool.get_runspace_pools(connect())
    assert found.id == owner.id
    found.connect()
    (shell,) = found.create_disconnected_power_shells()
    engine.release.set()
    shell.connect_async()  # type: ignore[no-untyped-call] # pypsrp leaves it untyped
    assert shell.end_invoke() == ["released"]
    found.close()


def test_a_closed_pool_stops_its_commands_and_is_gone(
    pool: RunspacePool, engine: FakeEngine
) -> None:
    begin(pool, "Wait")
    wait_until("the command began", engine.began)
    selectors = pool.shell._selector_set  # noqa: SLF001 - pypsrp forgets it on close
    pool.close()
    wait_until("the command ended", engine.ended)
    with pytest.raises(WSManFaultError) as caught:
        pool.connection.get(pool.shell.resource_uri, selector_set=selectors)
    assert caught.value.code == 2150858843


def test_a_receive_whose_client_went_away_takes_no_data(
    winrm: WinRM, pool: RunspacePool, engine: FakeEngine
) -> None:
    shell = begin(pool, "Wait")
    wait_until("the command began", engine.began)
    with raw_connection(winrm) as line:
        line.sendall(post(receive_message(pool.id, shell.id)))
        line.shutdown(socket.SHUT_WR)
        while line.recv(4096):
            pass  # the rest of the TLS handshake; then the server hangs up
    engine.release.set()
    wait_until("the command ended", engine.ended)
    assert shell.end_invoke() == ["released"]


def test_a_client_that_gives_up_early_and_asks_again_gets_the_result(
    connect: Connect, engine: FakeEngine
) -> None:
    impatient = connect(read_timeout=1, operation_timeout=5, reconnection_backoff=0.05)
    with RunspacePool(impatient) as pool:
        shell = begin(pool, "Wait")
        later = threading.Timer(1.2, engine.release.set)
        later.start()
        assert shell.end_invoke() == ["released"]
        later.join()


def test_of_two_receives_the_newer_aborts_the_older(connect: Connect, engine: FakeEngine) -> None:
    with RunspacePool(connect("basic")) as pool:
        shell = begin(pool, "Wait")

        def poll(_: int) -> object:
            with pytest.raises(WSManFaultError) as caught:
                pool.shell.receive("stdout", command_id=shell.id, timeout=1)
            return caught.value.code

        with ThreadPoolExecutor(2) as both:
            assert sorted(both.map(poll, range(2)), key=str) == [2150858793, 995]
        engine.release.set()
        assert shell.end_invoke() == ["released"]


def test_closing_the_server_ends_every_wait_and_leaves_no_thread(
    winrm: WinRM, pool: RunspacePool, engine: FakeEngine
) -> None:
    begin(pool, "Wait")
    wait_until("the command began", engine.began)
    winrm.close()
    pool.state = RunspacePoolState.CLOSED  # there is nobody left to tell
    wait_until("the command ended", engine.ended)
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("standin-")]
