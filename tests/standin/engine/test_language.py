"""PowerShell text: what any client may send, and what only the project's own scripts may hold."""

from importlib.resources import files
from pathlib import Path

import pytest

from harness.standin.api import CommandCall, Terminated
from harness.standin.interpreter import Interpreter
from harness.standin.language import Parser, fixed_scripts, parse, script_hash
from harness.standin.values import Record, Value
from tests.standin.engine.conftest import MakeConsole
from tests.standin.engine.recorder import Console, Recorder

SCRIPTS = Path(str(files("harness.host.scripts")))


def script_text(name: str) -> str:
    return (SCRIPTS / f"{name}.ps1").read_text(encoding="utf-8")


def shown(console: Console, text: str) -> list[str]:
    return console.show(text).splitlines()


def run_fully(console: Console, text: str, **variables: Value) -> list[Value]:
    """Run text with the whole language, as if it were one of the project's scripts."""
    console.streams = Recorder()
    script = Parser(text, full=True).script()
    return list(Interpreter(console.engine, console.streams, dict(variables)).run(script))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Write-Output a 'b c' \"d e\"", ["a", "b c", "d e"]),
        ("Write-Output 'it''s' \"say \"\"yes\"\"\"", ["it's", 'say "yes"']),
        ('Write-Output "a`tb"', ["a\tb"]),
        ("Write-Output 4GB 0x10 1.5 -3", ["4294967296", "16", "1.5", "-3"]),
        ("Write-Output $true $false", ["True", "False"]),
        ("Write-Output 1.2.3.4 C:\\VMs\\a.vhdx", ["1.2.3.4", "C:\\VMs\\a.vhdx"]),
        ("Write-Output a,b, c", ["a", "b", "c"]),
        ("Write-Output `\n  a", ["a"]),
        ("Write-Output a # and not b\n# nor this\n<# nor\nthis #> Write-Output c", ["a", "c"]),
        ("Write-Output a; Write-Output b\r\nWrite-Output c", ["a", "b", "c"]),
        ("'text'; 5", ["text", "5"]),
        ("hostname\nexit $LASTEXITCODE", ["HV01"]),
        ("Write-Output a | Write-Output |\n Write-Output", ["a"]),
        ("write-output -InputObject:a", ["a"]),
        ("", []),
    ],
)  # fmt: skip
def test_commands_with_literal_arguments_run(
    console: Console, text: str, expected: list[str]
) -> None:
    assert shown(console, text) == expected


def test_a_switch_does_not_swallow_the_next_argument(console: Console) -> None:
    console.show("Set-VM -Passthru a")
    assert console.calls[-1].values == {"Passthru": True, "Name": ["a"]}


def test_a_switch_may_be_turned_off(console: Console) -> None:
    console.show("Restore-VMSnapshot s a -Confirm:$false")
    assert console.calls[-1].values == {"Name": "s", "VMName": "a"}


def test_a_parameter_without_its_argument_is_an_error(console: Console) -> None:
    assert console.refusal("Set-VM -Name").fqid.startswith("MissingArgument,")


@pytest.mark.parametrize(
    "text",
    [
        "$x = 1", "Write-Output $env:PATH", "Get-VM | ForEach-Object { $_.Name }", "(Get-VM).Name",
        "Write-Output \"$x\"", "if ($true) { hostname }", "[Environment]::Exit(1)", "& hostname",
        "Get-VM > C:\\x", "@{a=1}", "function f { }", "Get-VM && hostname", "Write-Output @(1)",
        "param($x)", "throw 'x'", "{", ")", "Get-VM ||  hostname",
    ],
)  # fmt: skip
def test_more_of_the_language_is_a_parse_error_for_foreign_text(
    console: Console, text: str
) -> None:
    assert console.refusal(text).category == "ParserError"


def test_an_open_string_says_which_quote_is_missing() -> None:
    with pytest.raises(Terminated, match="missing the terminator: '"):
        parse("Write-Output 'a")


@pytest.mark.parametrize("word", ["if", "foreach", "function", "try"])
def test_a_keyword_is_never_run_as_a_command_with_a_block(console: Console, word: str) -> None:
    assert console.refusal(f"{word} (1) {{ hostname }}").category == "ParserError"


# --- the project's own scripts -------------------------------------------------------------------


def test_the_hashes_of_the_fixed_scripts_are_those_of_the_files() -> None:
    assert fixed_scripts() == {
        script_hash(path.read_text(encoding="utf-8")) for path in SCRIPTS.glob("*.ps1")
    }


def test_line_ends_do_not_change_a_hash() -> None:
    assert script_hash("a\r\nb") == script_hash("a\nb")


def test_one_changed_character_makes_it_a_foreign_text() -> None:
    with pytest.raises(Terminated):
        parse(script_text("modify-system-settings") + " ")


def modify(text: str = "<INSTANCE/>") -> CommandCall:
    script = script_text("modify-system-settings")
    return CommandCall(script, is_script=True, arguments=(("SettingData", text),))


def test_the_settings_script_gives_value_and_job(console: Console) -> None:
    (answer,) = console.run((modify(),)).outputs
    assert isinstance(answer, Record)
    assert answer.properties == {"ReturnValue": 4096, "Job": "J1"}
    method = console.calls[-1]
    assert method["MethodName"] == "ModifySystemSettings"
    assert method["Arguments"] == {"SystemSettings": "<INSTANCE/>"}
    assert method.set_name == "CimInstanceComputerSet"


def test_the_settings_script_binds_on_2012_r2(make_console: MakeConsole) -> None:
    console = make_console("2012r2")
    assert console.run((modify(),)).errors == []


def test_a_script_needs_its_mandatory_parameter(console: Console) -> None:
    script = CommandCall(script_text("modify-system-settings"), is_script=True)
    with pytest.raises(Terminated, match="SettingData") as caught:
        console.run((script,))
    assert caught.value.record.fqid == "MissingMandatoryParameter"


def test_a_script_refuses_a_parameter_that_it_does_not_have(console: Console) -> None:
    call = CommandCall(modify().text, is_script=True, arguments=(("Other", "x"),))
    with pytest.raises(Terminated) as caught:
        console.run((call,))
    assert caught.value.record.fqid == "NamedParameterNotFound"


# --- the fuller language -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$x = 5; $x", [5]),
        ("$x = 1, 2; $x.Count", [2]),
        ("$x = @(1); $x.Count", [1]),
        ("$vm = Get-VM a; $vm.Name; $vm.name.LENGTH", ["a", 1]),
        ("if (1 -eq 2) { 'a' } elseif (2 -gt 1) { 'b' } else { 'c' }", ["b"]),
        ("if (-not $none) { 'empty' }", ["empty"]),
        ("if ('Off' -eq (Get-VM a).State -and 1 -le 1) { 'off' }", ["off"]),
        ("if ($null -ne (Get-VM a)) { 'there' }", ["there"]),
        ("foreach ($i in 1, 2, 3) { if ($i -ge 2) { $i } }", [2, 3]),
        ("foreach ($i in (Get-VM)) { $i.Name }", ["a", "b"]),
        ("@( 'a'; 'b' ) | Select-Object -First 1", ["a"]),
        ("(Get-VM | Where-Object Name -EQ b).Name", ["b"]),
        ("[int]'5'; [string]7", [5, "7"]),
        ("'a'; return; 'b'", ["a"]),
        ("$h = @{ A = 1; 'b c' = 'x' }; $h.a", [1]),
        ("'x' -in 'x', 'y'; 'abc' -like 'a*'; 'abc' -match 'B'", [True, True, True]),
        ("1, 2, 3 -gt 1", [2, 3]),
    ],
)  # fmt: skip
def test_the_projects_scripts_have_variables_conditions_and_loops(
    console: Console, text: str, expected: list[Value]
) -> None:
    assert run_fully(console, text) == expected


def test_a_custom_object_keeps_the_order_of_its_properties(console: Console) -> None:
    (made,) = run_fully(console, "[pscustomobject]@{ Zero = 0; One = (Get-VM a).Name }")
    assert isinstance(made, Record)
    assert list(made.properties.items()) == [("Zero", 0), ("One", "a")]


def test_throw_ends_a_script(console: Console) -> None:
    script = Parser("'a'; throw 'no disk'; 'b'", full=True).script()
    run = Interpreter(console.engine, Recorder(), {}).run(script)
    assert next(run) == "a"
    with pytest.raises(Exception, match="no disk"):
        next(run)


def test_a_failed_command_ends_its_statement_only(console: Console) -> None:
    assert run_fully(console, "$x = Get-Nonsense; 'after'") == ["after"]
    assert console.streams.errors[0].fqid == "CommandNotFoundException"


def test_error_action_preference_stop_makes_every_failure_end_the_script(
    console: Console,
) -> None:
    with pytest.raises(Exception, match="Get-Nonsense"):
        run_fully(console, "$ErrorActionPreference = 'Stop'; Get-Nonsense; 'after'")
