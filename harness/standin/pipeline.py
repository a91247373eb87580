"""One command of a running pipeline: its streams, its preferences, its records one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.standin import refusals
from harness.standin.api import ErrorRecord, Given, Streams, Terminated
from harness.standin.binder import Bound, bind_record, complete
from harness.standin.cmdlet import Cmdlet
from harness.standin.conversion import text_of
from harness.standin.refusals import Refusal
from harness.standin.values import Value

if TYPE_CHECKING:
    from harness.standin.host import Host

_QUIET = ("SilentlyContinue", "Ignore")


class ScriptEnded(Exception):
    """An error that ends everything that runs: ``-ErrorAction Stop``, ``throw``."""

    def __init__(self, record: ErrorRecord) -> None:
        self.record = record
        super().__init__(record.message)


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the common parameters of one call ask for."""

    error_action: str
    warning_action: str
    verbose: bool
    debug: bool

    @classmethod
    def of(cls, common: Mapping[str, Value], error_action: str) -> Preferences:
        """Read them; ``error_action`` is the script's own preference."""
        return cls(
            text_of(common.get("ErrorAction", error_action)),
            text_of(common.get("WarningAction", "Continue")),
            bool(common.get("Verbose", False)),
            bool(common.get("Debug", False)),
        )


class CallStreams:
    """The streams of one call: they follow its preferences and name it in its errors."""

    def __init__(self, streams: Streams, cmdlet: str, preferences: Preferences) -> None:
        self._streams, self._cmdlet, self._preferences = streams, cmdlet, preferences
        self.written: list[Value] = []

    def output(self, value: Value) -> None:
        """Keep an object for the next command."""
        self.written.append(value)

    def error(self, record: ErrorRecord) -> None:
        """Write a non-terminating error, or end the script where the call asks for that."""
        named = record if record.activity else replace(record, activity=self._cmdlet)
        if self._preferences.error_action in ("Stop", "Inquire"):
            raise ScriptEnded(named)
        if self._preferences.error_action not in _QUIET:
            self._streams.error(named)

    def warning(self, text: str) -> None:
        """Write a warning."""
        if self._preferences.warning_action in ("Stop", "Inquire"):
            raise ScriptEnded(_warning_stop(self._cmdlet, text))
        if self._preferences.warning_action not in _QUIET:
            self._streams.warning(text)

    def verbose(self, text: str) -> None:
        """Write a verbose message if the call asks for them."""
        if self._preferences.verbose:
            self._streams.verbose(text)

    def debug(self, text: str) -> None:
        """Write a debug message if the call asks for them."""
        if self._preferences.debug:
            self._streams.debug(text)

    def progress(self, activity: str, status: str, percent: int) -> None:
        """Write a progress record."""
        self._streams.progress(activity, status, percent)

    def check(self) -> None:
        """Raise Stopped when the client asked to stop."""
        self._streams.check()


def _warning_stop(cmdlet: str, text: str) -> ErrorRecord:
    record = refusals.runtime_failed(
        "ActionPreferenceStop",
        "The running command stopped because the preference variable"
        f' "WarningPreference" or common parameter is set to Stop: {text}',
        "OperationStopped",
    ).record
    return replace(record, activity=cmdlet)


def run_call(
    host: Host, cmdlet: Cmdlet, bound: Bound, upstream: Iterable[Value] | None, streams: CallStreams
) -> Iterator[Value]:
    """Run one bound call over its input and yield its output.

    Raises ScriptEnded and Terminated. The body is called once for each record, once without
    pipeline input, or once for all of it where the cmdlet is ``whole``.
    """
    try:
        for given in _calls(cmdlet, bound, upstream, streams):
            streams.check()
            if _agreed(bound, given):
                yield from _drained(cmdlet.body(host, given, streams), streams)
    except Terminated as failed:
        raise _named(failed, cmdlet.name) from failed


def _calls(
    cmdlet: Cmdlet, bound: Bound, upstream: Iterable[Value] | None, streams: CallStreams
) -> Iterator[Given]:
    if cmdlet.whole:
        given = _unpiped(bound, piped=upstream is not None)
        yield replace(given, pipeline=tuple(upstream or ()))
    elif upstream is None:
        yield complete(bound)
    else:
        for record in upstream:
            bound_record = bind_record(bound, record)
            if isinstance(bound_record, Refusal):
                streams.error(_not_bound(bound, bound_record, record))
            else:
                yield bound_record


def _unpiped(bound: Bound, *, piped: bool) -> Given:
    if not piped:
        return complete(bound)
    default = bound.definition.default_set
    chosen = default if default in bound.sets else bound.sets[0]
    return Given(bound.definition.name, bound.values, chosen)


def _not_bound(bound: Bound, refusal: Refusal, record: Value) -> ErrorRecord:
    written = refusals.binding_record(bound.definition, refusal)
    return replace(written, target_name=text_of(record), target_type=_type_of(record))


def _type_of(record: Value) -> str:
    types: Iterable[str] = getattr(record, "type_names", ())
    return next(iter(types), type(record).__name__).rpartition(".")[2]


def _agreed(bound: Bound, given: Given) -> bool:
    """Return whether the call may act; raises where a host would have to ask somebody."""
    definition, common = bound.definition, bound.common
    if not definition.should_process:
        return True
    if common.get("WhatIf"):
        return False
    confirm = common.get("Confirm")
    if confirm or (confirm is None and definition.high_impact and not given.flag("Force")):
        raise refusals.cannot_prompt(definition)
    return True


def _drained(output: Iterable[Value], streams: CallStreams) -> Iterator[Value]:
    """Yield what the body yields and what it wrote to its output stream, in order."""
    for value in output:
        yield from _written(streams)
        yield value
    yield from _written(streams)


def _written(streams: CallStreams) -> Iterator[Value]:
    while streams.written:
        yield streams.written.pop(0)


def _named(failed: Terminated, name: str) -> Terminated:
    if failed.record.activity:
        return failed
    return Terminated(replace(failed.record, activity=name))
