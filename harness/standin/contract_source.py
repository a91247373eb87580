"""The contract data files, read a line at a time.

Every file holds one entry per line, so that a cmdlet's definition costs the parsing of its own line
and nothing else: the text of a release stays small in memory, its parsed form would not.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

Raw = dict[str, Any]

_ENTRY = re.compile(r'"([^"]+)":')
_SECTION_KEY = re.compile(r'"([^"]+)":[{\[]')


def data_text(path: str) -> str:
    """Return the text of one contract file, e.g. ``winserver2016-ps/Hyper-V.json``."""
    return files("harness.standin").joinpath("contract_data", path).read_text(encoding="utf-8")


@cache
def rows(path: str) -> dict[str, dict[str, str]]:
    """Return the entries of a file as text: section → entry name → its line.

    A file without sections beside ``cmdlets`` has that one; one with several modules has one
    section for each. An absent file is empty: not every docset has every module.
    """
    try:
        text = data_text(path)
    except FileNotFoundError:
        return {}
    found: dict[str, dict[str, str]] = {}
    section: dict[str, str] = {}
    for number, line in enumerate(text.splitlines()):
        if line.endswith(("{", "[")):
            section = found.setdefault(_section_of(line, first=number == 0), {})
        elif entry := _ENTRY.match(line):
            section[entry[1]] = line[entry.end() :].rstrip(",")
    return found


def _section_of(line: str, *, first: bool) -> str:
    keys = _SECTION_KEY.findall(line)
    return "" if not keys else str(keys[-1] if first else keys[0])


def entry(path: str, section: str, name: str) -> Raw | list[str] | None:
    """Return one parsed entry, or None. Names are case-insensitive, as PowerShell's are."""
    line = rows(path).get(section, {}).get(_spelling(path, section).get(name.lower(), ""))
    if line is None:
        return None
    value: Raw | list[str] | str = json.loads(line)
    if isinstance(value, str):  # "=winserver2016-ps": as in that docset
        module = path.split("/", 1)[1]
        return entry(f"{value[1:]}/{module}", section, name)
    return value


def names(path: str, section: str = "cmdlets") -> tuple[str, ...]:
    """Return the entries' names of a section as they are spelled there."""
    return tuple(rows(path).get(section, {}))


@cache
def _spelling(path: str, section: str) -> dict[str, str]:
    return {name.lower(): name for name in names(path, section)}


def definition(path: str, name: str, section: str = "cmdlets") -> Raw | None:
    """Return a cmdlet's raw definition, or None when the file does not hold it."""
    found = entry(path, section, name)
    return found if isinstance(found, dict) else None


def names_of(path: str, section: str, name: str) -> frozenset[str] | None:
    """Return the bare parameter names that a capture lists for a cmdlet, or None."""
    found = entry(path, section, name)
    return frozenset(found) if isinstance(found, list) else None


@cache
def enums() -> dict[str, dict[str, int]]:
    """Return .NET enums by full type name: value name → number, as a real module declares them."""
    found: dict[str, dict[str, int]] = {}
    for name, line in rows("objects.json").get("enums", {}).items():
        found[name] = json.loads(line)["values"]
    for name, line in rows("reflected/Hyper-V-2.0.0.0.json").get("enums", {}).items():
        found[name] = json.loads(line)
    return found


@cache
def default_tables() -> dict[str, tuple[str, ...]]:
    """Return the columns of the console's default tables, by the label of objects.json."""
    listed = rows("objects.json").get("default_tables", {})
    return {name: tuple(json.loads(line)["columns"]) for name, line in listed.items()}
