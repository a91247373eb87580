"""Get-WinEvent, over what the host recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from harness.standin.api import ErrorRecord, Given, Streams, Terminated
from harness.standin.cmdlet import Cmdlet
from harness.standin.conversion import text_of
from harness.standin.values import Int64, Record, Value
from harness.standin.wildcard import has_wildcards, matches
from harness.standin.world import Event

if TYPE_CHECKING:
    from harness.standin.host import Host

_LEVELS = {"Critical": 1, "Error": 2, "Warning": 3, "Information": 4, "Verbose": 5}
_LOGS = (
    "System", "Application", "Microsoft-Windows-Hyper-V-VMMS-Admin",
    "Microsoft-Windows-Hyper-V-Worker-Admin",
)  # fmt: skip
_CHAIN = ("System.Diagnostics.Eventing.Reader.EventLogRecord",
          "System.Diagnostics.Eventing.Reader.EventRecord", "System.Object")  # fmt: skip
_KEYS = ("logname", "providername", "id", "level", "starttime", "endtime")


def get_events(host: Host, given: Given, streams: Streams) -> Iterator[Value]:
    """Get-WinEvent: by log, provider or hashtable; the newest first unless -Oldest."""
    if "ListLog" in given:
        yield from _logs(given, streams)
        return
    _refuse_queries(given)
    filters = _filters(given)
    if not _known_logs(filters, given, streams):
        return
    with host.lock:
        numbered = list(enumerate(host.world.events, 1))
    found = [(n, e) for n, e in numbered if any(_passes(e, f) for f in filters)]
    ordered = found if given.flag("Oldest") else found[::-1]
    most = given.get("MaxEvents")
    kept = ordered[:most] if isinstance(most, int) else ordered
    if not kept:
        streams.error(_refusal("NoMatchingEventsFound", "No events were found that match the"
                               " specified selection criteria."))  # fmt: skip
    yield from (_record(host.name, number, event) for number, event in kept)


def _refuse_queries(given: Given) -> None:
    for name in ("FilterXPath", "FilterXml"):
        if name in given:
            raise Terminated(ErrorRecord(
                "NotImplemented,HvcertStandIn", "NotImplemented",
                ("System.NotImplementedException", "System.Exception", "System.Object"),
                "The stand-in host does not read event queries; use -FilterHashtable instead of"
                f" -{name}.",
                given.cmdlet,
            ))  # fmt: skip


def _filters(given: Given) -> list[Mapping[str, Value]]:
    if "FilterHashtable" in given:
        tables = given["FilterHashtable"]
        listed = tables if isinstance(tables, list) else [tables]
        return [_checked(t) for t in listed if isinstance(t, dict)]
    if "ProviderName" in given:
        return [{"providername": given["ProviderName"]}]
    return [{"logname": given.get("LogName", "*")}]


def _checked(table: Mapping[str, Value]) -> Mapping[str, Value]:
    lowered = {key.lower(): value for key, value in table.items()}
    for key in lowered:
        if key not in _KEYS:
            raise Terminated(_refusal("NotSupportedKey", f"The key '{key}' of -FilterHashtable is"
                                      " not one that the stand-in host knows."))  # fmt: skip
    return lowered


def _listed(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [value]


def _known_logs(filters: Iterable[Mapping[str, Value]], given: Given, streams: Streams) -> bool:
    known = True
    for name in (text_of(n) for f in filters for n in _listed(f.get("logname", "*"))):
        if not any(matches(name, log) for log in _LOGS):
            known = False
            streams.error(_no_log(name))
    return known or "ProviderName" in given


def _log_of(event: Event) -> str:
    return f"{event.source}-Admin" if f"{event.source}-Admin" in _LOGS else "System"


def _passes(event: Event, wanted: Mapping[str, Value]) -> bool:
    texts = {"logname": _log_of(event), "providername": event.source}
    numbers = {"id": event.id, "level": _LEVELS.get(event.level, 4)}
    start, end = wanted.get("starttime"), wanted.get("endtime")
    return (
        all(_any_text(text, wanted[key]) for key, text in texts.items() if key in wanted)
        and all(number in _listed(wanted[key]) for key, number in numbers.items() if key in wanted)
        and not (isinstance(start, datetime) and event.at < _aware(start, event.at))
        and not (isinstance(end, datetime) and event.at > _aware(end, event.at))
    )


def _any_text(text: str, patterns: Value) -> bool:
    return any(matches(text_of(pattern), text) for pattern in _listed(patterns))


def _aware(at: datetime, like: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=like.tzinfo)


def _record(host: str, number: int, event: Event) -> Record:
    values: dict[str, Value] = {
        "Message": event.text,
        "Id": event.id,
        "Level": _LEVELS.get(event.level, 4),
        "LevelDisplayName": event.level,
        "ProviderName": event.source,
        "LogName": _log_of(event),
        "MachineName": host,
        "RecordId": Int64(number),
        "TimeCreated": event.at,
    }
    return Record(_CHAIN, values, "System.Diagnostics.Eventing.Reader.EventLogRecord")


def _logs(given: Given, streams: Streams) -> Iterator[Value]:
    for pattern in (text_of(p) for p in _listed(given["ListLog"])):
        found = [log for log in _LOGS if matches(pattern, log)]
        if not found and not has_wildcards(pattern):
            streams.error(_no_log(pattern))
        for log in found:
            kind = "System.Diagnostics.Eventing.Reader.EventLogConfiguration"
            yield Record((kind, "System.Object"), {"LogName": log, "IsEnabled": True}, log)


def _no_log(name: str) -> ErrorRecord:
    text = f'There is not an event log on the localhost computer that matches "{name}".'
    return _refusal("NoMatchingLogsFound", text, name)


def _refusal(error_id: str, message: str, target: str = "") -> ErrorRecord:
    return ErrorRecord(
        f"{error_id},Microsoft.PowerShell.Commands.GetWinEventCommand", "ObjectNotFound",
        ("System.Exception", "System.Object"), message, "Get-WinEvent", "Exception", target,
        "String" if target else "",
    )  # fmt: skip


CMDLETS: tuple[Cmdlet, ...] = (Cmdlet("Get-WinEvent", get_events),)
