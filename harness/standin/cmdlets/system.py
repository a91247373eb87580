"""What a host tells of itself: commands, modules, services, drives, the time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from harness.standin.api import ErrorRecord, Given, Streams
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets import events
from harness.standin.contract import contract_of
from harness.standin.conversion import text_of
from harness.standin.definition import Definition
from harness.standin.formatting import shown_top
from harness.standin.host import now
from harness.standin.releases import Release
from harness.standin.values import EnumValue, Record, UInt64, Value
from harness.standin.wildcard import has_wildcards, matches

if TYPE_CHECKING:
    from harness.standin.host import Host

_COMMANDS = "System.Management.Automation.CommandTypes"
_CMDLET = EnumValue(_COMMANDS, "Cmdlet", 8)
_BASES = ("System.SystemException", "System.Exception", "System.Object")
_VERSIONS = {"CimCmdlets": "1.0.0.0", "Storage": "2.0.0.0", "WindowsServerBackup": "1.0.0.0"}
_SERVICES = (
    ("vmms", "Hyper-V Virtual Machine Management"),
    ("vmcompute", "Hyper-V Host Compute Service"),
    ("WinRM", "Windows Remote Management (WS-Management)"),
    ("EventLog", "Windows Event Log"),
    ("Winmgmt", "Windows Management Instrumentation"),
    ("VSS", "Volume Shadow Copy"),
)
_SINCE_2016 = ("vmcompute",)


def _patterns(value: Value) -> list[str]:
    if value is None:
        return ["*"]
    return [text_of(item) for item in (value if isinstance(value, list) else [value])]


def _fits(name: str, patterns: list[str]) -> bool:
    return any(matches(pattern, name) for pattern in patterns)


def _refusal(cmdlet: str, error_id: str, kind: str, message: str, target: str) -> ErrorRecord:
    return ErrorRecord(
        f"{error_id},Microsoft.PowerShell.Commands.{cmdlet.replace('-', '')}Command",
        "ObjectNotFound", (kind, *_BASES), message, cmdlet, kind.rpartition(".")[2], target,
        "String",
    )  # fmt: skip


# --- commands and modules ------------------------------------------------------------------------


def get_command(host: Host, given: Given, streams: Streams) -> Iterator[Value]:
    """Get-Command: the cmdlets of this release, as its contract has them."""
    contract = contract_of(host.release)
    for pattern in _patterns(given.get("Name")):
        if has_wildcards(pattern):
            found = [contract.find(n) for n in contract.names() if matches(pattern, n)]
        else:
            found = [contract.find(pattern)]
        kept = [_command(host.release, d) for d in found if d and _asked_for(d, given)]
        if not kept and not has_wildcards(pattern):
            streams.error(_refusal(
                "Get-Command", "CommandNotFoundException",
                "System.Management.Automation.CommandNotFoundException",
                f"The term '{pattern}' is not recognized as the name of a cmdlet, function, script"
                " file, or operable program.", pattern,
            ))  # fmt: skip
        yield from kept


def _asked_for(definition: Definition, given: Given) -> bool:
    verb, _, noun = definition.name.partition("-")
    return (
        _fits(definition.module, _patterns(given.get("Module")))
        and _fits(verb, _patterns(given.get("Verb")))
        and _fits(noun, _patterns(given.get("Noun")))
    )


def _command(release: Release, definition: Definition) -> Record:
    values: dict[str, Value] = {
        "Name": definition.name,
        "CommandType": _CMDLET,
        "ModuleName": definition.module,
        "Source": definition.module,
        "Version": _module_version(release, definition.module),
        "Verb": definition.name.partition("-")[0],
        "Noun": definition.name.partition("-")[2],
        "DefaultParameterSet": definition.default_set,
        "Parameters": {p.name: p.type.full_name for p in definition.parameters},
        "ParameterSets": list(definition.sets),
    }
    chain = ("System.Management.Automation.CmdletInfo", "System.Management.Automation.CommandInfo",
             "System.Object")  # fmt: skip
    return Record(chain, values, definition.name)


def _module_version(release: Release, module: str) -> str:
    if module == "Hyper-V":
        return "1.1" if release.key == "2012r2" else "2.0.0.0"
    return _VERSIONS.get(module, "3.1.0.0")


def get_module(host: Host, given: Given, _: Streams) -> Iterator[Value]:
    """Get-Module: the modules whose cmdlets the stand-in has; all count as loaded."""
    contract = contract_of(host.release)
    defined = [d for d in map(contract.find, contract.names()) if d is not None]
    for name in sorted({d.module for d in defined}):
        if _fits(name, _patterns(given.get("Name"))):
            exported: Value = {d.name: d.name for d in defined if d.module == name}
            yield _module(host.release, name, exported)


def _module(release: Release, name: str, exported: Value) -> Record:
    kind = EnumValue("System.Management.Automation.ModuleType", "Manifest", 2)
    values: dict[str, Value] = {
        "Name": name,
        "Version": _module_version(release, name),
        "ModuleType": kind,
        "ExportedCommands": exported,
        "Path": f"C:\\Windows\\system32\\WindowsPowerShell\\v1.0\\Modules\\{name}\\{name}.psd1",
    }
    chain = ("System.Management.Automation.PSModuleInfo", "System.Object")
    return Record(chain, values, name)


def import_module(host: Host, given: Given, streams: Streams) -> Iterator[Value]:
    """Import-Module: every module is there from the start; an unknown one is an error."""
    contract = contract_of(host.release)
    known = {d.module.lower() for n in contract.names() if (d := contract.find(n)) is not None}
    for name in _patterns(given["Name"]):
        if name.lower() not in known:
            streams.error(_refusal(
                "Import-Module", "Modules_ModuleNotFound", "System.IO.FileNotFoundException",
                f"The specified module '{name}' was not loaded because no valid module file was"
                " found in any module directory.", name,
            ))  # fmt: skip
        elif given.flag("PassThru"):
            yield _module(host.release, name, {})


# --- services, drives, time ----------------------------------------------------------------------


def get_service(host: Host, given: Given, streams: Streams) -> Iterator[Value]:
    """Get-Service: the services that matter to a client of Hyper-V; all run."""
    column, asked = ("DisplayName", 1) if "DisplayName" in given else ("Name", 0)
    old = host.release.key == "2012r2"
    listed = [s for s in _SERVICES if not (old and s[0] in _SINCE_2016)]
    for pattern in _patterns(given.get(column)):
        found = [service for service in listed if matches(pattern, service[asked])]
        if not found and not has_wildcards(pattern):
            streams.error(_refusal(
                "Get-Service", "NoServiceFoundForGivenName",
                "Microsoft.PowerShell.Commands.ServiceCommandException",
                f"Cannot find any service with service name '{pattern}'.", pattern,
            ))  # fmt: skip
        for name, display in found:
            yield _service(name, display)


def _service(name: str, display: str) -> Record:
    running = EnumValue("System.ServiceProcess.ServiceControllerStatus", "Running", 4)
    values: dict[str, Value] = {
        "Status": running, "Name": name, "DisplayName": display, "ServiceName": name,
        "MachineName": ".", "CanStop": True,
    }  # fmt: skip
    chain = ("System.ServiceProcess.ServiceController", "System.ComponentModel.Component",
             "System.MarshalByRefObject", "System.Object")  # fmt: skip
    return Record(chain, values, "System.ServiceProcess.ServiceController")


def _drives(host: Host) -> list[str]:
    return sorted(d.name for d in host.files.iterdir() if d.is_dir() and len(d.name) == 1)


def get_psdrive(host: Host, given: Given, streams: Streams) -> Iterator[Value]:
    """Get-PSDrive: the host's drives, with the space of the file system that they lie on."""
    for pattern in _patterns(given.get("Name")):
        found = [drive for drive in _drives(host) if matches(pattern, drive)]
        if not found and not has_wildcards(pattern):
            streams.error(_refusal(
                "Get-PSDrive", "GetLocationNoMatchingDrive",
                "System.Management.Automation.DriveNotFoundException",
                f"Cannot find drive. A drive with the name '{pattern}' does not exist.", pattern,
            ))  # fmt: skip
        for drive in found:
            space = shutil.disk_usage(host.files)
            values: dict[str, Value] = {
                "Used": UInt64(space.used), "Free": UInt64(space.free), "Name": drive,
                "Provider": "Microsoft.PowerShell.Core\\FileSystem", "Root": f"{drive}:\\",
                "CurrentLocation": "", "Description": "",
            }  # fmt: skip
            chain = ("System.Management.Automation.PSDriveInfo", "System.Object")
            yield Record(chain, values, drive)


def get_volume(host: Host, given: Given, _: Streams) -> Iterator[Value]:
    """Get-Volume: one volume for each drive letter."""
    wanted = _patterns(given.get("DriveLetter"))
    for drive in _drives(host):
        if _fits(drive, wanted):
            yield _volume(drive, shutil.disk_usage(host.files))


def _volume(drive: str, space: shutil._ntuple_diskusage) -> Record:
    values: dict[str, Value] = {
        "DriveLetter": drive, "FileSystem": "NTFS", "FileSystemLabel": "", "Size":
        UInt64(space.total), "SizeRemaining": UInt64(space.free), "HealthStatus": "Healthy",
        "DriveType": "Fixed", "Path": f"{drive}:\\",
    }  # fmt: skip
    base = "Microsoft.Management.Infrastructure.CimInstance"
    return Record((f"{base}#ROOT/Microsoft/Windows/Storage/MSFT_Volume", base, "System.Object"),
                  values, f"MSFT_Volume ({drive}:)")  # fmt: skip


def get_date(_: Host, given: Given, __: Streams) -> Iterator[Value]:
    """Get-Date: the host's time, as an object or as text."""
    at = given.get("Date", now())
    if not isinstance(at, datetime):
        return
    if "UFormat" in given:
        yield at.strftime(text_of(given["UFormat"]).removeprefix("+"))
    elif "Format" in given:
        yield _dotnet_format(at, text_of(given["Format"]))
    else:
        yield at


_DATE_PARTS = (("yyyy", "%Y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("mm", "%M"),
               ("ss", "%S"), ("fff", "%f"))  # fmt: skip


def _dotnet_format(at: datetime, form: str) -> str:
    """Format by .NET's custom format; of its standard ones o and s, else the long form."""
    if form in ("o", "O"):
        return at.isoformat()
    if form == "s":
        return f"{at:%Y-%m-%dT%H:%M:%S}"
    if len(form) == 1:
        return shown_top(at)
    for written, meant in _DATE_PARTS:
        form = form.replace(written, f"{at.microsecond // 1000:03}" if meant == "%f" else meant)
    return at.strftime(form)


CMDLETS: tuple[Cmdlet, ...] = (
    Cmdlet("Get-Command", get_command),
    Cmdlet("Get-Module", get_module),
    Cmdlet("Import-Module", import_module),
    Cmdlet("Get-Service", get_service),
    Cmdlet("Get-PSDrive", get_psdrive),
    Cmdlet("Get-Volume", get_volume),
    Cmdlet("Get-Date", get_date),
    *events.CMDLETS,
)
