r"""The one place that writes WQL: the language of ``-Filter`` and ``-Query``.

In WQL a backslash takes the meaning of the next character away, so ``o'neil`` is ``'o\'neil'`` and
``C:\VMs`` is ``'C:\\VMs'`` (Microsoft, "WQL (SQL for WMI)", quoted string literals).
"""

from __future__ import annotations

import re

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SPECIAL = re.compile(r"(['\\])")
_WILD = re.compile(r"([\[%_])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

Constant = str | int | bool


def name(text: str) -> str:
    """Return a class or property name as it is; ValueError for anything else."""
    if not _NAME.fullmatch(text):
        raise ValueError(f"not a WMI name: {text!r}")
    return text


def literal(value: Constant) -> str:
    r"""Return a constant as WQL writes it: ``'o\'neil%'``, ``7``, ``TRUE``."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if _CONTROL.search(value):
        raise ValueError(f"a control character in a WQL text: {value!r}")
    return "'" + _SPECIAL.sub(r"\\\1", value) + "'"


def equals(property_name: str, value: Constant) -> str:
    """Return the condition that a property has a value; % and _ stand for themselves here."""
    return f"{name(property_name)} = {literal(value)}"


def starts_with(property_name: str, text: str) -> str:
    """Return the condition that a property begins with a text, taken plainly (also %, _ and [)."""
    plain = _WILD.sub(r"[\1]", text)
    return f"{name(property_name)} LIKE {literal(plain + '%')}"


def every(*conditions: str) -> str:
    """Return the condition that all of these hold."""
    return " AND ".join(conditions)


def select(class_name: str, *conditions: str) -> str:
    """Return a whole query: all properties of the instances that meet every condition."""
    query = f"SELECT * FROM {name(class_name)}"  # noqa: S608  # names are checked, values escaped
    return f"{query} WHERE {every(*conditions)}" if conditions else query
