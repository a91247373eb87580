"""The cmdlets of Windows PowerShell that work on any object: select, filter, sort, count, print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cmp_to_key
from threading import Event
from typing import TYPE_CHECKING

from harness.standin.api import ErrorRecord, Given, Streams, Terminated
from harness.standin.cmdlet import Cmdlet
from harness.standin.comparison import TESTS, has_member, member, order, properties, truth
from harness.standin.conversion import Unconvertible, text_of
from harness.standin.formatting import console_lines
from harness.standin.values import Record, Value
from harness.standin.wildcard import has_wildcards, matches

if TYPE_CHECKING:
    from harness.standin.host import Host

_CUSTOM = ("System.Management.Automation.PSCustomObject", "System.Object")
_EXCEPTIONS = ("System.Management.Automation.PSArgumentException", "System.ArgumentException",
               "System.SystemException", "System.Exception", "System.Object")  # fmt: skip


def refusal(
    cmdlet: str, error_id: str, message: str, category: str = "InvalidArgument"
) -> ErrorRecord:
    """Return an argument error as a cmdlet of Windows PowerShell writes it."""
    return ErrorRecord(
        f"{error_id},Microsoft.PowerShell.Commands.{cmdlet.replace('-', '')}Command", category,
        _EXCEPTIONS, message, cmdlet, "PSArgumentException",
    )  # fmt: skip


def _input(given: Given) -> list[Value]:
    if given.pipeline or "InputObject" not in given:
        return list(given.pipeline)
    value = given["InputObject"]
    return list(value) if isinstance(value, list) else [value]


# --- Select-Object -------------------------------------------------------------------------------


def select_object(_: Host, given: Given, streams: Streams) -> Iterator[Value]:
    """Select-Object: some objects, and some properties of them."""
    chosen = _chosen(given, _input(given))
    if "ExpandProperty" in given:
        chosen = list(_expanded(str(given["ExpandProperty"]), chosen, streams))
    elif "Property" in given:
        chosen = [_selected(value, given) for value in chosen]
    yield from _unique(chosen) if given.flag("Unique") else chosen


def _chosen(given: Given, values: list[Value]) -> list[Value]:
    if "Index" in given:
        wanted = set(_numbers(given["Index"]))
        return [value for at, value in enumerate(values) if at in wanted]
    skip, first, last = (_number(given, name) for name in ("Skip", "First", "Last"))
    if last is not None and first is None:
        kept = values[: len(values) - (skip or 0)]
        return kept[-last:] if last else []
    kept = values[skip or 0 :]
    if first is None:
        return kept
    tail = kept[max(first, len(kept) - last) :] if last else []
    return [*kept[:first], *tail]


def _number(given: Given, name: str) -> int | None:
    value = given.get(name)
    return value if isinstance(value, int) else None


def _numbers(value: Value) -> list[int]:
    return [n for n in (value if isinstance(value, list) else [value]) if isinstance(n, int)]


def _expanded(name: str, values: Iterable[Value], streams: Streams) -> Iterator[Value]:
    for value in values:
        if not has_member(value, name):
            streams.error(
                refusal("Select-Object", "ExpandPropertyNotFound",
                        f'Property "{name}" cannot be found.')
            )  # fmt: skip
            continue
        found = member(value, name)
        yield from found if isinstance(found, list) else (found,)


def _selected(value: Value, given: Given) -> Record:
    excluded = _texts(given.get("ExcludeProperty"))
    found = {
        name: item
        for name, item in _picked(value, given["Property"]).items()
        if not any(matches(pattern, name) for pattern in excluded)
    }
    kind = value.type_names[0] if isinstance(value, Record) else f"System.{_dotnet(value)}"
    shown = "; ".join(f"{name}={text_of(item)}" for name, item in found.items())
    return Record((f"Selected.{kind}", *_CUSTOM), found, f"@{{{shown}}}")


def _dotnet(value: Value) -> str:
    return {str: "String", int: "Int32", dict: "Collections.Hashtable"}.get(type(value), "Object")


def _picked(value: Value, wanted: Value) -> dict[str, Value]:
    found: dict[str, Value] = {}
    known = properties(value)
    for name in wanted if isinstance(wanted, list) else [wanted]:
        if isinstance(name, dict):
            label, source = _calculated(name)
            found[label] = member(value, source)
        elif has_wildcards(text_of(name)):
            found.update({k: v for k, v in known.items() if matches(text_of(name), k)})
        else:
            spelled = next((k for k in known if k.lower() == text_of(name).lower()), text_of(name))
            found[spelled] = known.get(spelled)
    return found


def _calculated(column: Mapping[str, Value]) -> tuple[str, str]:
    """Read ``@{Name='x'; Expression='Property'}``; keys may be cut short, as in PowerShell."""
    keys = {key.lower(): text_of(value) for key, value in column.items()}
    label = next((v for k, v in keys.items() if "name".startswith(k) or "label".startswith(k)), "")
    source = next((v for k, v in keys.items() if "expression".startswith(k)), "")
    if not label or not source:
        problem = "A calculated property needs a Name and an Expression."
        raise Terminated(refusal("Select-Object", "DictionaryKeyIllegal", problem))
    return label, source


def _unique(values: Iterable[Value]) -> Iterator[Value]:
    seen = set()
    for value in values:
        key = repr([(k, text_of(v)) for k, v in properties(value).items()] or text_of(value))
        if key not in seen:
            seen.add(key)
            yield value


def _texts(value: Value) -> list[str]:
    if value is None:
        return []
    return [text_of(item) for item in (value if isinstance(value, list) else [value])]


# --- filters and order ---------------------------------------------------------------------------


def where_object(_: Host, given: Given, __: Streams) -> Iterator[Value]:
    """Where-Object in its simple form: one property, one operator, one value."""
    value = given.get("InputObject")
    found = member(value, str(given["Property"]))
    operator = next((name for name in TESTS if given.flag(_switch(name))), None)
    if operator is None and "Value" not in given:
        kept = truth(found)
    else:
        try:
            kept = TESTS[operator or "eq"](found, given.get("Value"))
        except Unconvertible:
            kept = False
    if kept:
        yield value


_SWITCHES = {name.lower(): name for name in (
    "EQ", "NE", "GT", "GE", "LT", "LE", "Like", "NotLike", "Match", "NotMatch", "Contains",
    "NotContains", "In", "NotIn",
)}  # fmt: skip


def _switch(operator: str) -> str:
    return _SWITCHES[operator]


def for_each_object(_: Host, given: Given, __: Streams) -> Iterator[Value]:
    """ForEach-Object -MemberName: one property of each object."""
    found = member(given.get("InputObject"), str(given["MemberName"]))
    yield from found if isinstance(found, list) else () if found is None else (found,)


def sort_object(_: Host, given: Given, __: Streams) -> Iterator[Value]:
    """Sort-Object: by properties, or by the objects themselves."""
    names = _texts(given.get("Property"))

    def compared(left: Value, right: Value) -> int:
        pairs = [(member(left, n), member(right, n)) for n in names] or [(left, right)]
        return next((result for a, b in pairs if (result := _ordered(a, b))), 0)

    found = sorted(_input(given), key=cmp_to_key(compared), reverse=given.flag("Descending"))
    yield from _unique(found) if given.flag("Unique") else found


def _ordered(left: Value, right: Value) -> int:
    try:
        return order(left, right)
    except Unconvertible:
        return order(text_of(left), text_of(right))


def measure_object(_: Host, given: Given, streams: Streams) -> Iterator[Value]:
    """Measure-Object: count, sum, average, extremes."""
    values = _input(given)
    for name in _texts(given.get("Property")) or [""]:
        found: list[Value] = [
            v for v in (member(o, name) if name else o for o in values) if v is not None
        ]
        if name and values and not found:
            streams.error(refusal("Measure-Object", "GenericMeasurePropertyNotFound",
                                  f'The property "{name}" cannot be found in the input for any'
                                  " objects."))  # fmt: skip
            continue
        yield _measured(given, name, found)


def _measured(given: Given, name: str, found: list[Value]) -> Record:
    numbers = [n for n in found if isinstance(n, int | float)]
    total = float(sum(numbers))
    results: dict[str, Value] = {
        "Count": len(found),
        "Average": total / len(numbers) if given.flag("Average") and numbers else None,
        "Sum": total if given.flag("Sum") else None,
        "Maximum": float(max(numbers)) if given.flag("Maximum") and numbers else None,
        "Minimum": float(min(numbers)) if given.flag("Minimum") and numbers else None,
        "Property": name or None,
    }
    kind = "Microsoft.PowerShell.Commands.GenericMeasureInfo"
    return Record((kind, "Microsoft.PowerShell.Commands.MeasureInfo", "System.Object"), results)


# --- output --------------------------------------------------------------------------------------


def out_string(host: Host, given: Given, _: Streams) -> Iterator[Value]:
    """Out-String: what a console shows, as one string or line by line."""
    lines = list(console_lines(_input(given), host.release))
    if given.flag("Stream"):
        yield from lines
    else:
        yield "".join(f"{line}\r\n" for line in lines)


def out_default(_: Host, given: Given, __: Streams) -> Iterator[Value]:
    """Out-Default: over remoting, objects go to the client as they are."""
    yield given.get("InputObject")


def out_null(_: Host, __: Given, ___: Streams) -> Iterator[Value]:
    """Out-Null: nothing."""
    return iter(())


def write_output(_: Host, given: Given, __: Streams) -> Iterator[Value]:
    """Write-Output: its arguments, one by one."""
    value = given["InputObject"]
    if isinstance(value, list) and not given.flag("NoEnumerate"):
        yield from value
    else:
        yield value


def start_sleep(_: Host, given: Given, streams: Streams) -> Iterator[Value]:
    """Start-Sleep: wait, and look every tenth of a second whether the client asked to stop."""
    in_seconds, in_milliseconds = _number(given, "Seconds"), _number(given, "Milliseconds")
    left = in_seconds if in_seconds is not None else (in_milliseconds or 0) / 1000
    while left > 0:
        streams.check()
        Event().wait(min(left, 0.1))
        left -= 0.1
    return iter(())


CMDLETS: tuple[Cmdlet, ...] = (
    Cmdlet("Select-Object", select_object, whole=True),
    Cmdlet("Where-Object", where_object),
    Cmdlet("ForEach-Object", for_each_object),
    Cmdlet("Sort-Object", sort_object, whole=True),
    Cmdlet("Measure-Object", measure_object, whole=True),
    Cmdlet("Out-String", out_string, whole=True),
    Cmdlet("Out-Default", out_default),
    Cmdlet("Out-Null", out_null),
    Cmdlet("Write-Output", write_output),
    Cmdlet("Start-Sleep", start_sleep),
)
