"""What answers a client's commands: contract, binder and cmdlet bodies put together."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence

from harness.standin import refusals
from harness.standin.api import CommandCall, Given, Request, Streams, Terminated
from harness.standin.binder import Bound, bind_arguments, resolve
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets import core, files, system
from harness.standin.contract import contract_of
from harness.standin.definition import Definition
from harness.standin.formatting import console_lines
from harness.standin.host import Host
from harness.standin.interpreter import PREFERENCE, Interpreter, Written
from harness.standin.language import parse
from harness.standin.pipeline import CallStreams, Preferences, ScriptEnded, run_call
from harness.standin.script_parameters import script_variables
from harness.standin.syntax import Expression, Literal, Script
from harness.standin.values import Value

_log = logging.getLogger(__name__)
_APPLICATIONS = ("hostname", "hostname.exe")


class HostEngine:
    """Runs requests on one host; safe to use from several threads, each with its own request.

    ``cmdlets`` are bodies beside those of Windows PowerShell itself, which are always there. A body
    whose cmdlet the host's release does not have is never reached.
    """

    def __init__(self, host: Host, cmdlets: Iterable[Cmdlet]) -> None:
        self.host = host
        self.contract = contract_of(host.release)
        own = (
            *core.CMDLETS, *files.CMDLETS, *system.CMDLETS,
            Cmdlet("Invoke-Expression", self._invoke_expression),
        )  # fmt: skip
        self._bodies = {c.name.lower(): c for c in (*own, *cmdlets, *host.cmdlets.values())}

    def run(self, request: Request, streams: Streams) -> None:
        """Run a request; raises Terminated or Stopped.

        A failed statement ends a request that has no other; among several its error goes to the
        error stream and the next one runs, as in a real host's batch.
        """
        upstream: tuple[Value, ...] | None = request.input or None
        for statement in request.statements:
            try:
                for value in self.pipeline(statement, upstream, streams, "Continue"):
                    streams.output(value)
            except (ScriptEnded, Terminated) as failed:
                if len(request.statements) == 1:
                    raise Terminated(failed.record) from failed
                streams.error(failed.record)
            upstream = None

    def run_text(self, text: str, streams: Streams) -> str:
        """Run text and return what a console shows of its output; raises Terminated, Stopped."""
        call = CommandCall(text, is_script=True)
        try:
            values = list(self.pipeline((call,), None, streams, "Continue"))
        except ScriptEnded as failed:
            raise Terminated(failed.record) from failed
        return "".join(f"{line}\r\n" for line in console_lines(values, self.host.release))

    # --- what the interpreter needs --------------------------------------------------------------

    def pipeline(
        self,
        calls: Sequence[CommandCall],
        upstream: Iterable[Value] | None,
        streams: Streams,
        preference: str,
    ) -> Iterator[Value]:
        """Run commands joined by pipes; all are bound before the first one runs."""
        stages = [
            self._stage(call, streams, preference, piped=bool(at) or upstream is not None)
            for at, call in enumerate(calls)
        ]
        flow = upstream
        for stage in stages:
            flow = stage.run(flow)
        yield from flow or ()

    def call(self, name: str, written: Sequence[Written]) -> CommandCall:
        """Pair a written command's parameters with their arguments.

        ``-Name value`` is one argument unless the parameter is a switch; only the contract knows.
        """
        definition = self.contract.find(name)
        return CommandCall(name, arguments=tuple(_paired(definition, written)))

    def _stage(
        self, call: CommandCall, streams: Streams, preference: str, *, piped: bool
    ) -> _Application | _Script | _Bound:
        if call.is_script:
            return self._script_stage(call.text, call.arguments, streams)
        definition = self.contract.find(call.text)
        if definition is not None:
            return self._bound_stage(definition, call, streams, preference, piped=piped)
        if call.text.lower() in _APPLICATIONS:
            return _Application(self.host.name)
        _log.warning("host %s: unknown command %r", self.host.name, call.text)
        raise refusals.command_unknown(call.text)

    def _bound_stage(
        self, definition: Definition, call: CommandCall, streams: Streams, preference: str, *,
        piped: bool,
    ) -> _Bound:  # fmt: skip
        body = self._bodies.get(definition.name.lower())
        bound = bind_arguments(definition, call.arguments, piped=piped)
        if body is None:
            _log.warning("host %s: no body for %s", self.host.name, definition.name)
            raise refusals.not_played(definition)
        preferences = Preferences.of(bound.common, preference)
        return _Bound(self.host, body, bound, CallStreams(streams, definition.name, preferences))

    def _script_stage(
        self, text: str, arguments: Iterable[tuple[str | None, Value]], streams: Streams
    ) -> _Script:
        script = parse(text)
        variables = script_variables(script.parameters, arguments, _default)
        variables.setdefault(PREFERENCE, "Continue")
        return _Script(Interpreter(self, streams, variables), script)

    def _invoke_expression(self, _: Host, given: Given, streams: Streams) -> Iterator[Value]:
        return self._script_stage(str(given["Command"]), (), streams).run(None)


class _Bound:
    """A cmdlet whose command line is bound."""

    def __init__(self, host: Host, body: Cmdlet, bound: Bound, streams: CallStreams) -> None:
        self._host, self._body, self._bound, self._streams = host, body, bound, streams

    def run(self, upstream: Iterable[Value] | None) -> Iterator[Value]:
        return run_call(self._host, self._body, self._bound, upstream, self._streams)


class _Script:
    """A parsed script; it takes no pipeline input."""

    def __init__(self, interpreter: Interpreter, script: Script) -> None:
        self._interpreter, self._script = interpreter, script

    def run(self, _: Iterable[Value] | None) -> Iterator[Value]:
        return self._interpreter.run(self._script)


class _Application:
    """``hostname``: the one program of a Windows host that the stand-in has."""

    def __init__(self, answer: str) -> None:
        self._answer = answer

    def run(self, _: Iterable[Value] | None) -> Iterator[Value]:
        return iter((self._answer,))


def _default(expression: Expression) -> Value:
    """Return a parameter's default; the project's scripts have literal ones only."""
    if isinstance(expression, Literal):
        return expression.value
    raise refusals.parse_failed("UnexpectedToken", "A parameter's default must be a literal.")


def _paired(
    definition: Definition | None, written: Sequence[Written]
) -> Iterator[tuple[str | None, Value]]:
    pending = list(written)
    while pending:
        name, value, given = pending.pop(0)
        if name is None or given:
            yield name, value
        elif definition is None or _is_switch(definition, name):
            yield name, True
        elif pending and pending[0][0] is None:
            yield name, pending.pop(0)[1]
        else:
            parameter = resolve(definition, name)
            missing = refusals.argument_missing(parameter.name, parameter.type.full_name)
            raise refusals.refused(definition, missing)


def _is_switch(definition: Definition, name: str) -> bool:
    return resolve(definition, name).type.name == "SwitchParameter"
