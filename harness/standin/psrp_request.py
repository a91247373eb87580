"""The pipeline that a client describes in CREATE_PIPELINE, as a Request ([MS-PSRP] 2.2.2.10)."""

from __future__ import annotations

from harness.standin.api import CommandCall, Statement
from harness.standin.clixml_reader import NotClixml
from harness.standin.values import Record, Value


def read_pipeline(message: Value) -> tuple[tuple[Statement, ...], bool]:
    """Return the statements and whether input follows. Raises NotClixml."""
    powershell = _property(message, "PowerShell")
    extra = _list(_property(powershell, "ExtraCmds"))
    groups = [_property(each, "Cmds") for each in extra] or [_property(powershell, "Cmds")]
    statements = tuple(tuple(_command(each) for each in _list(group)) for group in groups)
    if not all(statements):
        raise NotClixml("a pipeline without a command")
    return statements, _property(message, "NoInput") is False


def read_metadata(message: Value) -> tuple[Statement, ...]:
    """Return the Get-Command that GET_COMMAND_METADATA stands for."""
    names = _property(message, "Name")
    return ((CommandCall("Get-Command", arguments=(("Name", names),)),),)


def _command(message: Value) -> CommandCall:
    arguments = [
        (_parameter_name(_property(each, "N")), _property(each, "V"))
        for each in _list(_property(message, "Args"))
    ]
    text = _property(message, "Cmd")
    if not isinstance(text, str):
        raise NotClixml("a command without a name")
    return CommandCall(text, bool(_property(message, "IsScript")), tuple(arguments))


def _parameter_name(name: Value) -> str | None:
    """Read e.g. ``Name``, or ``-Name:`` as .NET clients may spell it."""
    return str(name).removeprefix("-").rstrip(": ") if name else None


def _property(message: Value, name: str) -> Value:
    """Return a property, whatever its case, None when it is missing."""
    if not isinstance(message, Record):
        raise NotClixml("a message that is not an object")
    if name in message.properties:
        return message.properties[name]
    wanted = name.lower()
    return next((v for key, v in message.properties.items() if key.lower() == wanted), None)


def _list(value: Value) -> list[Value]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
