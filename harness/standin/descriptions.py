"""Shells and commands as XML: what Create, Get, Enumerate and Connect answer."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.sax.saxutils import escape as _escape

from harness.standin.clixml import format_duration
from harness.standin.shells import Facts

_MAX_IDLE = "PT2147483.647S"


def escape(text: str) -> str:
    """Return the text for an element or a double-quoted attribute."""
    return _escape(text, {'"': "&quot;"})


def shell(facts: Facts, *, connected: bool) -> str:
    """Return an rsp:Shell."""
    properties = {
        "ShellId": facts.shell_id,
        "Name": facts.name,
        "ResourceUri": facts.resource,
        "Owner": facts.owner,
        "ClientIP": "127.0.0.1",
        "IdleTimeOut": f"PT{facts.idle_timeout:.3f}S",
        "InputStreams": facts.input_streams,
        "OutputStreams": facts.output_streams,
        "MaxIdleTimeOut": _MAX_IDLE,
        "Locale": "en-US",
        "DataLocale": "en-US",
        "CompressionMode": "NoCompression",
        "ProfileLoaded": "Yes",
        "Encoding": "UTF8",
        "BufferMode": "Block",
        "State": "Connected" if connected else "Disconnected",
        "ShellRunTime": format_duration(datetime.now(UTC) - facts.opened),
        "ShellInactivity": "PT0S",
    }
    inside = "".join(
        f"<rsp:{name}>{escape(text)}</rsp:{name}>" for name, text in properties.items() if text
    )
    return f"<rsp:Shell>{inside}</rsp:Shell>"


def created(facts: Facts) -> str:
    """Return what Create answers: where the shell is, and the shell."""
    return (
        f"<x:ResourceCreated><a:Address>http://localhost/wsman</a:Address><a:ReferenceParameters>"
        f"<w:ResourceURI>{escape(facts.resource)}</w:ResourceURI><w:SelectorSet>"
        f'<w:Selector Name="ShellId">{escape(facts.shell_id)}</w:Selector></w:SelectorSet>'
        f"</a:ReferenceParameters></x:ResourceCreated>{shell(facts, connected=True)}"
    )


def command(shell_id: str, command_id: str) -> str:
    """Return an rsp:Command."""
    return (
        f"<rsp:Command><rsp:ShellId>{escape(shell_id)}</rsp:ShellId>"
        f"<rsp:CommandId>{escape(command_id)}</rsp:CommandId>"
        "<rsp:State>Connected</rsp:State></rsp:Command>"
    )


def started(command_id: str) -> str:
    """Return what Command answers."""
    text = escape(command_id)
    return f"<rsp:CommandResponse><rsp:CommandId>{text}</rsp:CommandId></rsp:CommandResponse>"


def items(found: list[str]) -> str:
    """Return what an optimised Enumerate answers: all at once."""
    return (
        "<n:EnumerateResponse><n:EnumerationContext />"
        f"<w:Items>{''.join(found)}</w:Items><w:EndOfSequence /></n:EnumerateResponse>"
    )


def connected(response: str) -> str:
    """Return what Connect answers; ``response`` is base64, empty for a command."""
    if not response:
        return "<rsp:ConnectResponse />"
    namespace = "http://schemas.microsoft.com/powershell"
    return (
        f'<rsp:ConnectResponse><connectResponseXml xmlns="{namespace}">{response}'
        "</connectResponseXml></rsp:ConnectResponse>"
    )
