"""Who may start VMs while a case fills the host."""

from __future__ import annotations

import threading
from pathlib import Path

from harness.host.gate import StartGate


def test_starts_do_not_wait_for_each_other(tmp_path: Path) -> None:
    file = tmp_path / "a.gate"
    with StartGate(file).starting(), StartGate(file).starting():
        assert file.exists()


def test_a_start_waits_until_another_has_let_go_of_the_host(tmp_path: Path) -> None:
    holder, other = StartGate(tmp_path / "a.gate"), StartGate(tmp_path / "a.gate")
    started = threading.Event()

    def start() -> None:
        with other.starting():
            started.set()

    thread = threading.Thread(target=start)
    with holder.closed():
        thread.start()
        assert not started.wait(0.6)
    thread.join(5)
    assert started.is_set()


def test_whoever_fills_the_host_may_start_vms_meanwhile(tmp_path: Path) -> None:
    gate = StartGate(tmp_path / "a.gate")
    with gate.closed(), gate.closed(), gate.starting():
        pass
    with gate.starting():
        pass
