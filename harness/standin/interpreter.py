"""Running parsed PowerShell text: statements in order, variables in one scope.

An error that ends one command ends its statement, not the script, as on a real host: the record
goes to the error stream and the next statement runs. ``throw`` and ``-ErrorAction Stop`` end the
script.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from harness.standin import refusals
from harness.standin.api import CommandCall, ErrorRecord, Streams, Terminated
from harness.standin.comparison import member, operate, truth
from harness.standin.contract_reading import parameter_type
from harness.standin.conversion import Unconvertible, convert, text_of
from harness.standin.pipeline import ScriptEnded
from harness.standin.syntax import (
    Assign,
    Binary,
    Cast,
    Command,
    Exit,
    Expression,
    Foreach,
    Grouped,
    Hash,
    If,
    ListOf,
    Literal,
    Member,
    Not,
    Pipeline,
    Script,
    Statement,
    Throw,
    Variable,
)
from harness.standin.values import Record, Value

PREFERENCE = "erroractionpreference"
Written = tuple[str | None, Value, bool]  # name, value, whether a value was written


class Exited(Exception):
    """``exit`` or ``return``."""


class Runner(Protocol):
    """What runs the commands of a script."""

    def call(self, name: str, written: Sequence[Written]) -> CommandCall:
        """Pair a command's parameters with their arguments."""

    def pipeline(
        self,
        calls: Sequence[CommandCall],
        upstream: Iterable[Value] | None,
        streams: Streams,
        preference: str,
    ) -> Iterator[Value]:
        """Run commands joined by pipes."""  # fmt: skip


class Interpreter:
    """One run of one script; ``variables`` are keyed by lower-case name."""

    def __init__(self, runner: Runner, streams: Streams, variables: dict[str, Value]) -> None:
        self.runner, self.streams, self.variables = runner, streams, variables

    def run(self, script: Script) -> Iterator[Value]:
        """Run the script and yield what it writes; raises ScriptEnded or Terminated."""
        try:
            yield from self._statements(script.body)
        except Exited:
            return

    def _statements(self, body: Iterable[Statement]) -> Iterator[Value]:
        for statement in body:
            self.streams.check()
            try:
                yield from self._statement(statement)
            except Terminated as failed:
                if self._preference() == "Stop":
                    raise ScriptEnded(failed.record) from failed
                if self._preference() not in ("SilentlyContinue", "Ignore"):
                    self.streams.error(failed.record)

    def _preference(self) -> str:
        return text_of(self.variables.get(PREFERENCE, "Continue")) or "Continue"

    def _statement(self, statement: Statement) -> Iterator[Value]:
        match statement:
            case Pipeline():
                yield from self._flow(statement)
            case Assign(name, value):
                self.variables[name.lower()] = self._kept(value)
            case If(branches):
                yield from self._if(branches)
            case Foreach():
                yield from self._foreach(statement)
            case Throw(value):
                raise ScriptEnded(_thrown("ScriptHalted" if value is None else self._text(value)))
            case Exit(value):
                yield from self._flow(value) if value else ()
                raise Exited

    def _if(
        self, branches: Iterable[tuple[Pipeline | None, tuple[Statement, ...]]]
    ) -> Iterator[Value]:
        for condition, body in branches:
            if condition is None or truth(self._kept(condition)):
                yield from self._statements(body)
                return

    def _foreach(self, loop: Foreach) -> Iterator[Value]:
        for item in list(self._flow(loop.items)):
            self.variables[loop.name.lower()] = item
            yield from self._statements(loop.body)

    def _text(self, expression: Expression) -> str:
        return text_of(self._value(expression))

    # --- pipelines -------------------------------------------------------------------------------

    def _flow(self, pipeline: Pipeline) -> Iterator[Value]:
        first, *rest = pipeline.parts
        if isinstance(first, Command):
            calls = [self._call(part) for part in pipeline.parts]
            return self.runner.pipeline(calls, None, self.streams, self._preference())
        values = _unrolled(self._value(first))
        if not rest:
            return values
        calls = [self._call(part) for part in rest]
        return self.runner.pipeline(calls, values, self.streams, self._preference())

    def _kept(self, pipeline: Pipeline) -> Value:
        """Return what an assignment keeps: an expression as it is, else the commands' output."""
        first = pipeline.parts[0]
        if len(pipeline.parts) == 1 and not isinstance(first, Command):
            return self._value(first)
        return _collapsed(list(self._flow(pipeline)))

    def _call(self, part: Command | Expression) -> CommandCall:
        if not isinstance(part, Command):
            raise refusals.parse_failed(
                "ExpressionsMustBeFirstInPipeline",
                "Expressions are only allowed as the first element of a pipeline.",
            )
        written = [
            (a.name, None if a.value is None else self._value(a.value), a.value is not None)
            for a in part.arguments
        ]
        return self.runner.call(part.name, written)

    # --- expressions -----------------------------------------------------------------------------

    def _value(self, expression: Expression) -> Value:
        match expression:
            case Literal(value):
                return value
            case Variable(name):
                return self.variables.get(name.lower())
            case Member(target, name):
                return member(self._value(target), name)
            case ListOf(items):
                return [self._value(item) for item in items]
            case Grouped(body, array):
                found = list(self._statements(body))
                return found if array else _collapsed(found)
            case _:
                return self._composed(expression)

    def _composed(self, expression: Expression) -> Value:
        match expression:
            case Hash(entries):
                return {key: self._kept(value) for key, value in entries}
            case Cast(type_name, operand):
                return _cast(type_name, self._value(operand))
            case Not(operand):
                return not truth(self._value(operand))
            case Binary("and", left, right):
                return truth(self._value(left)) and truth(self._value(right))
            case Binary("or", left, right):
                return truth(self._value(left)) or truth(self._value(right))
            case Binary(operator, left, right):
                return _operated(operator, self._value(left), self._value(right))
            case _:
                raise TypeError(expression)


def _operated(operator: str, left: Value, right: Value) -> Value:
    try:
        return operate(operator, left, right)
    except Unconvertible as unable:
        raise refusals.runtime_failed("ComparisonFailure", unable.reason) from None


def _collapsed(values: list[Value]) -> Value:
    """Return what an assignment keeps of a pipeline's output: nothing, one value, or an array."""
    return values[0] if len(values) == 1 else (values or None)


def _unrolled(value: Value) -> Iterator[Value]:
    if isinstance(value, list):
        return iter(value)
    return iter(() if value is None else (value,))


def _thrown(text: str) -> ErrorRecord:
    return refusals.runtime_failed(text, text, "OperationStopped").record


def _cast(type_name: str, value: Value) -> Value:
    if type_name in ("pscustomobject", "ordered"):
        return _custom_object(value) if type_name == "pscustomobject" else value
    try:
        return convert(value, parameter_type(type_name, ()))
    except Unconvertible as unable:
        raise refusals.runtime_failed("InvalidCastFromStringToType", unable.reason) from None


def _custom_object(value: Value) -> Value:
    if not isinstance(value, dict):
        return value
    shown = "; ".join(f"{name}={text_of(item)}" for name, item in value.items())
    types = ("System.Management.Automation.PSCustomObject", "System.Object")
    return Record(types, dict(value), f"@{{{shown}}}")
