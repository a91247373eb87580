"""WMI: queries, the MMIO gap of 2012 R2, jobs, and the host's own answers."""

from typing import cast

import pytest

from harness.standin.cim.wql import BadQuery, read, read_filter
from harness.standin.values import Record, UInt16, UInt32, UInt64, Value
from tests.standin.hyperv.bench import Bench, Heard
from tests.standin.hyperv.conftest import MakeBench

SPACE = "root\\virtualization\\v2"
CIM = "Microsoft.Management.Infrastructure.CimInstance"
GET = "Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand"
SERVICE = "SELECT * FROM Msvm_VirtualSystemManagementService"
REALIZED = "VirtualSystemType = 'Microsoft:Hyper-V:System:Realized'"


@pytest.fixture
def old(make_bench: MakeBench) -> Bench:
    return make_bench("2012r2")


def query(bench: Bench, text: str) -> Heard:
    return bench.call("Get-CimInstance", Query=text, Namespace=SPACE)


def settings(bench: Bench, name: str = "a") -> Record:
    where = f"ElementName = '{name}' AND {REALIZED}"
    return query(bench, f"SELECT * FROM Msvm_VirtualSystemSettingData WHERE {where}").one  # noqa: S608 - a test asks its own host


def embedded(
    instance: str, value: str, *, prop: str = "LowMmioGapSize", kind: str = "uint64"
) -> str:
    return (
        '<INSTANCE CLASSNAME="Msvm_VirtualSystemSettingData">'
        f'<PROPERTY NAME="InstanceID" TYPE="string"><VALUE>{instance}</VALUE></PROPERTY>'
        f'<PROPERTY NAME="{prop}" TYPE="{kind}"><VALUE>{value}</VALUE></PROPERTY></INSTANCE>'
    )


def modify(bench: Bench, text: str) -> Record:
    return bench.call(
        "Invoke-CimMethod", Query=SERVICE, Namespace=SPACE, MethodName="ModifySystemSettings",
        Arguments={"SystemSettings": text},
    ).one  # fmt: skip


def set_gap(bench: Bench, value: int | str, **more: str) -> Record:
    return modify(
        bench, embedded(str(settings(bench).properties["InstanceID"]), str(value), **more)
    )


def gap(bench: Bench) -> Value:
    return settings(bench).properties["LowMmioGapSize"]


def job_of(bench: Bench, result: Record) -> Record:
    key = cast(Record, result.properties["Job"]).properties["InstanceID"]
    return query(bench, f"SELECT * FROM Msvm_ConcreteJob WHERE InstanceID = '{key!s}'").one  # noqa: S608 - a test asks its own host


@pytest.mark.parametrize("mib", [128, 1024, 3456, 3584])
def test_a_valid_gap_is_set_at_once(old: Bench, mib: int) -> None:
    old.vm()
    assert gap(old) == 128
    result = set_gap(old, mib)
    assert result.properties["ReturnValue"] == UInt32(0)
    assert isinstance(result.properties["ReturnValue"], UInt32)
    assert result.properties["Job"] is None
    assert (gap(old), type(gap(old))) == (mib, UInt64)


@pytest.mark.parametrize("mib", [64, 126, 3586, 4096])
def test_an_invalid_gap_starts_a_job_that_fails_and_changes_nothing(old: Bench, mib: int) -> None:
    old.vm()
    set_gap(old, 1024)
    result = set_gap(old, mib)
    assert result.properties["ReturnValue"] == 4096
    job = job_of(old, result).properties
    assert (job["JobState"], job["ErrorCode"]) == (UInt16(10), UInt16(32773))
    assert job["ErrorDescription"]
    assert gap(old) == 1024


def test_a_gap_is_not_set_while_the_vm_runs(old: Bench) -> None:
    old.vm()
    old.do("Start-VM")
    job = job_of(old, set_gap(old, 1024)).properties
    assert (job["JobState"], job["ErrorCode"], gap(old)) == (10, 32775, 128)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<INSTANCE",
        "<CLASS/>",
        '<!DOCTYPE x [<!ENTITY e "x">]><INSTANCE CLASSNAME="Msvm_VirtualSystemSettingData"/>',
        embedded("Microsoft:nobody", "1024"),
    ],
)
def test_what_is_no_instance_of_a_vm_is_an_invalid_parameter(old: Bench, text: str) -> None:
    old.vm()
    assert modify(old, text).properties["ReturnValue"] == 32773


def test_a_gap_of_the_wrong_type_is_refused(old: Bench) -> None:
    old.vm()
    assert set_gap(old, "1024", kind="string").properties["ReturnValue"] == 32776
    assert job_of(old, set_gap(old, "many")).properties["ErrorCode"] == 32773
    assert gap(old) == 128


def test_checkpoints_are_found_too_and_carry_their_gap(old: Bench) -> None:
    old.vm()
    set_gap(old, 1024)
    old.do("Checkpoint-VM", SnapshotName="a")
    set_gap(old, 2048)
    text = "SELECT * FROM Msvm_VirtualSystemSettingData WHERE ElementName = 'a'"
    found = [cast(Record, r).properties for r in query(old, text).out]
    assert {(str(f["VirtualSystemType"]), f["LowMmioGapSize"]) for f in found} == {
        ("Microsoft:Hyper-V:System:Realized", 2048),
        ("Microsoft:Hyper-V:Snapshot:Realized", 1024),
    }
    old.call("Restore-VMSnapshot", VMName="a", Name="a")
    assert gap(old) == 1024


def test_a_vm_with_quote_percent_and_backslash_is_found_by_an_escaped_query(old: Bench) -> None:
    old.vm("o'neil%")
    assert settings(old, "o\\'neil%").properties["ElementName"] == "o'neil%"
    text = "SELECT Name FROM Msvm_ComputerSystem WHERE ElementName LIKE 'o\\'neil[%]'"
    assert len(query(old, text).out) == 1


@pytest.mark.parametrize(("release", "has"), [("2012r2", False), ("2016", True), ("2025", True)])
def test_the_high_gap_is_there_from_2016_on(
    make_bench: MakeBench, release: str, *, has: bool
) -> None:
    bench = make_bench(release)
    bench.vm()
    assert ("HighMmioGapSize" in settings(bench).properties) is has


def test_both_paths_show_the_same_gap(bench: Bench) -> None:
    bench.vm()
    set_gap(bench, 1024)
    assert bench.get()["LowMemoryMappedIoSpace"] == 1024 << 20


@pytest.mark.parametrize(
    "text",
    [
        "SELECT",
        "SELECT * FROM",
        "SELECT * FROM Msvm_ComputerSystem WHERE",
        "SELECT * FROM Msvm_ComputerSystem WHERE ElementName = 'o'neil%'",
        "SELECT * FROM Msvm_ComputerSystem WHERE Nonsense = 1",
        "SELECT Nonsense FROM Msvm_ComputerSystem",
        "DELETE FROM Msvm_ComputerSystem",
    ],
)
def test_a_bad_query_is_the_error_that_wmi_gives(bench: Bench, text: str) -> None:
    (error,) = query(bench, text).errors
    assert error.fqid == f"HRESULT 0x80041017,{GET}"
    assert error.reason == "CimException"


def test_unknown_classes_and_namespaces_are_errors(bench: Bench) -> None:
    assert query(bench, "SELECT * FROM Nothing").fqid == f"HRESULT 0x80041010,{GET}"
    wrong = bench.call("Get-CimInstance", ClassName="Msvm_ComputerSystem")
    assert wrong.fqid == f"HRESULT 0x80041010,{GET}"
    nowhere = bench.call("Get-CimInstance", ClassName="Win32_BIOS", Namespace="root/none")
    assert nowhere.fqid == f"HRESULT 0x8004100e,{GET}"


def test_an_nmi_through_wmi_reaches_the_machine_or_ends_in_a_failed_job(bench: Bench) -> None:
    bench.vm()
    text = "SELECT * FROM Msvm_ComputerSystem WHERE ElementName = 'a'"

    def inject() -> Record:
        return bench.call(
            "Invoke-CimMethod", Query=text, Namespace=SPACE,
            MethodName="InjectNonMaskableInterrupt",
        ).one  # fmt: skip

    refused = inject()
    assert refused.properties["ReturnValue"] == 4096
    assert job_of(bench, refused).properties["JobState"] == 10
    bench.do("Start-VM")
    assert inject().properties["ReturnValue"] == 0
    assert len(bench.machines.nmis) == 1


def test_a_state_is_requested_through_an_instance_that_came_back_from_a_client(
    bench: Bench,
) -> None:
    bench.vm()
    system = query(bench, "SELECT * FROM Msvm_ComputerSystem WHERE ElementName = 'a'").one
    copy = Record(("Deserialized." + system.type_names[0],), system.properties)
    for state, number, then in (("Running", 2, 2), ("Off", 3, 3)):
        result = bench.call(
            "Invoke-CimMethod", InputObject=copy, MethodName="RequestStateChange",
            Arguments={"RequestedState": number},
        ).one  # fmt: skip
        assert job_of(bench, result).properties["JobState"] == 7
        assert bench.state() == state
        again = bench.call("Get-CimInstance", InputObject=copy).one
        assert again.properties["EnabledState"] == then


def test_unknown_methods_and_instances_are_errors(bench: Bench) -> None:
    bench.vm()
    heard = bench.call("Invoke-CimMethod", Query=SERVICE, Namespace=SPACE, MethodName="Nothing")
    assert heard.fqid.startswith("HRESULT 0x80041055,")
    system = query(bench, "SELECT * FROM Msvm_ComputerSystem WHERE ElementName = 'a'").one
    bench.do("Remove-VM", Force=True)
    assert bench.call("Get-CimInstance", InputObject=system).fqid.startswith("HRESULT 0x80041002,")


def test_the_key_value_exchange_tells_what_the_agent_tells(bench: Bench) -> None:
    bench.vm()
    text = "SELECT * FROM Msvm_KvpExchangeComponent"
    assert query(bench, text).one.properties["GuestIntrinsicExchangeItems"] == []
    bench.do("Start-VM")
    (item,) = cast(list[Value], query(bench, text).one.properties["GuestIntrinsicExchangeItems"])
    assert "<VALUE>Debian &lt;12&gt;</VALUE>" in str(item)


@pytest.mark.parametrize(("release", "version"), [("2012r2", "6.3.9600"), ("2022", "10.0.20348")])
def test_the_host_says_what_it_is(make_bench: MakeBench, release: str, version: str) -> None:
    bench = make_bench(release)
    bench.vm()
    bench.do("Start-VM")
    system = bench.call("Get-CimInstance", ClassName="Win32_OperatingSystem").one
    assert system.type_names[0] == f"{CIM}#root/cimv2/Win32_OperatingSystem"
    assert system.properties["Version"] == version
    total, free = (
        cast(int, system.properties[n]) for n in ("TotalVisibleMemorySize", "FreePhysicalMemory")
    )
    assert total - free == 512 << 10
    computer = bench.call("Get-CimInstance", ClassName="Win32_ComputerSystem").one.properties
    assert (computer["Manufacturer"], computer["Model"]) == ("hvcert", "hvcert stand-in")
    disk = bench.call("Get-CimInstance", ClassName="Win32_LogicalDisk", Filter="DeviceID = 'C:'")
    assert cast(int, disk.one.properties["FreeSpace"]) > 0
    assert bench.call("Get-CimInstance", ClassName="win32_bios").one.properties["SerialNumber"]


def test_only_the_properties_asked_for_have_values(bench: Bench) -> None:
    shown = bench.call("Get-CimInstance", Query="SELECT Caption FROM Win32_OperatingSystem").one
    assert {n for n, v in shown.properties.items() if v is not None} == {"Caption"}


def test_the_settings_of_a_vm_are_associated_with_it(bench: Bench) -> None:
    bench.vm("a")
    bench.vm("b")
    bench.do("Checkpoint-VM")
    system = query(bench, "SELECT * FROM Msvm_ComputerSystem WHERE ElementName = 'a'").one
    heard = bench.call(
        "Get-CimAssociatedInstance", InputObject=system,
        ResultClassName="Msvm_VirtualSystemSettingData",
    )  # fmt: skip
    assert len(heard.out) == 2


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("a = 1 AND b <> 'X'", True),
        ("a = 2 OR NOT (b = 'y')", False),
        ("A >= 1 and B like '_'", True),
        ("b LIKE '[a-x]%'", False),
        ("c IS NULL and a is not null", True),
        ("d = 'C:\\\\x'", True),
        ('d = "c:\\\\X"', True),
        ("a < 1", False),
    ],
)
def test_conditions(text: str, *, holds: bool) -> None:
    row: dict[str, Value] = {"a": 1, "b": "y", "c": None, "d": "C:\\x"}
    assert read_filter(text).where(row) is holds


@pytest.mark.parametrize("text", ["a =", "a = 'x", "(a = 1", "a = 1)", "a LIKE", "= 1", "a ; b"])
def test_text_that_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(BadQuery):
        read_filter(text)


def test_a_query_names_its_properties_and_class() -> None:
    found = read("select a, B from C where d = 1")
    assert (found.properties, found.class_name, found.used) == (("a", "B"), "C", ("d",))
