"""WS-Management envelopes: read by namespace, written from templates, faults with Windows' codes.

Codes are those of wserror.h; clients match them, not the text.
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

NS = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "p": "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
    "n": "http://schemas.xmlsoap.org/ws/2004/09/enumeration",
    "rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
    "f": "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault",
    "cfg": "http://schemas.microsoft.com/wbem/wsman/1/config",
    "wsmid": "http://schemas.dmtf.org/wbem/wsman/identify/1/wsmanidentity.xsd",
}
SHELL_URI = NS["rsp"]
MAX_ENVELOPE = 512_000  # bytes: MaxEnvelopeSizekb 500
_DEFAULT_ENVELOPE = 153_600
_DEFAULT_TIMEOUT = 60.0  # seconds: MaxTimeoutms
_MIN_ENVELOPE = 8_192
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")  # PT20S
_DOCTYPES = tuple("<!DOCTYPE".encode(code) for code in ("utf-8", "utf-16-le", "utf-16-be"))
_ANONYMOUS = f"{NS['a']}/role/anonymous"


class Fault(Exception):
    """A SOAP fault: ``code`` as in wserror.h, ``subcode`` as DSP0226 names it."""

    def __init__(self, code: int, subcode: str, reason: str, *, receiver: bool = False) -> None:
        self.code, self.subcode, self.reason = code, subcode, reason
        self.role = "s:Receiver" if receiver else "s:Sender"
        super().__init__(reason)


def timed_out() -> Fault:
    """Say that a long poll ended without data: clients ask again."""
    text = "The WS-Management service cannot complete the operation within the time specified in"
    return Fault(2150858793, "w:TimedOut", f"{text} OperationTimeout.", receiver=True)


def shell_not_found(shell_id: str) -> Fault:
    """Say that the shell never was, was deleted, timed out, or belongs to another user."""
    text = f"The request for the Windows Remote Shell with ShellId {shell_id} failed because the"
    reason = f"{text} shell was not found on the server. Possible causes are: the specified"
    return Fault(
        2150858843,
        "w:InvalidSelectors",
        f"{reason} ShellId is incorrect or the shell no longer exists on the server. Provide the"
        " correct ShellId or create a new shell and retry the operation.",
    )


def command_not_found(command_id: str) -> Fault:
    """Say that the command never was or was terminated."""
    reason = f"The command with CommandId {command_id} was not found in the shell."
    return Fault(2150858844, "w:InvalidSelectors", reason)


def aborted() -> Fault:
    """Say that a waiting Receive gave way to a newer one, or its shell went."""
    reason = "The I/O operation has been aborted because of either a thread exit or an application"
    return Fault(995, "w:InternalError", f"{reason} request.", receiver=True)


def disconnected() -> Fault:
    """Say that the shell is disconnected: Reconnect or Connect comes first."""
    reason = "The WS-Management service cannot process the request because the stream is currently"
    return Fault(2150859230, "w:InvalidRepresentation", f"{reason} disconnected.")


def invalid(reason: str) -> Fault:
    """Say that the XML is not what the action wants."""
    text = "The SOAP XML in the message does not match the corresponding XML schema definition."
    return Fault(2150858817, "w:SchemaValidationError", f"{text} {reason}")


def no_resource(uri: str) -> Fault:
    """Say that nothing is at that resource URI."""
    text = "The WS-Management service cannot process the request. The service cannot find the"
    reason = f"{text} resource identified by the resource URI and selectors: {uri}"
    return Fault(2150858752, "a:DestinationUnreachable", reason)


def no_action(action: str) -> Fault:
    """Say that the action is unknown, or not for this resource."""
    reason = f"The action {action or '(none)'} is not supported by the service."
    return Fault(2150858753, "a:ActionNotSupported", reason)


def internal(reason: str) -> Fault:
    """Say that the service failed on its own account."""
    return Fault(2150858883, "w:InternalError", reason, receiver=True)


def over_quota(code: int, reason: str) -> Fault:
    """Say that it is one shell or command too many."""
    text = f"The WS-Management service cannot process the request. {reason}"
    return Fault(code, "w:QuotaLimit", text, receiver=True)


@dataclass(frozen=True, slots=True)
class Envelope:
    """One request. ``timeout`` in seconds, ``max_envelope`` in bytes; ids are kept verbatim."""

    action: str
    resource: str
    message_id: str
    body: ET.Element
    selectors: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    timeout: float = _DEFAULT_TIMEOUT
    max_envelope: int = _DEFAULT_ENVELOPE

    @property
    def verb(self) -> str:
        """The last word of the action: Create, Receive, …"""
        return self.action.rpartition("/")[2]

    @property
    def room(self) -> int:
        """How many bytes of stream data an answer may carry: base64 and the envelope take space."""
        return (min(self.max_envelope, MAX_ENVELOPE) - 2000) // 4 * 3

    def content(self, name: str) -> ET.Element:
        """Return the body's element, e.g. ``rsp:Receive``. Raises Fault when it is missing."""
        element = self.body.find(name, NS)
        if element is None:
            raise invalid(f"The element {name} is missing.")
        return element


def parse(data: bytes) -> Envelope:
    """Read a SOAP message. Raises Fault for what is not one, DTDs included."""
    root = _parse_xml(data)
    body = root.find("s:Body", NS)
    if root.tag != f"{{{NS['s']}}}Envelope" or body is None:
        raise invalid("There is no SOAP 1.2 envelope with a body.")
    return Envelope(
        action=_text(root, "a:Action"),
        resource=_text(root, "w:ResourceURI"),
        message_id=_text(root, "a:MessageID"),
        body=body,
        selectors=_named(root, "s:Header/w:SelectorSet/w:Selector"),
        options=_named(root, "s:Header/w:OptionSet/w:Option"),
        timeout=seconds(_text(root, "w:OperationTimeout"), _DEFAULT_TIMEOUT),
        max_envelope=_envelope_size(_text(root, "w:MaxEnvelopeSize")),
    )


def _parse_xml(data: bytes) -> ET.Element:
    if any(marker in data for marker in _DOCTYPES):
        raise invalid("A document type declaration is not accepted.")
    try:
        return ET.fromstring(data)  # noqa: S314 - no declaration reaches it, so no entity expands
    except (ET.ParseError, ValueError, LookupError) as error:
        raise invalid("The message is not well-formed XML.") from error


def _named(root: ET.Element, path: str) -> dict[str, str]:
    return {each.get("Name", ""): each.text or "" for each in root.findall(path, NS)}


def _text(root: ET.Element, header: str) -> str:
    return (root.findtext(f"s:Header/{header}", "", NS) or "").strip()


def _envelope_size(text: str) -> int:
    if not text:
        return _DEFAULT_ENVELOPE
    if not text.isdecimal() or int(text) < _MIN_ENVELOPE:
        raise Fault(2150858878, "w:EncodingLimit", f"MaxEnvelopeSize {text} is too small.")
    return int(text)


def seconds(duration: str, default: float) -> float:
    """Read an XML duration, e.g. ``PT20S`` or ``P0DT0H2M0S``; ``default`` for an empty text."""
    if not duration:
        return default
    found = _DURATION.fullmatch(duration)
    if not found or not any(found.groups()):
        raise invalid(f"{duration} is not a duration.")
    days, hours, minutes, rest = (float(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def octets(text: str) -> bytes:
    """Read base64 that may be broken into lines. Raises Fault."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid("The data is not base64.") from error


def _uuid() -> str:
    return f"uuid:{str(uuid.uuid4()).upper()}"


_NAMESPACES = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NS.items())
_ENVELOPE = (
    f'<s:Envelope xml:lang="en-US" {_NAMESPACES}><s:Header><a:Action>%s</a:Action>'
    f"<a:MessageID>%s</a:MessageID><a:To>{_ANONYMOUS}</a:To>"
    "<a:RelatesTo>%s</a:RelatesTo></s:Header><s:Body>%s</s:Body></s:Envelope>"
)


def render(request: Envelope, body: str) -> bytes:
    """Return the answer to a request; ``body`` is XML with the prefixes of NS."""
    action = escape(f"{request.action}Response")
    return (_ENVELOPE % (action, _uuid(), escape(request.message_id), body)).encode()


def render_fault(fault: Fault, message_id: str, machine: str) -> bytes:
    """Return the fault message; an unreadable request has an empty ``message_id``."""
    action = f"{NS['w']}/fault" if fault.subcode.startswith("w:") else f"{NS['a']}/fault"
    text = escape(fault.reason)
    body = (
        f"<s:Fault><s:Code><s:Value>{fault.role}</s:Value><s:Subcode><s:Value>{fault.subcode}"
        f'</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en-US">{text}</s:Text>'
        f'</s:Reason><s:Detail><f:WSManFault Code="{fault.code}" Machine={quoteattr(machine)}>'
        f"<f:Message>{text}</f:Message></f:WSManFault></s:Detail></s:Fault>"
    )
    return (_ENVELOPE % (action, _uuid(), escape(message_id), body)).encode()


def identify_body(windows: str) -> str:
    """Return the body of the answer to Identify, e.g. for ``10.0.20348``."""
    return (
        "<wsmid:IdentifyResponse><wsmid:ProtocolVersion>"
        "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</wsmid:ProtocolVersion>"
        "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
        f"<wsmid:ProductVersion>OS: {windows} SP: 0.0 Stack: 3.0</wsmid:ProductVersion>"
        "</wsmid:IdentifyResponse>"
    )


def config_body() -> str:
    """Return winrm/config as clients read it: the quotas that this service keeps."""
    return (
        f"<cfg:Config><cfg:MaxEnvelopeSizekb>{MAX_ENVELOPE // 1024}</cfg:MaxEnvelopeSizekb>"
        f"<cfg:MaxTimeoutms>{int(_DEFAULT_TIMEOUT * 1000)}</cfg:MaxTimeoutms>"
        "<cfg:MaxBatchItems>32000</cfg:MaxBatchItems></cfg:Config>"
    )
