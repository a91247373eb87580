r"""Log lines inside a record of fields: the journal's JSON and verbose forms, Docker's JSON.

{"__REALTIME_TIMESTAMP":"1623442591123456","_TRANSPORT":"kernel","MESSAGE":"hv_vmbus: ..."}
    MESSAGE=hv_vmbus: ...                                     (journalctl -o verbose, -o export)
{"log":"[    0.000000] Linux version ...\\n","stream":"stdout","time":"..."}
"""

from __future__ import annotations

import json
import re

_VERBOSE = re.compile(r"[ \t]{0,8}MESSAGE=")


def opened(line: str) -> tuple[str, ...]:
    """Return the lines inside; the line itself where it is none of these."""
    if line.startswith("{"):
        return _of_json(line)
    if "MESSAGE=" in line[:16] and (verbose := _VERBOSE.match(line)):
        return (line[verbose.end() :],)
    return (line,)


def _of_json(line: str) -> tuple[str, ...]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return (line,)
    if not isinstance(fields, dict):
        return (line,)
    if isinstance(said := fields.get("log"), str):
        return tuple(said.splitlines()) or ("",)
    if (message := _text(fields.get("MESSAGE"))) is None:
        return (line,)
    return tuple(f"{_heading(fields)}{part}" for part in message.splitlines())


def _text(message: object) -> str | None:
    """Return the message; one that is not UTF-8 is a list of its bytes."""
    if isinstance(message, list) and all(isinstance(n, int) and 0 <= n < 256 for n in message):
        return bytes(message).decode("utf-8", errors="replace")
    return message if isinstance(message, str) else None


def _heading(fields: dict[str, object]) -> str:
    """Return date, host and tag as syslog would print them."""
    stamp = str(fields.get("__REALTIME_TIMESTAMP", ""))
    date = f"{stamp[:10]}.{stamp[10:]}" if re.fullmatch(r"\d{16}", stamp) else "0000000000.000000"
    if fields.get("_TRANSPORT") == "kernel":
        return f"{date} host kernel: "
    name = re.sub(r"[^\w.@-]", "-", str(fields.get("SYSLOG_IDENTIFIER", "program")))[:60]
    return f"{date} host {name or 'program'}[0]: "
