"""Disks that come and go while a VM runs."""

from harness.standin.values import Value
from tests.standin.hyperv.bench import Bench

COMMANDS = "Microsoft.HyperV.PowerShell.Commands."
DISK = "C:\\d\\x.vhdx"
AT: dict[str, Value] = {"VMName": ["a"], "ControllerType": "SCSI"}
WHERE: dict[str, Value] = {"VMName": ["a"], "ControllerType": "SCSI", "ControllerNumber": 0}


def running(bench: Bench) -> Bench:
    bench.vm()
    bench.call("New-VHD", Path=[DISK], SizeBytes=8 << 20)
    bench.do("Start-VM")
    return bench


def disks(bench: Bench) -> list[tuple[str, int, int]]:
    (spec,) = bench.machines.specs.values()
    return [(disk.controller, disk.number, disk.location) for disk in spec.disks]


def test_a_running_vm_gets_a_disk_on_its_scsi_controller_and_loses_it_again(bench: Bench) -> None:
    running(bench)
    drive = bench.call("Add-VMHardDiskDrive", AT, Path=DISK, Passthru=True).one.properties
    assert (drive["Path"], drive["ControllerNumber"], drive["ControllerLocation"]) == (DISK, 0, 0)
    assert ("SCSI", 0, 0) in disks(bench)
    gone = bench.call("Remove-VMHardDiskDrive", WHERE, ControllerLocation=0)
    assert not gone.errors
    assert ("SCSI", 0, 0) not in disks(bench)


def test_without_a_place_a_running_vm_takes_it_on_scsi(bench: Bench) -> None:
    running(bench)
    heard = bench.call("Add-VMHardDiskDrive", VMName=["a"], Path=DISK, Passthru=True)
    assert str(heard.one.properties["ControllerType"]) == "SCSI"


def test_ide_takes_no_disk_while_the_vm_runs(bench: Bench) -> None:
    running(bench)
    heard = bench.call("Add-VMHardDiskDrive", VMName=["a"], ControllerType="IDE", Path=DISK)
    assert heard.fqid == f"InvalidState,{COMMANDS}AddVMHardDiskDrive"
    boot: dict[str, Value] = {"ControllerType": "IDE", "ControllerNumber": 0}
    heard = bench.call("Remove-VMHardDiskDrive", boot, VMName=["a"], ControllerLocation=0)
    assert heard.fqid == f"InvalidState,{COMMANDS}RemoveVMHardDiskDrive"


def test_a_disk_of_another_running_vm_is_refused(bench: Bench) -> None:
    running(bench)
    bench.call("Add-VMHardDiskDrive", AT, Path=DISK)
    bench.vm("b")
    bench.do("Start-VM", "b")
    heard = bench.call("Add-VMHardDiskDrive", VMName=["b"], ControllerType="SCSI", Path=DISK)
    assert heard.fqid == f"ObjectInUse,{COMMANDS}AddVMHardDiskDrive"


def test_what_the_machine_refuses_is_not_in_the_configuration(bench: Bench) -> None:
    running(bench)
    bench.machines.broken = "no room"
    heard = bench.call("Add-VMHardDiskDrive", AT, Path=DISK)
    assert heard.fqid == f"OperationFailed,{COMMANDS}AddVMHardDiskDrive"
    assert len(bench.call("Get-VMHardDiskDrive", VMName=["a"]).out) == 1
