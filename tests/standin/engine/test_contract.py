"""What exists on which release, against the evidence itself."""

import json
from typing import Any

import pytest

from harness.standin.binder import bind_arguments, complete
from harness.standin.contract import contract_of
from harness.standin.contract_source import data_text
from harness.standin.definition import Definition
from harness.standin.releases import RELEASES


def find(release: str, cmdlet: str) -> Definition:
    found = contract_of(RELEASES[release]).find(cmdlet)
    assert found is not None
    return found


def crosscheck(module: str, docset: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(data_text("crosscheck.json"))[f"vs_{module}"][docset]
    return found


@pytest.mark.parametrize(
    ("release", "module", "docset"),
    [("2016", "14393", "winserver2016-ps"), ("2019", "2020", "winserver2019-ps")],
)
def test_what_only_the_real_module_has_is_accepted(release: str, module: str, docset: str) -> None:
    facts = crosscheck(module, docset)
    assert all(contract_of(RELEASES[release]).find(n) for n in facts["cmdlets_only_in_module"])
    for cmdlet, differences in facts["parameters"].items():
        names = {p.name for p in find(release, cmdlet).parameters}
        assert set(differences.get("only_in_module", ())) <= names


@pytest.mark.parametrize(
    ("release", "module", "docset"),
    [("2016", "14393", "winserver2016-ps"), ("2019", "2020", "winserver2019-ps")],
)
def test_what_only_the_documentation_has_is_no_parameter(
    release: str, module: str, docset: str
) -> None:
    facts = crosscheck(module, docset)
    assert not any(contract_of(RELEASES[release]).find(n) for n in facts["cmdlets_only_documented"])
    for cmdlet, differences in facts["parameters"].items():
        names = {p.name for p in find(release, cmdlet).parameters}
        assert not set(differences.get("only_documented", ())) & names


def test_2012_r2_has_no_cmdlet_parameter_for_the_mmio_gap() -> None:
    assert "lowmemorymappediospace" not in find("2012r2", "Set-VM").spellings


@pytest.mark.parametrize("release", ["2016", "2019", "2022", "2025"])
def test_from_2016_on_the_mmio_gap_is_a_uint32(release: str) -> None:
    assert find(release, "Set-VM").spellings["lowmemorymappediospace"].type.name == "UInt32"


def test_debug_vm_exists_on_2012_r2() -> None:
    assert "injectnonmaskableinterrupt" in find("2012r2", "Debug-VM").spellings


def test_wait_vm_is_undocumented_and_exists_from_2016_on() -> None:
    found = {key: contract_of(r).find("Wait-VM") is not None for key, r in RELEASES.items()}
    assert found == {"2012r2": False, "2016": True, "2019": True, "2022": True, "2025": True}


def test_a_parameter_that_only_2025_documents_is_accepted_on_2025() -> None:
    assert "gueststateisolationtype" in find("2025", "New-VM").spellings
    assert "gueststateisolationtype" not in find("2022", "New-VM").spellings


def test_remote_parameters_came_with_2016() -> None:
    assert "cimsession" not in find("2012r2", "Get-VM").spellings
    assert "cimsession" in find("2016", "Get-VM").spellings


def test_the_information_stream_came_with_powershell_5() -> None:
    assert "informationaction" not in find("2012r2", "Get-VM").spellings
    assert "informationaction" in find("2016", "Get-VM").spellings


def test_four_cmdlets_ask_before_they_act() -> None:
    contract = contract_of(RELEASES["2019"])
    definitions = [contract.find(n) for n in contract.names()]
    asking = sorted(d.name for d in definitions if d and d.high_impact)
    assert asking == [
        "Complete-VMFailover", "Restore-VMSnapshot", "Start-VMFailover", "Update-VMVersion",
    ]  # fmt: skip


def test_the_2012_r2_release_also_asks_before_a_restore() -> None:
    assert find("2012r2", "Restore-VMSnapshot").high_impact


def test_a_cmdlet_is_found_by_its_module_and_by_its_alias() -> None:
    contract = contract_of(RELEASES["2019"])
    assert contract.find("hyper-v\\get-vm") == contract.find("Get-VM")
    assert contract.find("gcim") == contract.find("Get-CimInstance")
    assert contract.find("Storage\\Get-VM") is None


def test_cim_positions_are_those_of_the_real_module_where_documentation_counts_from_one() -> None:
    place = (
        find("2012r2", "Get-CimAssociatedInstance").spellings["inputobject"].place("ComputerSet")
    )
    assert place is not None
    assert place.position == 0


def test_enum_numbers_come_from_the_module() -> None:
    enum = find("2012r2", "Set-VM").spellings["automaticstopaction"].type.enum
    assert enum is not None
    assert dict(enum.members) == {"TurnOff": 2, "Save": 3, "ShutDown": 4}


@pytest.mark.parametrize(
    ("release", "cmdlet", "expected"),
    [
        ("2016", "Get-VM", "Microsoft.HyperV.PowerShell.Commands.GetVM"),
        ("2012r2", "Get-VM", "Microsoft.HyperV.PowerShell.Commands.GetVMCommand"),
        ("2022", "New-VHD", "Microsoft.Vhd.PowerShell.Cmdlets.NewVhd"),
        ("2019", "New-Item", "Microsoft.PowerShell.Commands.NewItemCommand"),
        ("2019", "Get-CimInstance",
         "Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand"),
    ],
)  # fmt: skip
def test_error_ids_name_the_class_that_the_release_has(
    release: str, cmdlet: str, expected: str
) -> None:
    assert find(release, cmdlet).type_name == expected


@pytest.mark.parametrize("release", RELEASES)
def test_a_default_set_that_no_parameter_names_exists_all_the_same(release: str) -> None:
    definition = find(release, "Test-VHD")
    bound = bind_arguments(definition, [("Path", "C:\\a.vhdx")], piped=False)
    assert complete(bound).set_name == "ExistingVHD"
