"""Parameter binding, call by call."""

import pytest

from harness.standin.api import CommandCall, Terminated
from harness.standin.values import EnumValue, Record, UInt32, Value
from tests.standin.engine.conftest import MakeConsole
from tests.standin.engine.recorder import Console, call, virtual_machine

BINDING = "System.Management.Automation.ParameterBindingException"


def refused(console: Console, command: CommandCall) -> str:
    with pytest.raises(Terminated) as caught:
        console.run((command,))
    assert BINDING in caught.value.record.exception_types
    return caught.value.record.fqid.partition(",")[0]


def bound(console: Console, command: CommandCall) -> dict[str, Value]:
    console.run((command,))
    return dict(console.calls[-1].values)


def test_a_name_is_taken_in_any_case(console: Console) -> None:
    assert bound(console, call("set-vm", NAME="a")) == {"Name": ["a"]}


def test_an_unambiguous_prefix_is_enough(console: Console) -> None:
    assert bound(console, call("Set-VM", "a", LowM=1 << 30))["LowMemoryMappedIoSpace"] == 1 << 30


def test_an_ambiguous_prefix_names_what_it_may_mean(console: Console) -> None:
    with pytest.raises(Terminated, match="-MemoryStartupBytes") as caught:
        console.run((call("Set-VM", "a", Mem=1),))
    assert caught.value.record.fqid.startswith("AmbiguousParameter,")


def test_a_declared_parameter_wins_over_a_common_one(console: Console) -> None:
    assert bound(console, call("Wait-VM", "a", D=5))["Delay"] == 5  # and not -Debug


def test_an_alias_is_a_name(console: Console) -> None:
    assert bound(console, call("Set-VM", VMName="a")) == {"Name": ["a"]}


def test_a_position_is_taken_by_the_default_set(console: Console) -> None:
    assert bound(console, call("Set-VM", "a")) == {"Name": ["a"]}


def test_an_object_at_a_position_goes_to_the_set_whose_type_it_is(console: Console) -> None:
    vm = virtual_machine("a")
    assert bound(console, call("Set-VM", vm)) == {"VM": [vm]}


def test_one_value_becomes_an_array_where_an_array_is_wanted(console: Console) -> None:
    assert bound(console, call("Get-VM", Name="a")) == {"Name": ["a"]}


def test_a_missing_mandatory_parameter_is_named(console: Console) -> None:
    with pytest.raises(Terminated, match="missing mandatory parameters: Name"):
        console.run((call("Set-VM", Notes="x"),))


def test_an_argument_too_many_is_refused(console: Console) -> None:
    assert refused(console, call("Set-VM", "a", "b")) == "PositionalParameterNotFound"


def test_a_parameter_given_twice_is_refused(console: Console) -> None:
    twice = CommandCall("Set-VM", arguments=(("Name", "a"), ("VMName", "b")))
    assert refused(console, twice) == "ParameterAlreadyBound"


def test_parameters_of_two_sets_do_not_go_together(console: Console) -> None:
    both = call("Set-VM", VM=virtual_machine("a"), Name="a")
    assert refused(console, both) == "AmbiguousParameterSet"


def test_a_parameter_that_the_release_lacks_is_unknown(make_console: MakeConsole) -> None:
    gap = call("Set-VM", "a", LowMemoryMappedIoSpace=1 << 30)
    assert refused(make_console("2012r2"), gap) == "NamedParameterNotFound"


@pytest.mark.parametrize("value", [1 << 32, -1, "4GB", "x", 1e20])
def test_a_uint32_keeps_to_its_range(console: Console, value: Value) -> None:
    with pytest.raises(Terminated) as caught:
        console.run((call("Set-VM", "a", LowMemoryMappedIoSpace=value),))
    assert caught.value.record.fqid == (
        "CannotConvertArgumentNoMessage,Microsoft.HyperV.PowerShell.Commands.SetVM"
    )


@pytest.mark.parametrize("value", [3 << 30, "3GB", "3221225472", "0xC0000000", 3221225472.0])
def test_a_number_is_taken_in_every_form_of_powershell(console: Console, value: Value) -> None:
    found = bound(console, call("Set-VM", "a", LowMemoryMappedIoSpace=value))
    assert found["LowMemoryMappedIoSpace"] == 3 << 30
    assert isinstance(found["LowMemoryMappedIoSpace"], UInt32)


@pytest.mark.parametrize("value", ["TurnOff", "turnoff", "Tur", 2, "2"])
def test_an_enum_is_taken_by_name_prefix_and_number(console: Console, value: Value) -> None:
    expected = EnumValue("Microsoft.HyperV.PowerShell.StopAction", "TurnOff", 2)
    found = bound(console, call("Set-VM", "a", AutomaticStopAction=value))
    assert found["AutomaticStopAction"] == expected


@pytest.mark.parametrize("value", ["Explode", "S", 99, ""])
def test_no_other_enum_value_is_taken(console: Console, value: Value) -> None:
    stop = call("Set-VM", "a", AutomaticStopAction=value)
    assert refused(console, stop) == "CannotConvertArgumentNoMessage"


def test_a_boolean_does_not_take_text(console: Console) -> None:
    dynamic = call("Set-VMMemory", "a", DynamicMemoryEnabled="true")
    assert refused(console, dynamic) == "CannotConvertArgument"


def test_a_list_is_no_single_string(console: Console) -> None:
    assert refused(console, call("Set-VM", "a", Notes=["x", "y"])) == "CannotConvertArgument"


def test_an_empty_mandatory_name_is_refused(console: Console) -> None:
    assert refused(console, call("Set-VM", "")) == (
        "ParameterArgumentValidationErrorEmptyStringNotAllowed"
    )


def test_null_for_a_mandatory_name_is_refused(console: Console) -> None:
    assert refused(console, call("Set-VM", Name=None)) == (
        "ParameterArgumentValidationErrorNullNotAllowed"
    )


def test_a_value_outside_its_range_is_refused(console: Console) -> None:
    delay = call("Wait-VM", "a", Delay=0)
    assert refused(console, delay) == "ParameterArgumentValidationError"


def test_a_switch_takes_an_explicit_value(console: Console) -> None:
    assert bound(console, call("Set-VM", "a", Passthru=False))["Passthru"] is False


def test_a_switch_without_value_is_on(console: Console) -> None:
    assert bound(console, call("Set-VM", "a", Passthru=None))["Passthru"] is True


def test_a_copy_of_an_object_is_not_the_object(console: Console) -> None:
    copy = call("Set-VM", VM=virtual_machine("a", live=False))
    assert refused(console, copy) == "CannotConvertArgumentNoMessage"


def test_a_copy_from_the_pipeline_is_refused_and_does_not_become_a_name(console: Console) -> None:
    streams = console.run((call("Start-VM"),), feed=(virtual_machine("a", live=False),))
    (record,) = streams.errors
    assert record.fqid == "InputObjectNotBound,Microsoft.HyperV.PowerShell.Commands.StartVM"
    assert not console.calls


def test_a_copy_of_a_cim_instance_is_refused(console: Console) -> None:
    copy = Record(("Microsoft.Management.Infrastructure.CimInstance#root/x/Msvm_Y",), {})
    method = call("Invoke-CimMethod", InputObject=copy, MethodName="M")
    assert refused(console, method) == "CannotConvertArgumentNoMessage"


def test_a_record_of_the_pipeline_is_bound_by_value(console: Console) -> None:
    console.run((call("Get-VM", "a"), call("Start-VM")))
    assert console.calls[-1].set_name == "VMObject"
    assert isinstance(console.calls[-1]["VM"], list)


def test_each_record_of_the_pipeline_is_a_call_of_its_own(console: Console) -> None:
    console.run((call("Get-VM"), call("Start-VM")))
    assert [g.cmdlet for g in console.calls] == ["Get-VM", "Start-VM", "Start-VM"]


def test_a_record_is_bound_by_its_properties(console: Console) -> None:
    wanted = Record(("System.Object",), {"ClassName": "Win32_OperatingSystem"})
    console.run((call("Get-CimInstance"),), feed=(wanted,))
    assert console.calls[-1].values == {"ClassName": "Win32_OperatingSystem"}


def test_text_from_the_pipeline_becomes_a_name(console: Console) -> None:
    console.run((call("Start-VM"),), feed=("a", "b"))
    assert [g["Name"] for g in console.calls] == [["a"], ["b"]]


def test_2012_r2_takes_an_integration_service_before_its_vm(make_console: MakeConsole) -> None:
    found = bound(make_console("2012r2"), call("Enable-VMIntegrationService", "VSS", "a"))
    assert found == {"Name": ["VSS"], "VMName": ["a"]}
