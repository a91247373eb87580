"""Calls, answers, queries and embedded instances as text."""

from __future__ import annotations

from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest

from harness.host.command import Cmdlet, Credential, FixedScript, Pipeline, Value
from harness.host.embedded import setting_data
from harness.host.render import render_call, render_objects, scrubbed, secrets_in
from harness.host.session import HostObject
from harness.host.wql import equals, select, starts_with
from harness.secret import Secret
from harness.units import MiB

STATE = HostObject(("Microsoft.HyperV.PowerShell.VMState", "System.Enum"), {}, "Running", 2)


def test_a_call_reads_as_a_person_would_type_it() -> None:
    call = Cmdlet("Set-VM", {"Name": "o'neil", "StaticMemory": True, "MemoryStartupBytes": 1 * MiB})
    assert render_call(call) == (
        "Set-VM -Name 'o''neil' -StaticMemory:$true -MemoryStartupBytes 1048576"
    )


def test_pipelines_scripts_and_compound_values_have_a_text() -> None:
    both = Pipeline((Cmdlet("Get-VM", {"Name": ("a", "b")}), Cmdlet("Stop-VM", {"Confirm": False})))
    assert render_call(both) == "Get-VM -Name @('a', 'b') | Stop-VM -Confirm:$false"
    script = FixedScript("modify-system-settings", {"SettingData": "<I/>", "Wait": None})
    assert render_call(script) == r".\modify-system-settings.ps1 -SettingData '<I/>' -Wait $null"
    assert "FromSeconds(90)" in render_call(Cmdlet("X", {"For": timedelta(seconds=90)}))


def test_no_secret_gets_into_the_text_of_a_call_however_deep_it_is() -> None:
    deep: dict[str, Value] = {
        "a": ({"b": Secret("hunter2")},),
        "c": Credential("bob", Secret("hunter3")),
    }
    call = Cmdlet("Set-It", deep)
    assert "hunter" not in render_call(call)
    assert "hunter" not in repr(call)
    assert [s.reveal() for s in secrets_in(call)] == ["hunter2", "hunter3"]


def test_a_secret_that_the_host_echoes_is_masked() -> None:
    assert scrubbed("bad password hunter2", None, Secret("hunter2")) == "bad password ***"


def test_an_object_is_rendered_with_one_property_a_line_and_enums_with_their_number() -> None:
    vm = HostObject(("Vm",), {"Name": "x", "State": STATE, "Notes": "a\nb", "Ip": ("1", None)}, "x")
    assert render_objects((vm, 7, STATE)) == (
        "[Vm] x\nName  : x\nState : Running (2)\nNotes : a\n  | b\nIp    : {1, }\n7\nRunning (2)"
    )


def test_a_quote_a_backslash_and_a_wildcard_stay_part_of_the_value_in_wql() -> None:
    assert equals("ElementName", "o'neil%") == r"ElementName = 'o\'neil%'"
    assert equals("Path", "C:\\VMs") == r"Path = 'C:\\VMs'"
    assert starts_with("Name", "50%_[x]'") == r"Name LIKE '50[%][_][[]x]\'%'"


def test_a_query_joins_its_conditions() -> None:
    query = select("Msvm_ConcreteJob", equals("A", 1), equals("B", value=True))
    assert query == "SELECT * FROM Msvm_ConcreteJob WHERE A = 1 AND B = TRUE"
    assert select("Win32_Service") == "SELECT * FROM Win32_Service"


@pytest.mark.parametrize("name", ["A B", "x'", "", "1a", "a;b"])
def test_what_is_no_wmi_name_never_gets_into_a_query(name: str) -> None:
    with pytest.raises(ValueError, match="not a WMI name"):
        select(name)


def test_an_embedded_instance_holds_its_id_and_the_one_changed_property() -> None:
    text = setting_data("Msvm_X", 'Microsoft:<"&>', ("LowMmioGapSize", "uint64", 1024))
    found = {p.attrib["NAME"]: p for p in ET.fromstring(text)}  # noqa: S314  # our own text
    assert found["InstanceID"].findtext("VALUE") == 'Microsoft:<"&>'
    assert found["LowMmioGapSize"].attrib["TYPE"] == "uint64"
    assert found["LowMmioGapSize"].findtext("VALUE") == "1024"
    assert len(found) == 2
