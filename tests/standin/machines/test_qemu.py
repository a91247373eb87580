"""Real QEMU processes without an operating system: the firmware runs, that is enough."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from harness.deadline import wait_for
from harness.standin.disks import Disks
from harness.standin.leftovers import pid_file
from harness.standin.machines import (
    DiskSpec,
    GuestReport,
    MachineError,
    Machines,
    MachineSpec,
    NicSpec,
)
from harness.standin.qemu import QemuMachines, choose_accelerator, kill_leftovers

pytestmark = pytest.mark.qemu

MiB = 1 << 20
SOON, OFTEN = timedelta(seconds=20), timedelta(milliseconds=20)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[QemuMachines]:
    found = QemuMachines(tmp_path / "run", "tcg")
    yield found
    found.close()


@pytest.fixture
def spec(tmp_path: Path) -> MachineSpec:
    disk = Disks().create(tmp_path / "boot, 1.vhdx", 16 * MiB)
    return MachineSpec(
        uuid4(), "o'neil, 100%", 64 * MiB, 1, 128 * MiB, (DiskSpec(disk.path, "IDE"),)
    )


def process(tmp_path: Path, vm: UUID) -> int:
    return int(pid_file(tmp_path / "run", vm).read_text())


def gone(pid: int) -> bool:
    """Tell whether a process has ended (a zombie, too)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_until_gone(pid: int) -> None:
    wait_for(f"the end of process {pid}", lambda: gone(pid) or None, SOON, every=OFTEN)


def test_the_machines_satisfy_the_protocol(machines: QemuMachines) -> None:
    protocol: Machines = machines
    assert protocol.state(uuid4()) == "off"


def test_a_started_machine_runs_and_a_killed_one_is_off(
    machines: QemuMachines, spec: MachineSpec
) -> None:
    machines.start(spec)
    assert machines.state(spec.id) == "running"
    assert machines.assigned(spec.id) == 64 * MiB
    assert machines.uptime(spec.id) > 0
    assert machines.guest(spec.id) == GuestReport()
    machines.kill(spec.id)
    machines.kill(spec.id)
    assert machines.state(spec.id) == "off"
    assert (machines.assigned(spec.id), machines.uptime(spec.id)) == (0, 0)


def test_processors_stop_and_go(machines: QemuMachines, spec: MachineSpec) -> None:
    machines.start(spec)
    machines.pause(spec.id)
    assert machines.state(spec.id) == "paused"
    machines.resume(spec.id)
    assert machines.state(spec.id) == "running"


def test_nmi_and_reset_are_accepted(machines: QemuMachines, spec: MachineSpec) -> None:
    machines.start(spec)
    machines.inject_nmi(spec.id)
    machines.reset(spec.id)
    assert machines.state(spec.id) == "running"


def test_a_guest_that_ignores_the_power_button_stays_up(
    machines: QemuMachines, spec: MachineSpec
) -> None:
    machines.start(spec)
    assert not machines.shut_down(spec.id, within=0.2)
    assert machines.state(spec.id) == "running"


def test_what_is_not_running_cannot_be_driven(machines: QemuMachines) -> None:
    for call in (machines.pause, machines.resume, machines.reset, machines.inject_nmi):
        with pytest.raises(MachineError, match="is not running"):
            call(uuid4())


@pytest.mark.parametrize("paused", [False, True], ids=["running", "paused"])
def test_a_saved_machine_is_off_and_runs_again_when_resumed(
    machines: QemuMachines, spec: MachineSpec, tmp_path: Path, *, paused: bool
) -> None:
    machines.start(spec)
    if paused:
        machines.pause(spec.id)
    machines.save(spec.id, tmp_path / "state")
    assert machines.state(spec.id) == "off"
    machines.start(spec, tmp_path / "state")
    assert machines.state(spec.id) == "running"


def test_a_save_that_fails_leaves_the_machine_running(
    machines: QemuMachines, spec: MachineSpec, tmp_path: Path
) -> None:
    machines.start(spec)
    with pytest.raises(MachineError, match="the state could not be written"):
        machines.save(spec.id, tmp_path / "missing" / "state")
    assert machines.state(spec.id) == "running"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_said_so(machines: QemuMachines, spec: MachineSpec, tmp_path: Path) -> None:
    machines.start(spec)
    (tmp_path / "state.part").symlink_to("/dev/full")
    with pytest.raises(MachineError, match="is the disk full"):
        machines.save(spec.id, tmp_path / "state")
    assert machines.state(spec.id) == "running"
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("paused", [False, True], ids=["running", "paused"])
def test_a_checkpoint_switches_the_disk_and_the_machine_goes_on(
    machines: QemuMachines, spec: MachineSpec, tmp_path: Path, *, paused: bool
) -> None:
    disk, overlay, state = spec.disks[0].path, tmp_path / "o.avhdx", tmp_path / "state"
    machines.start(spec)
    if paused:
        machines.pause(spec.id)
    machines.checkpoint(spec.id, state, ((disk, overlay),))
    assert machines.state(spec.id) == ("paused" if paused else "running")
    assert Disks().info(overlay).parent == disk
    assert state.stat().st_size > 0


def test_a_checkpoint_can_be_gone_back_to(
    machines: QemuMachines, spec: MachineSpec, tmp_path: Path
) -> None:
    disk, state = spec.disks[0], tmp_path / "state"
    machines.start(spec)
    machines.checkpoint(spec.id, state, ((disk.path, tmp_path / "o.avhdx"),))
    machines.kill(spec.id)
    again = Disks().create(tmp_path / "r.avhdx", kind="Differencing", parent=disk.path)
    machines.start(replace(spec, disks=(replace(disk, path=again.path),)), state)
    assert machines.state(spec.id) == "running"


def test_a_checkpoint_that_fails_takes_the_overlays_back(
    machines: QemuMachines, spec: MachineSpec, tmp_path: Path
) -> None:
    disk, overlay = spec.disks[0].path, tmp_path / "o.avhdx"
    machines.start(spec)
    with pytest.raises(MachineError, match="the state could not be written"):
        machines.checkpoint(spec.id, tmp_path / "missing" / "state", ((disk, overlay),))
    assert not overlay.exists()
    assert machines.state(spec.id) == "running"
    machines.checkpoint(spec.id, tmp_path / "state", ((disk, overlay),))
    assert Disks().info(overlay).parent == disk


def test_a_checkpoint_of_a_disk_that_the_machine_has_not_is_refused(
    machines: QemuMachines, spec: MachineSpec, tmp_path: Path
) -> None:
    machines.start(spec)
    with pytest.raises(MachineError, match="the machine has no such disk"):
        machines.checkpoint(spec.id, tmp_path / "s", ((tmp_path / "x", tmp_path / "o.avhdx"),))
    assert machines.state(spec.id) == "running"


def test_disks_in_use_are_merged_from_the_middle_and_from_the_top(
    machines: QemuMachines, spec: MachineSpec, tmp_path: Path
) -> None:
    disk, first, second = spec.disks[0].path, tmp_path / "1.avhdx", tmp_path / "2.avhdx"
    machines.start(spec)
    machines.checkpoint(spec.id, tmp_path / "s1", ((disk, first),))
    machines.checkpoint(spec.id, tmp_path / "s2", ((first, second),))
    machines.merge(spec.id, first, disk)
    assert Disks().info(second).parent == disk
    machines.merge(spec.id, second, disk)
    machines.kill(spec.id)
    Disks().check(disk)
    assert Disks().info(disk).parent is None


def test_a_scsi_disk_is_plugged_in_checkpointed_and_pulled_out(
    machines: QemuMachines, spec: MachineSpec, tmp_path: Path
) -> None:
    machines.start(spec)
    disk, overlay = tmp_path / "d.vhdx", tmp_path / "o.avhdx"
    Disks().create(disk, 16 * MiB)
    place = DiskSpec(disk, "SCSI", 0, 3)
    machines.attach(spec.id, place)
    with pytest.raises(MachineError):
        machines.attach(spec.id, place)
    machines.checkpoint(spec.id, tmp_path / "state", ((disk, overlay),))
    machines.detach(spec.id, place)
    Disks().check(overlay)  # needs the file's lock
    Disks().commit(overlay)
    machines.attach(spec.id, place)
    machines.detach(spec.id, place)
    assert machines.state(spec.id) == "running"


def test_a_plug_without_its_controller_leaves_no_file_open(
    machines: QemuMachines, spec: MachineSpec, tmp_path: Path
) -> None:
    machines.start(spec)
    disk = Disks().create(tmp_path / "d.vhdx", 16 * MiB)
    with pytest.raises(MachineError):
        machines.attach(spec.id, DiskSpec(disk.path, "SCSI", 3, 0))
    Disks().check(disk.path)


def test_a_damaged_state_is_said_so(
    machines: QemuMachines, spec: MachineSpec, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.write_bytes(b"no state at all")
    with pytest.raises(
        MachineError, match=r"does not fit it or is damaged: .*load of migration failed"
    ):
        machines.start(spec, state)
    with pytest.raises(MachineError, match="the saved state cannot be read"):
        machines.start(spec, tmp_path / "missing")
    assert machines.state(spec.id) == "off"


def test_a_machine_that_dies_is_off_and_leaves_its_last_words(
    machines: QemuMachines, spec: MachineSpec, tmp_path: Path
) -> None:
    machines.start(spec)
    assert machines.last_words(spec.id) == ""
    pid = process(tmp_path, spec.id)
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid)
    assert machines.state(spec.id) == "off"
    assert "SIGKILL" in machines.last_words(spec.id)
    with pytest.raises(MachineError, match=r"is not running .*SIGKILL"):
        machines.pause(spec.id)
    machines.start(spec)
    assert machines.state(spec.id) == "running"


def test_two_machines_run_at_once_on_one_template(
    machines: QemuMachines, spec: MachineSpec, tmp_path: Path
) -> None:
    template = spec.disks[0].path
    template.chmod(0o444)
    children = [tmp_path / "a.avhdx", tmp_path / "b.avhdx"]
    for child in children:
        Disks().create(child, kind="Differencing", parent=template)
        machines.start(replace(spec, id=uuid4(), disks=(DiskSpec(child),)))
    with pytest.raises(MachineError, match="is in use by another machine"):
        machines.start(replace(spec, disks=(DiskSpec(children[0]),)))


def test_a_machine_is_not_started_twice(machines: QemuMachines, spec: MachineSpec) -> None:
    machines.start(spec)
    with pytest.raises(MachineError, match="is running already"):
        machines.start(spec)
    assert machines.state(spec.id) == "running"


def test_a_disk_that_is_missing_is_named(machines: QemuMachines, spec: MachineSpec) -> None:
    missing = replace(spec, disks=(DiskSpec(Path("/nowhere/a.vhdx")),))
    with pytest.raises(MachineError, match=r"the disk /nowhere/a\.vhdx cannot be opened: No such"):
        machines.start(missing)


def test_memory_that_the_computer_has_not_is_refused(
    machines: QemuMachines, spec: MachineSpec
) -> None:
    with pytest.raises(MachineError, match="has not the memory to start it"):
        machines.start(replace(spec, memory=1 << 46))


def test_a_port_that_is_taken_is_named(machines: QemuMachines, spec: MachineSpec) -> None:
    with socket.socket() as other:
        try:
            other.bind(("127.87.250.9", 22))
        except PermissionError:
            pytest.skip("this user may not listen at port 22")
        other.listen()
        with pytest.raises(MachineError, match=r"port 22 of 127\.87\.250\.9 is taken"):
            machines.start(replace(spec, nics=(NicSpec("", "127.87.250.9"),)))
    assert machines.state(spec.id) == "off"


def test_an_adapter_without_a_switch_starts_with_its_link_down(
    machines: QemuMachines, spec: MachineSpec
) -> None:
    machines.start(replace(spec, nics=(NicSpec("52:54:00:00:00:01", None),)))
    assert machines.state(spec.id) == "running"


def test_a_missing_qemu_says_what_to_install(tmp_path: Path, spec: MachineSpec) -> None:
    machines = QemuMachines(tmp_path / "run", "tcg", "no-such-qemu")
    with pytest.raises(MachineError, match=r"no-such-qemu is missing; install .*qemu-system-x86"):
        machines.start(spec)
    machines.close()


def test_the_serial_log_is_kept_and_appended_to(
    machines: QemuMachines, spec: MachineSpec, tmp_path: Path
) -> None:
    log = tmp_path / "serial, 1.log"
    log.write_text("earlier\n")
    machines.start(replace(spec, log=log))
    machines.kill(spec.id)
    assert log.read_text().startswith("earlier\n")


def test_closing_ends_every_machine_and_leaves_no_pid_file(
    tmp_path: Path, spec: MachineSpec
) -> None:
    machines = QemuMachines(tmp_path / "run", "tcg")
    machines.start(spec)
    pid = process(tmp_path, spec.id)
    machines.close()
    assert gone(pid)
    assert not pid_file(tmp_path / "run", spec.id).exists()


ORPHAN = """
import os, signal, sys
from pathlib import Path
from uuid import uuid4
from harness.standin.machines import MachineSpec
from harness.standin.qemu import QemuMachines
QemuMachines(Path(sys.argv[1]), "tcg").start(MachineSpec(uuid4(), "a", 64 << 20, 1, 128 << 20))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_machine_ends_when_its_stand_in_is_killed(tmp_path: Path) -> None:
    argv = (sys.executable, "-c", ORPHAN, str(tmp_path))
    done = subprocess.run(argv, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    record = next(tmp_path.glob("*.pid"))
    wait_until_gone(int(record.read_text()))
    assert kill_leftovers(tmp_path) == ()
    assert not record.exists()


def await_arguments(pid: int) -> None:
    """Wait out the moment in which a new program has an empty command line."""
    arguments = Path(f"/proc/{pid}/cmdline")
    wait_for("its arguments", lambda: arguments.read_bytes() or None, SOON, every=OFTEN)


@pytest.fixture
def sleepers(tmp_path: Path) -> Iterator[dict[str, int]]:
    """Two processes: one says that it writes our pid file, one another's."""
    code = "import signal; signal.pause()"
    paths = {"ours": tmp_path / "a.pid", "other": Path("/elsewhere/b.pid")}
    started = {
        name: subprocess.Popen((sys.executable, "-c", code, "-pidfile", str(path)))
        for name, path in paths.items()
    }
    for child in started.values():
        await_arguments(child.pid)
    yield {name: child.pid for name, child in started.items()}
    for child in started.values():
        child.kill()
        child.wait()


def test_only_processes_that_write_our_pid_files_are_ended(
    tmp_path: Path, sleepers: dict[str, int]
) -> None:
    (tmp_path / "a.pid").write_text(f"{sleepers['ours']}\n")
    (tmp_path / "b.pid").write_text(f"{sleepers['other']}\n")
    (tmp_path / "c.pid").write_text("")
    assert kill_leftovers(tmp_path) == (sleepers["ours"],)
    assert gone(sleepers["ours"])
    assert not gone(sleepers["other"])
    assert list(tmp_path.glob("*.pid")) == []


def test_without_processor_support_machines_are_translated() -> None:
    flags = set(Path("/proc/cpuinfo").read_text().split())
    if not {"vmx", "svm"} & flags:
        assert choose_accelerator() == "tcg"
    assert choose_accelerator("no-such-qemu") == "tcg"
