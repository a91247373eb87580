"""A small host for tests: answers calls from a table of functions, and remembers what was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from harness.errors import ErrorRecordFacts, HostRefused
from harness.evidence import Evidence
from harness.host.command import Call, Cmdlet, FixedScript, Value
from harness.host.render import render_call, render_objects
from harness.host.session import Answer, HostObject, HostValue

Reply = Callable[[Mapping[str, Value]], tuple[HostValue, ...]]


def _nothing(_given: Mapping[str, Value]) -> tuple[HostValue, ...]:
    return ()


class AnsweringHost:
    """Satisfies HostSession; a call that the table lacks answers nothing."""

    name = "hv"

    def __init__(self, replies: Mapping[str, Reply]) -> None:
        self.replies, self.asked = dict(replies), list[str]()

    def run(self, call: Call, *, within: timedelta = timedelta(minutes=1)) -> Answer:
        assert within > timedelta(0)
        assert isinstance(call, Cmdlet | FixedScript)
        self.asked.append(render_call(call))
        objects = self.replies.get(call.name, _nothing)(call.parameters)
        return Answer(objects, Evidence(render_call(call), render_objects(objects), "host hv"))


def thing(**properties: HostValue) -> HostObject:
    return HostObject(("Thing",), properties)


def refuse(fqid: str, exception: str = "System.Exception") -> Reply:
    def reply(_given: Mapping[str, Value]) -> tuple[HostValue, ...]:
        facts = ErrorRecordFacts(fqid, "InvalidArgument", exception, "localised words")
        raise HostRefused("hv", "command", facts)

    return reply
