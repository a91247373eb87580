"""Move-Item, Set-ItemProperty, and the piecewise writing that write-bytes.ps1 does on a host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.standin import paths
from harness.standin.api import Given, Streams
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets import file_errors as errors
from harness.standin.cmdlets.file_objects import item
from harness.standin.cmdlets.files import existing, reported, writable
from harness.standin.conversion import text_of
from harness.standin.values import Value

if TYPE_CHECKING:
    from harness.standin.host import Host

NOBODY_WRITES, ALL_WRITES = 0o444, 0o200


def move_item(host: Host, given: Given, streams: Streams) -> Iterator[Value]:
    """Move-Item: another place or name; never over an existing file."""
    wanted = text_of(given.get("Destination", "C:\\"))
    for shown, source in list(existing(host, given, streams)):
        with reported(given, wanted, streams):
            target = writable(host, wanted)
            if target.is_dir():
                target = writable(host, paths.join(wanted, source.name))
            if target.exists():
                raise errors.FileRefused(errors.file_exists(given.cmdlet, wanted))
            if not target.parent.is_dir():
                raise errors.FileRefused(errors.no_parent(given.cmdlet, wanted))
            writable(host, shown).rename(target)
            if given.flag("PassThru"):
                yield item(host.windows(target), target)


def set_item_property(host: Host, given: Given, streams: Streams) -> Iterator[Value]:
    """Set-ItemProperty: IsReadOnly of a file; the stand-in's files have no other one."""
    for shown, local in list(existing(host, given, streams)):
        with reported(given, shown, streams):
            writable(host, shown)
            if text_of(given["Name"]).lower() != "isreadonly":
                raise errors.FileRefused(errors.not_found(given.cmdlet, text_of(given["Name"])))
            mode = local.stat().st_mode
            read_only = given["Value"] is True
            local.chmod(mode & NOBODY_WRITES if read_only else mode | ALL_WRITES)
    return iter(())


def write_bytes(host: Host, given: Given, streams: Streams) -> Iterator[Value]:
    """Write a piece of a file at an offset: what write-bytes.ps1 does with a .NET stream."""
    path, data, offset = text_of(given["Path"]), given["Data"], given["Offset"]
    with reported(given, path, streams):
        local = writable(host, path)
        if not local.parent.is_dir():
            raise errors.FileRefused(errors.no_parent(given.cmdlet, path))
        local.touch()
        with local.open("r+b") as file:
            file.seek(offset if isinstance(offset, int) else 0)
            file.write(data if isinstance(data, bytes) else b"")
    return iter(())


CMDLETS: tuple[Cmdlet, ...] = (
    Cmdlet("Move-Item", move_item),
    Cmdlet("Set-ItemProperty", set_item_property),
    Cmdlet("Write-FileBytes", write_bytes),
)
