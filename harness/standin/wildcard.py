"""PowerShell's wildcards: ``*``, ``?``, ``[a-c]``, a backtick takes the meaning away."""

from __future__ import annotations

import re

TOKEN = re.compile(
    r"`(?P<plain>.)|\[(?P<set>[^\]]+)\]|(?P<any>\*)|(?P<one>\?)|(?P<text>.)", re.DOTALL
)


def has_wildcards(pattern: str) -> bool:
    """Tell whether a name is a pattern."""
    return any(m.lastgroup in ("set", "any", "one") for m in TOKEN.finditer(pattern))


def matches(pattern: str, text: str) -> bool:
    """Tell whether the whole text fits the pattern, without regard to case."""
    return re.fullmatch(_regex(pattern), text, re.IGNORECASE | re.DOTALL) is not None


def _regex(pattern: str) -> str:
    return "".join(_piece(m) for m in TOKEN.finditer(pattern))


def _piece(found: re.Match[str]) -> str:
    if found["any"]:
        return ".*"
    if found["one"]:
        return "."
    if found["set"]:
        inside = re.sub(r"[\\\^\[\]&~|]", lambda m: "\\" + m[0], found["set"])
        return f"[{inside}]"
    return re.escape(found["plain"] or found["text"])
