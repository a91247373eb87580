"""Files and folders of the host as the objects that its file system provider gives."""

from __future__ import annotations

import ntpath
from datetime import UTC, datetime
from pathlib import Path

from harness.standin.values import Int64, Record, Value

_PROVIDER = "Microsoft.PowerShell.Core\\FileSystem::"


def without_provider(path: str) -> str:
    """Return a path without the provider's name before it."""
    return path.removeprefix(_PROVIDER).removeprefix("FileSystem::")


def item(path: str, local: Path) -> Record:
    """Return a FileInfo or DirectoryInfo; ``path`` is the host's path of ``local``."""
    facts = local.stat()
    folder = local.is_dir()
    changed = datetime.fromtimestamp(facts.st_mtime, UTC)
    values: dict[str, Value] = {
        "PSPath": _PROVIDER + path,
        "PSParentPath": _PROVIDER + ntpath.dirname(path),
        "PSChildName": ntpath.basename(path),
        "PSIsContainer": folder,
        "Mode": "d-----" if folder else "-a----",
        "Name": ntpath.basename(path) or path,
        "FullName": path,
        "Extension": ntpath.splitext(path)[1],
        "Exists": True,
        "CreationTime": datetime.fromtimestamp(facts.st_ctime, UTC),
        "LastWriteTime": changed,
        "LastWriteTimeUtc": changed,
    }
    if not folder:
        values |= {"Length": Int64(facts.st_size), "DirectoryName": ntpath.dirname(path)}
    kind = "System.IO.DirectoryInfo" if folder else "System.IO.FileInfo"
    chain = (kind, "System.IO.FileSystemInfo", "System.MarshalByRefObject", "System.Object")
    return Record(chain, values, path, live=local)
