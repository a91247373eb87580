"""The server half of PSRP: psrpcore's runspace pool, with its gaps filled and its slow paths cut.

psrpcore keeps the protocol: capabilities, fragments, key exchange, runspace counts, connecting.
Pipelines go round it: their messages are decoded and written by our own CLIXML, several times
cheaper, and state messages carry only what a real server sends (no Running). This is the only
file that knows psrpcore.
"""

from __future__ import annotations

import itertools
import re
import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from xml.etree.ElementTree import ParseError

from psrpcore import (
    GetAvailableRunspacesEvent,
    PSRPCoreError,
    PSRPEvent,
    PSRPPayload,
    ResetRunspaceStateEvent,
    ServerRunspacePool,
    SetMaxRunspacesEvent,
    SetMinRunspacesEvent,
    StreamType,
)
from psrpcore._payload import (  # psrpcore exports no way to queue a message made elsewhere
    PSRPMessage,
    create_fragment,
    create_message,
)
from psrpcore.types import PSRPMessageType, PSVersion, RunspacePoolState

from harness.standin.clixml_reader import NotClixml, read
from harness.standin.releases import Release
from harness.standin.shells import windows_version
from harness.standin.values import Value

Kind = PSRPMessageType
AnyEvent = PSRPEvent[Any, Any]
OUTPUT: Final = PSRPMessageType.PipelineOutput
ERROR: Final = PSRPMessageType.ErrorRecord
STATE: Final = PSRPMessageType.PipelineState
DEBUG: Final = PSRPMessageType.DebugRecord
VERBOSE: Final = PSRPMessageType.VerboseRecord
WARNING: Final = PSRPMessageType.WarningRecord
PROGRESS: Final = PSRPMessageType.ProgressRecord

_WHOLE = 2**20  # bytes: more than the messages that answer Connect
_HEADER = 21  # bytes before each fragment's data
_CLIENT_CI = re.compile(rb'N="CI"')  # pypsrp's spelling; psrpcore wants "ci"
_CREATE = (PSRPMessageType.CreatePipeline, PSRPMessageType.GetCommandMetadata)
_INPUT = (PSRPMessageType.PipelineInput, PSRPMessageType.EndOfPipelineInput)
_HOST_RESPONSES = (
    PSRPMessageType.PipelineHostResponse,
    PSRPMessageType.RunspacePoolHostResponse,
)
_COUNTS = (PSRPMessageType.SetMaxRunspaces, PSRPMessageType.SetMinRunspaces)
_UNREADABLE = (  # what psrpcore lets escape for bytes, XML or properties it did not expect
    PSRPCoreError,
    NotClixml,
    ParseError,
    struct.error,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
)
_RUNSPACE_CALLS = (SetMaxRunspacesEvent, SetMinRunspacesEvent, ResetRunspaceStateEvent)


class ProtocolBroken(Exception):
    """The client sent something that is not PSRP, or not in this order."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One pipeline message that a client sent: ``create``, ``metadata``, ``input`` or ``end``."""

    kind: str
    pipeline: uuid.UUID | None
    value: Value = None


@dataclass(slots=True)
class Message:
    """One PSRP message on its way out; a Parcel of the standard output stream."""

    queued: PSRPMessage
    stream: str = "stdout"

    def cut(self, room: int) -> bytes:
        """Return the next fragment with its header, empty when not even a header fits."""
        if room <= _HEADER:
            return b""
        piece = self.queued.fragment(room - _HEADER)
        return create_fragment(piece.object_id, piece.fragment_id, bytes(piece.data), piece.end)

    def left(self) -> int:
        """Return how many bytes of the message are still to be cut."""
        return len(self.queued)


class Pool(ServerRunspacePool):
    """One runspace pool.

    ``deliver`` takes each pool-level message that is to go out; ``busy`` is the number of
    runspaces at work.
    Every method but ``message`` belongs to one thread.
    """

    def __init__(self, release: Release, deliver: Callable[[Message], None]) -> None:
        super().__init__(application_private_data={"PSVersionTable": _version_table(release)})
        self.our_capability.protocolversion = PSVersion(_protocol(release))
        self.busy = 0
        self._deliver = deliver
        self._arrived: list[Arrival] = []
        self._object_ids = itertools.count(1)

    @property
    def _fragment_counter(self) -> int:
        """Object ids: pipelines draw them in their own threads, and next() is atomic."""
        return next(self._object_ids)

    def feed(self, fragments: bytes) -> list[Arrival]:
        """Take what a client sent and answer pool messages; return what is for pipelines.

        Raises ProtocolBroken.
        """
        self.receive_data(PSRPPayload(fragments, StreamType.default, None))
        try:
            while self.next_event():
                pass
        except _UNREADABLE as error:
            self._receive_buffer.clear()
            message = f"not a PSRP message: {type(error).__name__}"
            raise ProtocolBroken(message) from error
        self._flush()
        arrived, self._arrived = self._arrived, []
        return arrived

    def attach(self, fragments: bytes) -> bytes:
        """Let another client take over; return the two messages that answer Connect at once.

        psrpcore writes neither the capability nor leaves the rest for a Receive, as clients want.
        """
        self.state = RunspacePoolState.Disconnected
        self.connect()
        self.prepare_message(self.our_capability)
        taken: list[Message] = []
        outgoing, self._deliver = self._deliver, taken.append
        try:
            self.feed(fragments)
        finally:
            self._deliver = outgoing
        for message in taken[2:]:
            outgoing(message)
        return b"".join(message.cut(_WHOLE) for message in taken[:2])

    def message(self, kind: PSRPMessageType, clixml: str, pipeline: uuid.UUID) -> Message:
        """Return a message of a pipeline; from any thread."""
        data = create_message(
            client=False,
            message_type=kind,
            data=b"\xef\xbb\xbf" + clixml.encode(),
            runspace_pool_id=self.runspace_pool_id,
            pipeline_id=pipeline,
        )
        identity = self.runspace_pool_id
        return Message(
            PSRPMessage(kind, bytearray(data), identity, pipeline, self._fragment_counter)
        )

    def encrypt(self, text: str) -> str:
        """Return a SecureString's content; the client can open it after the key exchange."""
        return self._cipher.encrypt(text)

    def _flush(self) -> None:
        outgoing, self._send_buffer = self._send_buffer, []
        for queued in outgoing:
            self._deliver(Message(queued))

    def _process_message(self, message: PSRPMessage) -> AnyEvent:
        kind = message.message_type
        if kind in _CREATE:
            name = "create" if kind is PSRPMessageType.CreatePipeline else "metadata"
            self._note(name, message)
        elif kind in _INPUT:
            name = "input" if kind is PSRPMessageType.PipelineInput else "end"
            self._note(name, message)
        elif kind not in _HOST_RESPONSES:  # this host calls nobody back
            return self._pool_message(message)
        identity = (message.runspace_pool_id, message.pipeline_id)
        return PSRPEvent.create(kind, None, *identity)

    def _note(self, name: str, message: PSRPMessage) -> None:
        value = read(message.data, self._cipher.decrypt) if message.data else None
        self._arrived.append(Arrival(name, message.pipeline_id, value))

    def _pool_message(self, message: PSRPMessage) -> AnyEvent:
        if message.message_type in _COUNTS:
            data = _CLIENT_CI.sub(b'N="ci"', message.data)
            message = PSRPMessage(
                message.message_type, bytearray(data), message.runspace_pool_id, None, 0
            )
        event = super()._process_message(message)
        if isinstance(event, _RUNSPACE_CALLS):
            self.runspace_availability_response(event.ci, response=True)
        elif isinstance(event, GetAvailableRunspacesEvent):
            self.runspace_availability_response(event.ci, max(0, self.max_runspaces - self.busy))
        return event


def _protocol(release: Release) -> str:
    """Return the PSRP version: 2.3 came with PowerShell 5."""
    return "2.3" if release.powershell >= "5" else "2.2"


def _version_table(release: Release) -> dict[str, object]:
    powershell = f"{release.powershell}.{release.build}.1"
    compatible = [each for each in ("1.0", "2.0", "3.0", "4.0", "5.0") if each < powershell]
    return {
        "PSVersion": PSVersion(powershell),
        "PSCompatibleVersions": [PSVersion(each) for each in (*compatible, release.powershell)],
        "CLRVersion": PSVersion("4.0.30319.42000"),
        "BuildVersion": PSVersion(f"{windows_version(release)}.1"),
        "WSManStackVersion": PSVersion("3.0"),
        "PSRemotingProtocolVersion": PSVersion(_protocol(release)),
        "SerializationVersion": PSVersion("1.1.0.1"),
    }
