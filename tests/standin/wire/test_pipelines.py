"""Unmodified pypsrp over every transport: what a pipeline writes arrives as a real host's would."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from pypsrp.client import Client
from pypsrp.complex_objects import (
    CommandType,
    GenericComplexObject,
    PSCredential,
    PSInvocationState,
)
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.serializer import TaggedValue

from harness.standin.server import WinRM
from harness.standin.values import Credential, EnumValue, Record, UInt32
from tests.standin.wire.conftest import Connect
from tests.standin.wire.fake_engine import PASSWORD, VM, VM_STATE, FakeEngine

TRANSPORTS = (
    ("basic", {"ssl": True}),
    ("ntlm", {"ssl": False}),
    ("ntlm", {"ssl": True}),
    ("ntlm", {"ssl": True, "encryption": "always"}),
    ("negotiate", {"ssl": False}),
    ("negotiate", {"ssl": True}),
    ("credssp", {"ssl": False}),
    ("credssp", {"ssl": True}),
)


def invoke(pool: RunspacePool, name: str, **parameters: object) -> PowerShell:
    shell = PowerShell(pool)
    shell.add_cmdlet(name)
    for parameter, value in parameters.items():
        shell.add_parameter(parameter, value)
    shell.invoke()
    return shell


def first_output(shell: PowerShell) -> GenericComplexObject:
    found = shell.output[0]
    assert isinstance(found, GenericComplexObject)
    return found


@pytest.mark.parametrize(("auth", "options"), TRANSPORTS)
def test_a_vm_arrives_over_every_transport(
    connect: Connect, auth: str, options: dict[str, Any]
) -> None:
    with RunspacePool(connect(auth, **options)) as pool:
        vm = first_output(invoke(pool, "Get-VM", Name="certify-me"))
    assert vm.types[0] == VM
    assert str(vm) == "VirtualMachine (Name = 'certify-me')"


def test_properties_keep_their_net_types_at_depth_one(pool: RunspacePool) -> None:
    properties = first_output(invoke(pool, "Get-VM", Name="a")).adapted_properties
    assert properties["Name"] == "a"
    assert properties["Id"] == uuid.UUID(int=7)
    assert properties["MemoryAssigned"] == 2**33
    assert properties["Uptime"] == "P1DT2.5S"
    assert properties["CreationTime"] == "2026-11-22T10:00:00Z"
    assert properties["Notes"] is None
    assert properties["IsClustered"] is False
    assert properties["Sizes"] == [1, 2, 3, 2**63]
    assert properties["NetworkAdapters"] == ["nic 0", "nic 0"]
    assert properties["ParentCheckpoint"] == "a checkpoint"


def test_an_enum_arrives_with_name_number_and_type_chain(pool: RunspacePool) -> None:
    state = first_output(invoke(pool, "Get-VM")).adapted_properties["State"]
    assert str(state) == "Running"
    assert state.types == [VM_STATE, "System.Enum", "System.ValueType", "System.Object"]
    assert state.property_sets == [2]


def test_a_non_terminating_error_arrives_between_outputs(pool: RunspacePool) -> None:
    shell = invoke(pool, "Complain")
    assert shell.output == ["before", "after"]
    assert shell.state == PSInvocationState.COMPLETED
    assert not shell.had_errors
    record = shell.streams.error[0]
    assert record.fq_error == "InvalidParameter,Microsoft.HyperV.PowerShell.Commands.GetVM"
    assert record.category == 5
    assert record.reason == "VirtualizationException"
    assert record.target_name == "x"
    assert record.exception is not None
    assert record.exception.types[0].endswith("VirtualizationException")
    assert record.exception.adapted_properties["Message"] == str(record)
    assert record.invocation_name == "Get-VM"
    assert record.command_name == "Get-VM"
    assert "InvalidArgument: (x:String) [Get-VM]" in str(record.message)


def test_a_terminating_error_fails_the_pipeline_with_its_record(pool: RunspacePool) -> None:
    shell = invoke(pool, "Fail")
    assert shell.state == PSInvocationState.FAILED
    assert shell.had_errors
    assert shell.streams.error[0].target_name == "y"


def test_an_engine_that_breaks_fails_the_pipeline_and_tells_no_detail(pool: RunspacePool) -> None:
    shell = invoke(pool, "Crash")
    assert shell.state == PSInvocationState.FAILED
    assert shell.streams.error[0].fq_error == "StandInInternalError"
    assert "secret" not in str(shell.streams.error[0])
    assert invoke(pool, "Echo", Value=1).output == [1]


def test_every_stream_arrives(pool: RunspacePool) -> None:
    streams = invoke(pool, "All-Streams").streams
    assert [str(record) for record in streams.verbose] == ["v"]
    assert [record.message for record in streams.warning] == ["w"]
    assert [str(record) for record in streams.debug] == ["d"]
    progress = streams.progress[0]
    assert (progress.activity, progress.description) == ("Working", "half")
    assert progress.percent_complete == 50


def test_statements_pipelines_and_arguments_reach_the_engine(
    pool: RunspacePool, engine: FakeEngine
) -> None:
    shell = PowerShell(pool)
    shell.add_cmdlet("Echo").add_argument("positional").add_parameter("Value", 7)
    shell.add_statement().add_cmdlet("Get-VM").add_cmdlet("Echo").add_parameter("Force")
    shell.invoke()
    first, second = engine.asked[0].statements
    assert first[0].arguments == ((None, "positional"), ("Value", 7))
    assert [call.text for call in second] == ["Get-VM", "Echo"]
    assert second[1].arguments == (("Force", None),)
    assert shell.output[:2] == ["positional", 7]


def test_a_script_arrives_whole_with_its_parameters(pool: RunspacePool, engine: FakeEngine) -> None:
    text = "param($Name)\nGet-VM -Name $Name # ünï 😀"
    shell = PowerShell(pool)
    shell.add_script(text).add_parameter("Name", "a")
    shell.invoke()
    call = engine.asked[0].statements[0][0]
    assert (call.text, call.is_script, call.arguments) == (text, True, (("Name", "a"),))


def iter_input() -> Iterator[object]:
    yield "one"
    yield 2


def test_pipeline_input_waits_for_its_end(pool: RunspacePool, engine: FakeEngine) -> None:
    shell = PowerShell(pool)
    shell.add_cmdlet("Echo")
    assert shell.invoke(iter_input()) == ["one", 2]
    assert engine.asked[0].input == ("one", 2)


def test_a_returned_object_comes_back_without_what_was_behind_it(
    pool: RunspacePool, engine: FakeEngine
) -> None:
    vm = invoke(pool, "Get-VM", Name="a").output[0]
    invoke(pool, "Echo", VM=vm, Size=TaggedValue("U32", 5))
    arguments = dict(engine.asked[1].statements[0][0].arguments)
    returned = arguments["VM"]
    assert isinstance(returned, Record)
    assert returned.live is None
    assert returned.type_names[0] == VM
    assert returned.properties["State"] == EnumValue(VM_STATE, "Running", 2)
    assert returned.text == "VirtualMachine (Name = 'a')"
    assert isinstance(arguments["Size"], UInt32)


def test_a_credential_arrives_after_the_key_exchange(
    pool: RunspacePool, engine: FakeEngine
) -> None:
    pool.exchange_keys()
    password = "pä:ss 😀"  # noqa: S105 - made up for this test
    secret = PSCredential(username="HV01\\guest", password=password)  # type: ignore[no-untyped-call] # pypsrp leaves it untyped
    invoke(pool, "Get-VM", Credential=secret)
    arguments = dict(engine.asked[0].statements[0][0].arguments)
    assert arguments["Credential"] == Credential("HV01\\guest", password)
    assert password not in repr(engine.asked[0])


def test_large_values_travel_in_many_fragments_both_ways(pool: RunspacePool) -> None:
    text = "x_x0041_\r\n" * 20_000 + "z" * 1_000_000
    assert invoke(pool, "Echo", Value=text).output == [text]


def test_large_values_travel_sealed_by_credssp(connect: Connect) -> None:
    text = "y" * 600_000
    with RunspacePool(connect("credssp")) as pool:
        assert invoke(pool, "Echo", Value=text).output == [text]


def test_many_small_outputs_keep_their_order(pool: RunspacePool) -> None:
    assert invoke(pool, "Many", Count=3000).output == list(range(3000))


def test_a_short_command_needs_one_receive(pool: RunspacePool) -> None:
    shell = PowerShell(pool)
    shell.add_cmdlet("Get-VM")
    shell.begin_invoke()
    shell.poll_invoke()
    assert shell.state == PSInvocationState.COMPLETED


def test_a_null_output_is_an_output(pool: RunspacePool) -> None:
    assert invoke(pool, "Echo", A=None, B=1).output == [None, 1]


def test_objects_of_one_type_share_a_list_and_a_table_arrives(pool: RunspacePool) -> None:
    table = {"a": "1", "b": ["x", "y"]}
    assert invoke(pool, "Echo", Value=table).output == [table]


def test_a_client_learns_the_hosts_versions(pool: RunspacePool) -> None:
    assert pool.protocol_version == "2.3"
    data = pool.application_private_data
    assert data is not None
    assert data.data["PSVersionTable"]["PSVersion"] == "5.1.20348.1"


def test_runspaces_can_be_counted_and_changed(pool: RunspacePool) -> None:
    pool.max_runspaces = 5
    pool.min_runspaces = 2
    assert pool.get_available_runspaces() == 5
    pool.reset_runspace_state()


def test_command_metadata_of_an_unknown_name_is_an_empty_list(pool: RunspacePool) -> None:
    assert pool.get_command_metadata("No-Such", CommandType.ALL) == []


def test_a_shell_object_can_run_again_after_close(pool: RunspacePool) -> None:
    shell = invoke(pool, "Echo", Value=1)
    shell.close()
    shell.clear_streams()
    assert shell.invoke() == [1]


def test_an_unknown_custom_object_keeps_its_note_properties(
    pool: RunspacePool, engine: FakeEngine
) -> None:
    custom = GenericComplexObject()
    custom.types = ["System.Management.Automation.PSCustomObject", "System.Object"]
    custom.extended_properties = {"Name": "n", "With space": 2}
    back = invoke(pool, "Echo", Value=custom).output[0]
    assert back.extended_properties == {"Name": "n", "With space": 2}
    assert engine.asked


def test_execute_ps_and_execute_cmd_of_the_client_work(winrm: WinRM, engine: FakeEngine) -> None:
    port = winrm.ports["HV01"].http
    with Client(
        "127.0.0.1",
        username="Administrator",
        password=PASSWORD,
        auth="ntlm",
        ssl=False,
        port=port,
    ) as client:
        _, streams, failed = client.execute_ps("Get-VM")
        assert failed
        assert len(streams.error) == 1
        assert client.execute_cmd("hostname") == ("HV01\r\n", "", 0)
    commands = [call.text for call in engine.asked[0].statements[0]]
    assert commands == ["Invoke-Expression", "Out-String"]
