"""Requests: pipelines, preferences, prompts, batches."""

import pytest

from harness.standin.api import CommandCall, Terminated
from tests.standin.engine.recorder import Console, call


def failed(console: Console, *calls: CommandCall) -> Terminated:
    with pytest.raises(Terminated) as caught:
        console.run(calls)
    return caught.value


def test_an_unknown_command_gets_the_hosts_own_error_and_a_line_in_the_log(
    console: Console, caplog: pytest.LogCaptureFixture
) -> None:
    record = failed(console, call("Get-Nonsense")).record
    assert record.fqid == "CommandNotFoundException"
    assert record.category == "ObjectNotFound"
    assert record.exception_types[0] == "System.Management.Automation.CommandNotFoundException"
    assert "Get-Nonsense" in caplog.text


def test_a_cmdlet_without_body_says_that_the_stand_in_does_not_play_it(
    console: Console, caplog: pytest.LogCaptureFixture
) -> None:
    record = failed(console, call("Get-WBPolicy")).record
    assert record.fqid == "NotImplemented,HvcertStandIn"
    assert "Get-WBPolicy" in caplog.text


def test_a_cmdlet_without_body_is_still_bound_first(console: Console) -> None:
    record = failed(console, call("Get-WBPolicy", Nonsense=1)).record
    assert record.fqid.startswith("NamedParameterNotFound,")


def test_a_non_terminating_error_lets_the_cmdlet_go_on(console: Console) -> None:
    streams = console.run((call("Stop-VM", "a"),))
    assert streams.outputs == ["went on"]
    assert [(e.fqid, e.activity) for e in streams.errors] == [("Made,Up", "Stop-VM")]


def test_error_action_stop_makes_it_terminating_with_the_same_id(console: Console) -> None:
    assert failed(console, call("Stop-VM", "a", ErrorAction="Stop")).record.fqid == "Made,Up"


@pytest.mark.parametrize("preference", ["SilentlyContinue", "Ignore", 0])
def test_error_action_can_silence_it(console: Console, preference: str | int) -> None:
    streams = console.run((call("Stop-VM", "a", ErrorAction=preference),))
    assert (streams.errors, streams.outputs) == ([], ["went on"])


def test_verbose_and_debug_messages_come_only_when_asked_for(console: Console) -> None:
    quiet = console.run((call("Stop-VM", "a"),))
    assert (quiet.verboses, quiet.debugs, quiet.warnings) == ([], [], ["warned"])
    loud = console.run((call("Stop-VM", "a", Verbose=None, Debug=None, WarningAction="Ignore"),))
    assert (loud.verboses, loud.debugs, loud.warnings) == (["told"], ["told more"], [])


def test_warning_action_stop_ends_the_pipeline(console: Console) -> None:
    record = failed(console, call("Stop-VM", "a", WarningAction="Stop")).record
    assert record.fqid == "ActionPreferenceStop"


def test_a_restore_ends_where_a_host_without_a_screen_would_ask(console: Console) -> None:
    record = failed(console, call("Restore-VMSnapshot", "s", "a")).record
    assert record.fqid == (
        "InvalidOperation,Microsoft.HyperV.PowerShell.Commands.RestoreVMSnapshot"
    )
    assert record.exception_types[0].endswith("PSInvalidOperationException")
    assert not console.calls


def test_a_restore_that_is_not_to_be_confirmed_runs(console: Console) -> None:
    console.run((call("Restore-VMSnapshot", "s", "a", Confirm=False),))
    assert console.calls[-1].values == {"Name": "s", "VMName": "a"}


def test_what_if_does_nothing(console: Console) -> None:
    console.run((call("Set-VM", "a", WhatIf=None),))
    assert not console.calls


def test_a_confirmation_that_was_asked_for_cannot_be_given(console: Console) -> None:
    assert failed(console, call("Set-VM", "a", Confirm=None)).record.category == "InvalidOperation"


def test_every_command_is_bound_before_the_first_one_runs(console: Console) -> None:
    failed(console, call("Get-VM"), call("Set-VM", Nonsense=1))
    assert not console.calls


def test_of_several_statements_a_failed_one_does_not_stop_the_next(console: Console) -> None:
    streams = console.run((call("Get-Nonsense"),), (call("Write-Output", "x"),))
    assert [e.fqid for e in streams.errors] == ["CommandNotFoundException"]
    assert streams.outputs == ["x"]


def test_a_hosts_name_can_be_asked(console: Console) -> None:
    assert console.run((call("hostname"),)).outputs == ["HV01"]


def test_pypsrps_execute_ps_gets_lines(console: Console) -> None:
    lines = console.run((call("Invoke-Expression", Command="hostname\nGet-VM a"),
                         call("Out-String", Stream=None)))  # fmt: skip
    assert lines.outputs[0] == "HV01"
    assert any(str(line).startswith("a ") for line in lines.outputs)


def test_a_script_that_does_not_parse_ends_the_pipeline(console: Console) -> None:
    record = failed(console, CommandCall("Get-VM |", is_script=True)).record
    assert record.category == "ParserError"
    assert record.exception_types[0] == "System.Management.Automation.ParseException"


def test_an_unknown_command_in_a_script_does_not_end_the_script(console: Console) -> None:
    streams = console.run((CommandCall("Get-Nonsense; hostname", is_script=True),))
    assert [e.fqid for e in streams.errors] == ["CommandNotFoundException"]
    assert streams.outputs == ["HV01"]


def test_error_action_stop_ends_a_script(console: Console) -> None:
    script = CommandCall("Stop-VM a -ErrorAction Stop; hostname", is_script=True)
    assert failed(console, script).record.fqid == "Made,Up"
