"""State changes: refused where Hyper-V refuses, undone where the machine fails."""

import threading

import pytest

from harness.standin.machines import GuestReport, MachineError
from harness.standin.notices import Notice
from harness.standin.values import EnumValue
from tests.standin.hyperv.bench import Bench, InMemoryMachines
from tests.standin.hyperv.conftest import MakeBench

COMMANDS = "Microsoft.HyperV.PowerShell.Commands."
STATES = {
    "Off": (),
    "Running": ("Start-VM",),
    "Paused": ("Start-VM", "Suspend-VM"),
    "Saved": ("Start-VM", "Save-VM"),
}


def bring(bench: Bench, state: str) -> None:
    bench.vm()
    for cmdlet in STATES[state]:
        bench.do(cmdlet)
    assert bench.state() == state


@pytest.mark.parametrize(
    ("state", "cmdlet", "then"),
    [
        ("Off", "Start-VM", "Running"),
        ("Saved", "Start-VM", "Running"),
        ("Paused", "Start-VM", "Running"),
        ("Running", "Stop-VM", "Off"),
        ("Running", "Save-VM", "Saved"),
        ("Paused", "Save-VM", "Saved"),
        ("Running", "Suspend-VM", "Paused"),
        ("Paused", "Resume-VM", "Running"),
    ],
)
def test_a_vm_changes_state(bench: Bench, state: str, cmdlet: str, then: str) -> None:
    bring(bench, state)
    bench.do(cmdlet)
    assert bench.state() == then


@pytest.mark.parametrize(
    ("state", "cmdlet"),
    [
        ("Off", "Save-VM"),
        ("Off", "Suspend-VM"),
        ("Off", "Resume-VM"),
        ("Saved", "Stop-VM"),
        ("Saved", "Suspend-VM"),
        ("Paused", "Stop-VM"),
    ],
)
def test_a_change_that_the_state_forbids_is_refused(bench: Bench, state: str, cmdlet: str) -> None:
    bring(bench, state)
    name = cmdlet.replace("-", "")
    assert bench.call(cmdlet, Name=["a"]).fqid == f"InvalidState,{COMMANDS}{name}"
    assert bench.state() == state


@pytest.mark.parametrize(("state", "cmdlet"), [("Running", "Start-VM"), ("Off", "Stop-VM")])
def test_the_state_that_is_there_already_is_a_warning(
    bench: Bench, state: str, cmdlet: str
) -> None:
    bring(bench, state)
    heard = bench.do(cmdlet)
    assert heard.warnings == ["The virtual machine is already in the specified state."]


@pytest.mark.parametrize("state", ["Off", "Paused", "Saved"])
def test_an_nmi_is_refused_unless_the_vm_runs(bench: Bench, state: str) -> None:
    bring(bench, state)
    heard = bench.call("Debug-VM", Name=["a"], InjectNonMaskableInterrupt=True, Force=True)
    (error,) = heard.errors
    assert error.fqid == f"InvalidState,{COMMANDS}DebugVM"
    assert error.category == "InvalidOperation"
    assert "Cannot inject a non-maskable interrupt into the virtual machine" in error.message
    assert (bench.machines.nmis, bench.state()) == ([], state)


def test_each_debug_vm_is_one_nmi(bench: Bench) -> None:
    bring(bench, "Running")
    for _ in range(2):
        bench.do("Debug-VM", InjectNonMaskableInterrupt=True, Force=True)
    assert bench.machines.nmis == [bench.get()["Id"]] * 2


def test_an_nmi_that_the_machine_refuses_is_an_error(bench: Bench) -> None:
    bring(bench, "Running")
    bench.machines.broken = "QMP: not now"
    heard = bench.call("Debug-VM", Name=["a"], InjectNonMaskableInterrupt=True, Force=True)
    assert heard.fqid == f"OperationFailed,{COMMANDS}DebugVM"


@pytest.mark.parametrize(
    ("state", "cmdlet"),
    [("Off", "Start-VM"), ("Saved", "Start-VM"), ("Running", "Save-VM"), ("Running", "Suspend-VM")],
)
def test_a_change_that_fails_leaves_the_state(bench: Bench, state: str, cmdlet: str) -> None:
    bring(bench, state)
    bench.machines.broken = "no such accelerator"
    heard = bench.call(cmdlet, Name=["a"])
    assert heard.fqid == f"OperationFailed,{COMMANDS}{cmdlet.replace('-', '')}"
    bench.machines.broken = ""
    assert bench.state() == state


def test_a_machine_that_died_shows_off(bench: Bench) -> None:
    bring(bench, "Running")
    bench.machines.states.clear()
    shown = bench.get()
    assert shown["State"] == EnumValue("Microsoft.HyperV.PowerShell.VMState", "Off", 3)
    assert (shown["MemoryAssigned"], shown["Heartbeat"]) == (0, None)
    assert bench.host.world.events[-1].id == 18508


def test_a_guest_that_does_not_shut_down_is_an_error_and_runs_on(bench: Bench) -> None:
    bring(bench, "Running")
    bench.machines.deaf, bench.host.shutdown_limit = True, 0.0
    assert bench.call("Stop-VM", Name=["a"]).fqid == f"OperationFailed,{COMMANDS}StopVM"
    assert bench.state() == "Running"
    bench.do("Stop-VM", TurnOff=True)
    assert bench.state() == "Off"


def test_a_saved_vm_resumes_from_its_file_once(bench: Bench) -> None:
    bring(bench, "Saved")
    bench.do("Start-VM")
    assert bench.machines.resumed == ["memory"]
    bench.do("Stop-VM")
    bench.do("Start-VM")
    assert bench.machines.resumed == ["memory"]
    assert list(bench.host.files.rglob("*.VMRS")) == []


def test_a_saved_state_can_be_thrown_away(bench: Bench) -> None:
    bring(bench, "Saved")
    assert not bench.call("Remove-VMSavedState", VMName=["a"]).errors
    assert bench.state() == "Off"


def test_the_machine_gets_gap_memory_processors_and_its_first_card(bench: Bench) -> None:
    bench.vm()
    bench.call("New-VMSwitch", Name="lab", SwitchType="Internal")
    bench.call("Connect-VMNetworkAdapter", VMName=["a"], SwitchName="lab")
    bench.do("Set-VM", LowMemoryMappedIoSpace=1 << 30, ProcessorCount=2)
    bench.do("Start-VM")
    (spec,) = bench.machines.specs.values()
    assert (spec.low_gap, spec.memory, spec.processors) == (1 << 30, 512 << 20, 2)
    assert (spec.nics[0].mac, spec.nics[0].address) == ("52:54:00:00:00:01", "127.87.0.2")
    assert spec.disks[0].path == bench.host.files / "C/VMs/a/a.vhdx"
    assert spec.disks[0].controller == "IDE"


def test_a_vm_does_not_start_without_memory_or_disk(bench: Bench) -> None:
    bench.vm("a")
    bench.vm("b")
    bench.host.memory = 600 << 20
    bench.do("Start-VM", "a")
    assert bench.call("Start-VM", Name=["b"]).fqid == f"OutOfMemory,{COMMANDS}StartVM"
    bench.do("Stop-VM", "a")
    bench.host.remove("C:\\VMs\\b\\b.vhdx")
    assert bench.call("Start-VM", Name=["b"]).fqid == f"OperationFailed,{COMMANDS}StartVM"


def test_two_vms_do_not_share_a_disk(bench: Bench) -> None:
    bench.vm("a")
    bench.call("New-VM", Name="b", VHDPath="c:\\vms\\A\\a.vhdx")
    bench.do("Start-VM", "a")
    assert bench.call("Start-VM", Name=["b"]).fqid == f"ObjectInUse,{COMMANDS}StartVM"


@pytest.mark.parametrize(
    ("heartbeat", "before", "shown"),
    [(True, False, "OkApplicationsUnknown"), (False, False, "NoContact"),
     (False, True, "LostCommunication")],
)  # fmt: skip
def test_the_heartbeat_is_what_the_agent_tells(
    bench: Bench, *, heartbeat: bool, before: bool, shown: str
) -> None:
    bring(bench, "Running")
    bench.machines.report = GuestReport(heartbeat=heartbeat)
    next(iter(bench.host.world.vms.values())).heard = before
    assert str(bench.get()["Heartbeat"]) == shown


def test_wait_vm_ends_when_the_guest_is_heard_and_not_before(make_bench: MakeBench) -> None:
    bench = make_bench("2019")
    bring(bench, "Running")
    bench.do("Wait-VM", For="Heartbeat", Timeout=5)
    bench.machines.report = GuestReport(heartbeat=False)
    heard = bench.call("Wait-VM", Name=["a"], For="Heartbeat", Timeout=0)
    assert heard.fqid == f"OperationFailed,{COMMANDS}WaitVM"


def test_a_vm_is_shown_while_another_client_changes_it(bench: Bench) -> None:
    bring(bench, "Running")
    entered, leave = threading.Event(), threading.Event()

    def save_slowly() -> None:
        (vm,) = bench.host.world.vms.values()
        with bench.host.exclusive(vm.id, lambda: None):
            vm.state = "Saving"
            entered.set()
            leave.wait(5)
            vm.state = "Running"

    client = threading.Thread(target=save_slowly)
    client.start()
    entered.wait(5)
    assert bench.state() == "Saving"
    leave.set()
    client.join()


def test_many_clients_start_and_stop_at_once(bench: Bench) -> None:
    bench.vm()

    def client() -> None:
        for cmdlet in ("Start-VM", "Stop-VM") * 5:
            bench.call(cmdlet, Name=["a"])

    clients = [threading.Thread(target=client) for _ in range(4)]
    for c in clients:
        c.start()
    for c in clients:
        c.join()
    assert bench.state() in ("Off", "Running")
    assert len(bench.machines.states) == (bench.state() == "Running")


def test_a_machine_that_ends_while_it_is_shown_shows_off(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(bench, "Running")

    def ends(_: object, __: object) -> int:
        bench.machines.states.clear()
        raise MachineError("QEMU ended")

    with monkeypatch.context() as patched:
        patched.setattr(InMemoryMachines, "assigned", ends)
        assert bench.state() == "Off"


def test_a_machine_that_lives_and_does_not_answer_is_an_error_of_get_vm(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(bench, "Running")

    def silent(_: object, __: object) -> int:
        raise MachineError("no answer")

    monkeypatch.setattr(InMemoryMachines, "assigned", silent)
    assert bench.call("Get-VM", Name=["a"]).fqid == f"OperationFailed,{COMMANDS}GetVM"


def test_a_guest_that_restarts_itself_runs_on_and_is_heard_anew(bench: Bench) -> None:
    bench.vm()
    bench.do("Start-VM")
    vm = next(iter(bench.host.world.vms.values()))
    assert bench.state() == "Running"
    bench.machines.report = GuestReport()
    assert heartbeat_shown(bench) == "LostCommunication"
    bench.machines.noticed[vm.id] = (Notice.CRASHED, Notice.RESET)
    assert bench.state() == "Running"
    assert heartbeat_shown(bench) == "NoContact"
    assert [e.id for e in bench.host.world.events][-2:] == [18590, 18514]
    assert vm.name in bench.host.world.events[-2].text


def heartbeat_shown(bench: Bench) -> str:
    shown = bench.get("a")["Heartbeat"]
    assert isinstance(shown, EnumValue)
    return shown.name
