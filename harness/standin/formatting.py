"""What a console shows of objects: text as it is, default tables where known, else lists.

The columns are those that were seen on real hosts (``default_tables`` of objects.json). Columns are
as wide as their content: unlike a real console of 80 columns, nothing is cut off.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby

from harness.standin.comparison import member, properties
from harness.standin.contract_source import default_tables
from harness.standin.conversion import text_of
from harness.standin.releases import Release
from harness.standin.values import Record, Value

_VM = "Microsoft.HyperV.PowerShell.VirtualMachine"
_TABLES = {
    "Microsoft.HyperV.PowerShell.HardDiskDrive": "Get-VMHardDiskDrive",
    "Microsoft.HyperV.PowerShell.DvdDrive": "Get-VMDvdDrive",
    "Microsoft.HyperV.PowerShell.VMIntegrationComponent": "Get-VMIntegrationService",
    "Microsoft.HyperV.PowerShell.VMMemory": "Get-VMMemory",
    "Microsoft.HyperV.PowerShell.VMProcessor": "Get-VMProcessor",
    "Microsoft.HyperV.PowerShell.VMSnapshot": "Get-VMSnapshot",
    "Microsoft.HyperV.PowerShell.VMNetworkAdapter": "Get-VMNetworkAdapter",
}
_OWN_TABLES: Mapping[str, tuple[str, ...]] = {
    "System.IO.FileInfo": ("Mode", "LastWriteTime", "Length", "Name"),
    "System.IO.DirectoryInfo": ("Mode", "LastWriteTime", "Length", "Name"),
    "System.ServiceProcess.ServiceController": ("Status", "Name", "DisplayName"),
    "System.Management.Automation.CmdletInfo": ("CommandType", "Name", "Version", "Source"),
    "System.Management.Automation.PSModuleInfo": ("ModuleType", "Version", "Name"),
    "System.Management.Automation.PSDriveInfo": ("Name", "Used", "Free", "Provider", "Root"),
    "System.Diagnostics.Eventing.Reader.EventLogRecord": (
        "TimeCreated", "Id", "LevelDisplayName", "Message",
    ),
}  # fmt: skip
_MOST_TABLE_COLUMNS = 4  # PowerShell lists objects with more properties, if no view is known
_COLUMN = re.compile(r"(?P<name>[^(]+)(?:\((?P<unit>.+)\))?")


def console_lines(values: Iterable[Value], release: Release) -> Iterator[str]:
    """Yield the lines that a console shows, without line ends."""
    for kind, group in groupby(values, key=_kind):
        if kind == "":
            for value in group:
                yield from _text_lines(value)
        else:
            yield from _objects([v for v in group if isinstance(v, Record)], release)


def _kind(value: Value) -> str:
    return value.type_names[0] if isinstance(value, Record) and value.properties else ""


def _text_lines(value: Value) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _table([("Name", "Value"), *((k, shown(v)) for k, v in value.items())])
    elif value is not None:
        yield from shown_top(value).splitlines() or [""]


def shown_top(value: Value) -> str:
    """Return the text of a value that stands alone."""
    if isinstance(value, datetime):
        return f"{value:%A, %B} {value.day}, {value.year} {_clock(value)}"
    return text_of(value)


def shown(value: Value) -> str:
    """Return the text of a value inside a table or list."""
    if isinstance(value, list):
        return "{" + ", ".join(shown(item) for item in value) + "}"
    if isinstance(value, datetime):
        return f"{value.month}/{value.day}/{value.year} {_clock(value)}"
    return text_of(value)


def _clock(at: datetime) -> str:
    return f"{at.hour % 12 or 12}:{at:%M:%S} {'AM' if at.hour < 12 else 'PM'}"


def _objects(records: list[Record], release: Release) -> Iterator[str]:
    columns = _columns(records[0], release)
    if columns:
        rows = [tuple(_cell(record, column) for column in columns) for record in records]
        yield from _table([columns, *rows], [_is_number(records[0], c) for c in columns])
    else:
        for record in records:
            yield from _list(record)
        yield from ("", "")


def _columns(record: Record, release: Release) -> tuple[str, ...]:
    kind = record.type_names[0]
    if kind == _VM:
        years = "2012, 2012 R2" if release.key == "2012r2" else "2016 and later"
        return default_tables()[f"Get-VM ({years})"]
    if kind in _TABLES:
        return default_tables()[_TABLES[kind]]
    names = tuple(properties(record))
    return _OWN_TABLES.get(kind, names if len(names) <= _MOST_TABLE_COLUMNS else ())


def _cell(record: Record, column: str) -> str:
    return shown(_column_value(record, column))


def _column_value(record: Record, column: str) -> Value:
    found = _COLUMN.fullmatch(column)
    if found is None:
        return None
    value = member(record, found["name"])
    return value // (1 << 20) if found["unit"] == "M" and isinstance(value, int) else value


def _is_number(record: Record, column: str) -> bool:
    value = _column_value(record, column)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _table(rows: list[tuple[str, ...]], right: list[bool] | None = None) -> Iterator[str]:
    """Yield a table: a blank line, headings, dashes, rows, two blank lines."""
    heading, *body = rows
    widths = [max(len(row[at]) for row in rows) for at in range(len(heading))]
    to_right = right or [False] * len(heading)
    yield ""
    yield _row(heading, widths, to_right)
    yield _row(tuple("-" * len(name) for name in heading), widths, to_right)
    for row in body:
        yield _row(row, widths, to_right)
    yield from ("", "")


def _row(cells: tuple[str, ...], widths: list[int], right: list[bool]) -> str:
    placed = (
        cell.rjust(width) if to_right else cell.ljust(width)
        for cell, width, to_right in zip(cells, widths, right, strict=True)
    )
    return " ".join(placed).rstrip()


def _list(record: Record) -> Iterator[str]:
    known = properties(record)
    width = max(map(len, known))
    yield ""
    for name, value in known.items():
        first, *rest = shown(value).splitlines() or [""]
        yield f"{name.ljust(width)} : {first}".rstrip()
        yield from (" " * (width + 3) + line for line in rest)
