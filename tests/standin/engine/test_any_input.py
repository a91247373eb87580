"""Whatever a client sends, the answer is a result or an ErrorRecord."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.standin.api import ErrorRecord, Terminated
from harness.standin.binder import bind_arguments, complete
from harness.standin.contract import contract_of
from harness.standin.conversion import Unconvertible, convert
from harness.standin.definition import ParameterType
from harness.standin.language import Parser
from harness.standin.releases import RELEASES
from harness.standin.values import Record

CONTRACT = contract_of(RELEASES["2022"])
NAMES = (
    "Int16", "Int32", "Int64", "UInt32", "UInt64", "Byte", "Double", "Boolean", "Guid", "Char",
    "DateTime", "TimeSpan", "String", "Hashtable", "PSCredential", "VirtualMachine", "CimSession",
)  # fmt: skip
TYPES = [ParameterType(name) for name in NAMES] + [ParameterType("String", array=True)]
PIECES = st.sampled_from(
    ["$x", "=", "'", '"', "@{", "}", "(", ")", "[int]", "if", "foreach", "|", ";", "\n", "-eq",
     "-Name:", "-Force", "Get-VM", "4GB", ",", ".", "`", "<#", "#>", "param(", "throw", " ", "é"]
)  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
    | st.sampled_from([UUID(int=1), datetime(2026, 1, 1, tzinfo=UTC), timedelta(1),
                       Record(("X",)), b"x", "1e999", "99999999999999999999", "1:2:3", "9" * 400]),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)  # fmt: skip


def refusal(action: Callable[[], object]) -> ErrorRecord | None:
    try:
        action()
    except Terminated as refused:
        return refused.record
    return None


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES | st.text(max_size=4), max_size=12).map("".join), st.booleans())
def test_any_text_is_parsed_or_refused(text: str, full: bool) -> None:  # noqa: FBT001 - given
    record = refusal(lambda: Parser(text, full=full).script())
    assert record is None or record.category == "ParserError"


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["Set-VM", "New-VHD", "Get-VM", "Set-VMMemory", "Get-WinEvent", "Start-Sleep"]),
    st.lists(st.tuples(st.none() | st.text(max_size=5), VALUES), max_size=4),
)
def test_any_arguments_are_bound_or_refused(name: str, arguments: list[tuple[Any, Any]]) -> None:
    definition = CONTRACT.find(name)
    assert definition is not None
    record = refusal(lambda: complete(bind_arguments(definition, arguments, piped=False)))
    assert record is None or record.fqid.endswith(definition.type_name)


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(TYPES), VALUES)
def test_any_value_is_converted_or_not(kind: ParameterType, value: Any) -> None:  # noqa: ANN401 - any
    with suppress(Unconvertible):
        convert(value, kind)
