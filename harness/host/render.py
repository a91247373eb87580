"""Calls and answers as texts for people and for evidence. Pure, deterministic, free of secrets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from harness.host.command import Call, Cmdlet, Credential, FixedScript, Pipeline, Value
from harness.host.session import HostObject, HostValue
from harness.secret import Secret
from harness.units import Bytes

MASK = "***"
SHOWN_BYTES = 32


def render_call(call: Call) -> str:
    """Return the call as PowerShell that a person could type; secrets are ``***``."""
    if isinstance(call, Pipeline):
        return " | ".join(_command(c.name, c.parameters) for c in call.cmdlets)
    if isinstance(call, FixedScript):
        return _command(f".\\{call.name}.ps1", call.parameters)
    return _command(call.name, call.parameters)


def name_of(call: Call) -> str:
    """Return the shortest name for a call: its cmdlets, or its script."""
    if isinstance(call, Pipeline):
        return " | ".join(cmdlet.name for cmdlet in call.cmdlets)
    return call.name if isinstance(call, Cmdlet) else f"{call.name}.ps1"


def _command(name: str, parameters: Mapping[str, Value]) -> str:
    return " ".join([name, *(_parameter(key, value) for key, value in parameters.items())])


def _parameter(name: str, value: Value) -> str:
    if isinstance(value, bool):
        return f"-{name}:{_value(value)}"
    return f"-{name} {_value(value)}"


def _value(value: Value) -> str:
    if value is None or isinstance(value, bool):
        return {None: "$null", True: "$true", False: "$false"}[value]
    if isinstance(value, Bytes):
        return str(value.count)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return _compound(value)


def _compound(
    value: bytes | timedelta | Secret | Credential | tuple[Value, ...] | Mapping[str, Value],
) -> str:
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, Credential):
        return f"[pscredential]::new({_value(value.username)}, {MASK})"
    if isinstance(value, timedelta):
        return f"([timespan]::FromSeconds({value.total_seconds():g}))"
    if isinstance(value, bytes):
        shown = ", ".join(str(b) for b in value[:SHOWN_BYTES])
        more = f", …: {len(value)} bytes" if len(value) > SHOWN_BYTES else ""
        return f"([byte[]]({shown}{more}))"
    if isinstance(value, tuple):
        return f"@({', '.join(_value(item) for item in value)})"
    return "@{ " + "; ".join(f"{_value(k)} = {_value(v)}" for k, v in value.items()) + " }"


def render_objects(objects: Iterable[HostValue]) -> str:
    """Return every object with all of its properties, one a line, in the host's order.

    An object begins with its type in brackets; an enum is ``Running (2)``, a list ``{a, b}``, null
    an empty text. The further lines of a value start with ``  | ``.
    """
    return "\n".join("\n".join(_lines(item)) for item in objects)


def _lines(item: HostValue) -> Iterator[str]:
    if not isinstance(item, HostObject) or item.number is not None:
        yield _plain(item)
        return
    yield f"[{item.type_names[0] if item.type_names else 'object'}] {item.text}".rstrip()
    width = max((len(name) for name in item.properties), default=0)
    for name, value in item.properties.items():
        first, *rest = _plain(value).split("\n") if value != "" else [""]
        yield f"{name:<{width}} : {first}".rstrip()
        yield from (f"  | {line}" for line in rest)


def _plain(value: HostValue) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "{" + ", ".join(_plain(item) for item in value) + "}"
    if not isinstance(value, HostObject):
        return str(value).replace("\r\n", "\n")
    if value.number is not None:
        return f"{value.text} ({value.number})"
    return value.text or _inner(value)


def _inner(value: HostObject) -> str:
    return "{" + "; ".join(f"{k}={_plain(v)}" for k, v in value.properties.items()) + "}"


def scrubbed(text: str, *secrets: Secret | None) -> str:
    """Return the text without any of the secrets, should a host or a library have echoed one."""
    for secret in secrets:
        if secret is not None and secret.reveal():
            text = text.replace(secret.reveal(), MASK)
    return text


def secrets_in(call: Call) -> tuple[Secret, ...]:
    """Return every secret among the call's parameters."""
    given = call.cmdlets if isinstance(call, Pipeline) else (call,)
    return tuple(s for one in given for value in one.parameters.values() for s in _within(value))


def _within(value: Value) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, Credential):
        yield value.password
    elif isinstance(value, tuple):
        yield from (s for item in value for s in _within(item))
    elif isinstance(value, Mapping):
        yield from (s for item in value.values() for s in _within(item))
