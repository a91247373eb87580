"""A PowerShell remote shell: pipelines of one pool, run by the engine in worker threads."""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from collections import deque
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from harness.standin import psrp, records
from harness.standin.api import ErrorRecord, Request, Statement, Stopped, Terminated
from harness.standin.channel import Channel
from harness.standin.clixml import CUSTOM_OBJECT, Writer
from harness.standin.clixml_reader import NotClixml
from harness.standin.psrp_request import read_metadata, read_pipeline
from harness.standin.shells import CTRL_C, TERMINATE, Facts, Host
from harness.standin.values import Record, Value
from harness.standin.wsman import (
    NS,
    Envelope,
    command_not_found,
    invalid,
    no_action,
    octets,
    over_quota,
    timed_out,
)

_log = logging.getLogger(__name__)
MAX_COMMANDS = 1000  # MaxConcurrentCommandsPerShell
_POWERSHELL = "http://schemas.microsoft.com/powershell"
_COMPLETED, _FAILED = 4, 5
_COUNT_TYPES = (
    "Selected.Microsoft.PowerShell.Commands.GenericMeasureInfo",
    CUSTOM_OBJECT,
    "System.Object",
)


class PipelineStreams:
    """Where the engine writes: each call becomes one PSRP message. Runs in a worker thread."""

    def __init__(self, pool: psrp.Pool, pipeline: uuid.UUID, channel: Channel) -> None:
        self.stop = threading.Event()
        self._pool, self._pipeline, self._channel = pool, pipeline, channel

    def output(self, value: Value) -> None:
        """Write one object to the output stream."""
        self._put(psrp.OUTPUT, Writer(self._pool.encrypt).value(value))

    def error(self, record: ErrorRecord) -> None:
        """Write a non-terminating error."""
        self._put(psrp.ERROR, records.error_record(record, Writer()))

    def warning(self, text: str) -> None:
        """Write a warning."""
        self._put(psrp.WARNING, records.informational("Warning", text))

    def verbose(self, text: str) -> None:
        """Write a verbose message."""
        self._put(psrp.VERBOSE, records.informational("Verbose", text))

    def debug(self, text: str) -> None:
        """Write a debug message."""
        self._put(psrp.DEBUG, records.informational("Debug", text))

    def progress(self, activity: str, status: str, percent: int) -> None:
        """Write a progress record."""
        self._put(psrp.PROGRESS, records.progress(activity, status, percent))

    def check(self) -> None:
        """Raise Stopped when the client asked to stop."""
        if self.stop.is_set():
            raise Stopped

    def finish(self, state: str) -> None:
        """Write the final state; nothing follows."""
        self._channel.end(last=self._pool.message(psrp.STATE, state, self._pipeline))

    def _put(self, kind: psrp.Kind, clixml: str) -> None:
        self.check()
        self._channel.put(self._pool.message(kind, clixml, self._pipeline))


class MetadataStreams(PipelineStreams):
    """The answer to GET_COMMAND_METADATA: a count, then the commands; errors are not reported."""

    def __init__(self, pool: psrp.Pool, pipeline: uuid.UUID, channel: Channel) -> None:
        super().__init__(pool, pipeline, channel)
        self._found: list[Value] = []

    def output(self, value: Value) -> None:
        """Keep one command until the count is known."""
        self.check()
        self._found.append(value)

    def error(self, record: ErrorRecord) -> None:
        """Leave it out: a name that nothing has is no error here."""

    def finish(self, state: str) -> None:
        """Write count, commands and state."""
        if not self.stop.is_set():
            state = records.pipeline_state(_COMPLETED)
            super().output(Record(_COUNT_TYPES, {"Count": len(self._found)}))
            for command in self._found:
                super().output(command)
        super().finish(state)


@dataclass(slots=True)
class Pipeline:
    """One command of the shell; without statements its description has not arrived yet."""

    streams: PipelineStreams
    channel: Channel
    statements: tuple[Statement, ...] = ()
    input: list[Value] = field(default_factory=list)
    started: bool = False


class RunspaceShell:
    """One shell of resource ``…/powershell/Microsoft.PowerShell``."""

    def __init__(self, facts: Facts, host: Host) -> None:
        self.facts, self._host = facts, host
        self._out = Channel(host.loop, linger=0)
        self._pool = psrp.Pool(host.release, self._out.put)
        self._pipelines: dict[uuid.UUID, Pipeline] = {}
        self._waiting: deque[Pipeline] = deque()  # for a free runspace

    def open(self, element: ET.Element) -> None:
        """Take the capability and the pool's description from creationXml."""
        self._feed(_fragments(element, f"{{{_POWERSHELL}}}creationXml"))

    def connect(self, element: ET.Element) -> bytes:
        """Let another client take over; CommandId needs nothing."""
        if element.get("CommandId"):
            self.channel(element.get("CommandId"))
            return b""
        try:
            return self._pool.attach(_fragments(element, f"{{{_POWERSHELL}}}connectXml"))
        except psrp.ProtocolBroken as broken:
            raise invalid(str(broken)) from broken

    def command(self, request: Envelope) -> str:
        """Take the first fragments of a pipeline; it starts when the last has come."""
        line = request.content("rsp:CommandLine")
        command_id = line.get("CommandId", "")
        identity = _uuid(command_id)
        if len(self._pipelines) >= MAX_COMMANDS:
            text = f"The maximum number of concurrent commands per shell is {MAX_COMMANDS}."
            raise over_quota(2150859241, text)
        if identity in self._pipelines:
            raise invalid("The CommandId is in use.")
        channel = Channel(self._host.loop)
        streams = PipelineStreams(self._pool, identity, channel)
        self._pipelines[identity] = Pipeline(streams, channel)
        try:
            self._feed(_fragments(line, f"{{{NS['rsp']}}}Arguments"))
        except Exception:
            del self._pipelines[identity]
            raise
        return command_id

    def commands(self) -> tuple[str, ...]:
        """Return the ids of the pipelines that were not terminated."""
        return tuple(str(each).upper() for each in self._pipelines)

    def channel(self, command_id: str | None) -> Channel:
        """Return the output of a pipeline, or of the pool."""
        return self._find(command_id).channel if command_id else self._out

    def send(self, command_id: str | None, data: bytes, *, end: bool) -> None:  # noqa: ARG002 - PSRP ends input by a message
        """Take more fragments."""
        if command_id:
            self._find(command_id)
        self._feed(data)

    async def signal(self, command_id: str | None, code: str, timeout: float) -> None:
        """Stop a pipeline and wait until it has stopped, or drop it."""
        if code not in (CTRL_C, TERMINATE) or command_id is None:
            raise no_action(code)
        pipeline = self._find(command_id)
        self._stop(pipeline)
        if code == TERMINATE:
            pipeline.channel.abort()
            self._pipelines.pop(_uuid(command_id), None)
            return
        try:
            await asyncio.wait_for(pipeline.channel.ended.wait(), timeout)
        except TimeoutError:
            raise timed_out() from None

    def close(self) -> None:
        """Stop every pipeline and end every Receive."""
        for pipeline in self._pipelines.values():
            self._stop(pipeline)
            pipeline.channel.abort()
        self._out.abort()
        self._pipelines.clear()

    def _find(self, command_id: str | None) -> Pipeline:
        pipeline = self._pipelines.get(_uuid(command_id or ""))
        if pipeline is None:
            raise command_not_found(command_id or "")
        return pipeline

    def _stop(self, pipeline: Pipeline) -> None:
        pipeline.streams.stop.set()
        if not pipeline.started:
            pipeline.started = True
            pipeline.streams.finish(records.stopped())

    def _feed(self, fragments: bytes) -> None:
        try:
            for arrival in self._pool.feed(fragments):
                self._arrive(arrival)
        except (psrp.ProtocolBroken, NotClixml) as broken:
            raise invalid(str(broken)) from broken

    def _arrive(self, arrival: psrp.Arrival) -> None:
        pipeline = self._pipelines.get(arrival.pipeline) if arrival.pipeline else None
        if pipeline is None:
            raise command_not_found(str(arrival.pipeline))
        if arrival.kind == "input":
            pipeline.input.append(arrival.value)
            return
        ready = True
        if arrival.kind == "create":
            pipeline.statements, takes_input = read_pipeline(arrival.value)
            ready = not takes_input
        elif arrival.kind == "metadata":
            pipeline.statements = read_metadata(arrival.value)
            identity = _uuid(str(arrival.pipeline))
            pipeline.streams = MetadataStreams(self._pool, identity, pipeline.channel)
        if ready and pipeline.statements and not pipeline.started:
            self._waiting.append(pipeline)
            self._start_waiting()

    def _start_waiting(self) -> None:
        """Start pipelines while the pool has a free runspace."""
        while self._waiting and self._pool.busy < max(1, self._pool.max_runspaces):
            pipeline = self._waiting.popleft()
            if not pipeline.started:
                pipeline.started = True
                self._pool.busy += 1
                self._host.run(lambda pipeline=pipeline: self._work(pipeline))  # type: ignore[misc] # mypy cannot infer a lambda's default

    def _work(self, pipeline: Pipeline) -> None:
        """Run one pipeline to its end, in a worker thread."""
        try:
            state = self._run(pipeline)
        except Exception as error:  # noqa: BLE001 - outermost seam: a client must never wait for a dead pipeline
            _log.exception("the engine failed")
            state = records.pipeline_state(_FAILED, _internal_error(error))
        pipeline.streams.finish(state)
        if not self._host.loop.is_closed():
            self._host.loop.call_soon_threadsafe(self._freed)

    def _run(self, pipeline: Pipeline) -> str:
        request = Request(pipeline.statements, tuple(pipeline.input))
        try:
            self._host.engine.run(request, pipeline.streams)
        except Terminated as terminated:
            return records.pipeline_state(_FAILED, terminated.record)
        except Stopped:
            return records.stopped()
        return records.pipeline_state(_COMPLETED)

    def _freed(self) -> None:
        self._pool.busy -= 1
        self._start_waiting()


def _internal_error(error: Exception) -> ErrorRecord:
    return ErrorRecord(
        fqid="StandInInternalError",
        category="NotSpecified",
        exception_types=("System.InvalidOperationException", "System.Exception", "System.Object"),
        message=f"The simulated host failed on its own account ({type(error).__name__}); its log"
        " says where.",
    )


def _fragments(element: ET.Element, name: str) -> bytes:
    fragments = octets(element.findtext(name) or "")
    if not fragments:
        raise invalid(f"The element {name} has no fragments.")
    return fragments


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise command_not_found(text) from None
