"""The bodies behind the contract's own parameter binding."""

import pytest

from harness.standin.api import Given, Terminated
from harness.standin.binder import bind_arguments, bind_record, complete
from harness.standin.cmdlets import HYPERV_CMDLETS
from harness.standin.contract import contract_of
from harness.standin.releases import RELEASES
from harness.standin.values import Value
from tests.standin.hyperv.bench import BODIES, Bench, Heard
from tests.standin.hyperv.conftest import MakeBench

NEWER = {"Get-VMVideo", "Set-VMVideo", "Wait-VM"}  # than 2012 R2
MIB = 1 << 20


def run(
    bench: Bench, cmdlet: str, *arguments: tuple[str | None, Value], piped: Value = None
) -> Heard:
    definition = contract_of(bench.host.release).find(cmdlet)
    assert definition
    bound = bind_arguments(definition, arguments, piped=piped is not None)
    given = complete(bound) if piped is None else bind_record(bound, piped)
    assert isinstance(given, Given)
    heard = Heard()
    for value in BODIES[cmdlet](bench.host, given, heard):
        heard.output(value)
    return heard


@pytest.mark.parametrize("release", RELEASES)
def test_every_cmdlet_is_one_that_the_release_has(release: str) -> None:
    contract = contract_of(RELEASES[release])
    missing = {c.name for c in HYPERV_CMDLETS if contract.find(c.name) is None}
    assert missing == (NEWER if release == "2012r2" else set())


def test_no_cmdlet_is_listed_twice() -> None:
    names = [c.name for c in HYPERV_CMDLETS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("release", RELEASES)
def test_a_vm_lives_its_life_by_names_positions_and_pipes(
    make_bench: MakeBench, release: str
) -> None:
    bench = make_bench(release)
    run(bench, "New-VHD", (None, "C:\\t\\base.vhdx"), ("SizeBytes", 8 * MIB), ("Dynamic", True))
    run(bench, "New-VHD", ("Path", "C:\\v\\a.vhdx"), ("ParentPath", "C:\\t\\base.vhdx"),
        ("Differencing", True))  # fmt: skip
    vm = run(bench, "New-VM", (None, "o'neil%"), (None, 512 * MIB), ("NoVHD", True),
             ("Generation", 1)).one  # fmt: skip
    run(
        bench,
        "Add-VMHardDiskDrive",
        ("ControllerType", "SCSI"),
        ("Path", "C:\\v\\a.vhdx"),
        piped=vm,
    )
    run(bench, "Set-VM", ("Notes", "mine"), ("ProcessorCount", 2), piped=vm)
    run(bench, "Start-VM", piped=vm)
    nmi = (("InjectNonMaskableInterrupt", True), ("Force", True))
    assert not run(bench, "Debug-VM", (None, "o'neil%"), *nmi).errors
    run(bench, "Stop-VM", ("TurnOff", True), ("Force", True), piped=vm)
    assert len(bench.machines.nmis) == 1
    run(bench, "Checkpoint-VM", ("SnapshotName", "s"), piped=vm)
    snapshot = run(bench, "Get-VMSnapshot", ("VMName", "o'neil%")).one
    assert not run(bench, "Restore-VMSnapshot", piped=snapshot).errors
    assert not run(bench, "Remove-VMSnapshot", piped=snapshot).errors
    disk = run(bench, "Get-VMHardDiskDrive", piped=vm).one
    shown = run(bench, "Get-VHD", piped=disk).one.properties
    assert (shown["Path"], shown["ParentPath"]) == ("C:\\v\\a.vhdx", "C:\\t\\base.vhdx")
    assert not run(bench, "Remove-VM", ("Force", True), piped=vm).errors


@pytest.mark.parametrize("release", RELEASES)
def test_a_private_switch_joins_vms_by_static_macs_on_every_release(
    make_bench: MakeBench, release: str
) -> None:
    bench = make_bench(release)
    bench.vm()
    run(bench, "New-VMSwitch", ("Name", "p"), ("SwitchType", "Private"), ("Notes", "hvcert run=x"))
    run(bench, "Add-VMNetworkAdapter", ("VMName", "a"), ("SwitchName", "p"),
        ("Name", "second"), ("StaticMacAddress", "525400990002"))  # fmt: skip
    bench.do("Start-VM")
    nic = next(iter(bench.machines.specs.values())).nics[-1]
    switch = run(bench, "Get-VMSwitch", ("SwitchType", "Private")).one
    assert (nic.mac, nic.address) == ("52:54:00:99:00:02", None)
    assert nic.network == switch.properties["Id"]
    remove = ("Remove-VMSwitch", ("Name", "p"), ("Force", True))
    assert run(bench, *remove).fqid.startswith("ObjectInUse,")
    bench.do("Stop-VM", TurnOff=True)
    assert not run(bench, *remove).errors


def test_4096_mib_do_not_fit_the_parameter_and_3586_are_refused_by_the_host(bench: Bench) -> None:
    bench.vm()
    with pytest.raises(Terminated) as caught:
        run(bench, "Set-VM", ("Name", "a"), ("LowMemoryMappedIoSpace", 4096 * MIB))
    assert "ParameterBindingException" in " ".join(caught.value.record.exception_types)
    heard = run(bench, "Set-VM", ("Name", "a"), ("LowMemoryMappedIoSpace", 3586 * MIB))
    assert heard.fqid == "InvalidParameter,Microsoft.HyperV.PowerShell.Commands.SetVM"


def test_a_management_service_is_piped_to_its_method(make_bench: MakeBench) -> None:
    bench = make_bench("2012r2")
    bench.vm()
    service = run(
        bench, "Get-CimInstance", ("Namespace", "root\\virtualization\\v2"),
        ("ClassName", "Msvm_VirtualSystemManagementService"),
    ).one  # fmt: skip
    result = run(
        bench, "Invoke-CimMethod", ("MethodName", "ModifySystemSettings"),
        ("Arguments", {"SystemSettings": "nonsense"}), piped=service,
    ).one  # fmt: skip
    assert result.properties["ReturnValue"] == 32773
