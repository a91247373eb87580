"""Selecting, filtering, measuring and showing objects; what a host tells of itself."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from harness.standin.conversion import timespan_text
from harness.standin.formatting import shown
from harness.standin.host import Host
from harness.standin.values import Record, Value
from harness.standin.world import Event
from tests.standin.engine.conftest import MakeConsole
from tests.standin.engine.recorder import Console, call


def names(outputs: list[Value]) -> list[Value]:
    return [v.properties["Name"] for v in outputs if isinstance(v, Record)]


def test_selected_objects_have_the_properties_asked_for(console: Console) -> None:
    found = console.run((call("Get-VM", "a"), call("Select-Object", ["name", "Missing"]))).outputs
    assert isinstance(found[0], Record)
    assert found[0].properties == {"Name": "a", "Missing": None}
    assert found[0].type_names[0] == "Selected.Microsoft.HyperV.PowerShell.VirtualMachine"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"First": 1}, ["a"]), ({"Last": 1}, ["d"]), ({"Skip": 2}, ["c", "d"]),
        ({"First": 1, "Last": 1}, ["a", "d"]), ({"Index": [1, 2]}, ["b", "c"]),
        ({"First": 0}, []), ({"Last": 0}, []), ({"First": 1, "Skip": 1}, ["b"]),
    ],
)  # fmt: skip
def test_some_objects_are_selected(
    console: Console, arguments: dict[str, Value], expected: list[str]
) -> None:
    letters = call("Write-Output", "a", "b", "c", "d")
    assert console.run((letters, call("Select-Object", **arguments))).outputs == expected


def test_a_property_that_cannot_be_expanded_is_an_error(console: Console) -> None:
    streams = console.run((call("Get-VM", "a"), call("Select-Object", ExpandProperty="None")))
    assert streams.errors[0].fqid.startswith("ExpandPropertyNotFound,")


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("Where-Object Name -EQ A", ["a"]), ("where Name -ne a", ["b"]),
        ("? State -eq Off", ["a", "b"]), ("? MemoryAssigned -gt 1GB", []),
        ("? MemoryAssigned -ge 1GB", ["a", "b"]), ("? Name -like '[a]*'", ["a"]),
        ("? Name -in b,c", ["b"]), ("? Missing", []), ("? Name", ["a", "b"]),
    ],
)  # fmt: skip
def test_objects_are_filtered_by_one_property(
    console: Console, where: str, expected: list[str]
) -> None:
    shown_names = console.show(f"Get-VM | {where} | ForEach-Object Name").splitlines()
    assert shown_names == expected


def test_objects_are_sorted_by_a_property(console: Console) -> None:
    found = console.run((call("Get-VM"), call("Sort-Object", "Name", Descending=None))).outputs
    assert names(found) == ["b", "a"]


def test_numbers_are_measured(console: Console) -> None:
    (found,) = console.run(
        (call("Write-Output", 1, 2, 6), call("Measure-Object", Sum=None, Average=None))
    ).outputs
    assert isinstance(found, Record)
    assert [found.properties[k] for k in ("Count", "Sum", "Average")] == [3, 9.0, 3.0]


def test_out_null_swallows_everything(console: Console) -> None:
    assert console.run((call("Get-VM"), call("Out-Null"))).outputs == []


@pytest.mark.parametrize(("release", "last"), [("2012r2", "Status"), ("2016", "Version")])
def test_get_vm_is_shown_as_the_table_of_its_release(
    make_console: MakeConsole, release: str, last: str
) -> None:
    lines = make_console(release).show("Get-VM a").splitlines()
    assert lines[1].split()[:4] == ["Name", "State", "CPUUsage(%)", "MemoryAssigned(M)"]
    assert lines[1].split()[-1] == last
    assert lines[3].split() == ["a", "Off", "1024"]


def test_an_object_with_many_properties_is_a_list(console: Console) -> None:
    record = Record(("Made.Up",), {f"P{n}": n for n in range(5)})
    lines = console.run((call("Out-String", Stream=None),), feed=(record,)).outputs
    assert lines[1:3] == ["P0 : 0", "P1 : 1"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (timedelta(days=1, hours=2, seconds=3, microseconds=500000), "1.02:00:03.5000000"),
        (timedelta(0), "00:00:00"),
        (timedelta(seconds=-61), "-00:01:01"),
    ],
)
def test_time_spans_look_like_those_of_dotnet(value: timedelta, expected: str) -> None:
    assert timespan_text(value) == expected


def test_values_in_a_table_look_like_on_a_console() -> None:
    assert shown(["a", 1]) == "{a, 1}"
    assert shown(datetime(2026, 1, 2, 15, 4, 5, tzinfo=UTC)) == "1/2/2026 3:04:05 PM"
    assert shown(UUID(int=1)) == "00000000-0000-0000-0000-000000000001"
    assert shown(None) == ""


# --- the host itself -----------------------------------------------------------------------------


def test_get_command_tells_what_the_release_has(make_console: MakeConsole) -> None:
    (new,) = make_console("2016").run((call("Get-Command", "Set-VM"),)).outputs
    (old,) = make_console("2012r2").run((call("Get-Command", "Set-VM"),)).outputs
    gap = [
        "LowMemoryMappedIoSpace" in v.properties["Parameters"]
        for v in (new, old)
        if isinstance(v, Record) and isinstance(v.properties["Parameters"], dict)
    ]
    assert gap == [True, False]


def test_get_command_of_an_unknown_name_is_an_error(console: Console) -> None:
    (record,) = console.run((call("Get-Command", "Get-Nonsense"),)).errors
    assert record.fqid == (
        "CommandNotFoundException,Microsoft.PowerShell.Commands.GetCommandCommand"
    )


def test_the_hyper_v_module_has_the_version_of_its_release(make_console: MakeConsole) -> None:
    found = [
        make_console(release).run((call("Get-Module", "Hyper-V", ListAvailable=None),)).outputs[0]
        for release in ("2012r2", "2022")
    ]
    assert [m.properties["Version"] for m in found if isinstance(m, Record)] == ["1.1", "2.0.0.0"]


def test_services_and_drives_are_listed(console: Console) -> None:
    assert names(console.run((call("Get-Service", "vmms"),)).outputs) == ["vmms"]
    assert names(console.run((call("Get-PSDrive", "C"),)).outputs) == ["C"]
    (record,) = console.run((call("Get-Service", "nope"),)).errors
    assert record.fqid.startswith("NoServiceFoundForGivenName,")


def log_two_events(host: Host) -> None:
    for number, level in ((18590, "Critical"), (18500, "Information")):
        host.record(number, f"event {number}", level=level)


def events(console: Console, **arguments: Value) -> list[Value]:
    outputs = console.run((call("Get-WinEvent", **arguments),)).outputs
    return [v.properties["Id"] for v in outputs if isinstance(v, Record)]


def test_events_come_newest_first(console: Console) -> None:
    log_two_events(console.host)
    log = "Microsoft-Windows-Hyper-V-Worker-Admin"
    assert events(console, LogName=log) == [18500, 18590]
    assert events(console, LogName=log, Oldest=None, MaxEvents=1) == [18590]
    assert events(console, FilterHashtable={"LogName": log, "ID": 18590}) == [18590]
    assert events(console, FilterHashtable={"LogName": log, "Level": [1, 2]}) == [18590]


def test_events_are_filtered_by_time(console: Console) -> None:
    log_two_events(console.host)
    later = console.host.world.events[-1].at + timedelta(seconds=1)
    assert isinstance(console.host.world.events[0], Event)
    table: dict[str, Value] = {"LogName": "*Worker*", "StartTime": later}
    assert events(console, FilterHashtable=table) == []
    assert console.streams.errors[0].fqid.startswith("NoMatchingEventsFound,")


def test_an_unknown_log_is_an_error(console: Console) -> None:
    assert events(console, LogName="Nonsense") == []
    assert console.streams.errors[0].fqid.startswith("NoMatchingLogsFound,")
