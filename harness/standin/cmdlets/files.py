r"""The file cmdlets, on the folder that plays the host's drives.

Nothing leaves that folder: ``..`` and links that point out of it are refused. ``New-Item`` of a
file is atomic and never replaces one, because leases rely on it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from harness.standin import paths
from harness.standin.api import ErrorRecord, Given, Streams, Terminated
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets import file_errors as errors
from harness.standin.cmdlets.file_objects import item, without_provider
from harness.standin.conversion import text_of
from harness.standin.values import Byte, Record, Value
from harness.standin.wildcard import has_wildcards, matches

if TYPE_CHECKING:
    from harness.standin.host import Host

UNFINISHED = ".part"
"""Ends the hidden name of a file that is being written; a host shows none of them."""


# --- paths ---------------------------------------------------------------------------------------


def inside(host: Host, path: str) -> Path:
    """Return the local path behind a path of the host; raises paths.PathRefused outside of it.

    A link to a file is a template that the lab put there: it may be read, not written through.
    """
    local = host.local(without_provider(path))
    within = local.parent.resolve().is_relative_to(host.files.resolve())
    if not within or (local.is_symlink() and not local.is_file()):
        raise paths.PathRefused(path, "leads out of the host's drives")
    return local


def writable(host: Host, path: str) -> Path:
    """Return the local path behind a path of the host that may be written."""
    local = inside(host, path)
    if local.is_symlink():
        raise paths.PathRefused(path, "is read-only: it leads out of the host's drives")
    return local


@contextmanager
def reported(given: Given, path: str, streams: Streams) -> Iterator[None]:
    """Turn what goes wrong with one path into its non-terminating error."""
    try:
        yield
    except errors.FileRefused as refused:
        streams.error(refused.record)
    except paths.PathRefused as refused:
        streams.error(errors.bad_path(given.cmdlet, path, str(refused)))
    except OSError as failed:
        streams.error(errors.from_os(given.cmdlet, path, failed))


def _written_paths(given: Given) -> list[str]:
    value = given.get("LiteralPath", given.get("Path"))
    return [text_of(v) for v in (value if isinstance(value, list) else [value])]


def existing(host: Host, given: Given, streams: Streams) -> Iterator[tuple[str, Path]]:
    """Yield the existing items that the call names; each missing one is an error of its own."""
    for path in _written_paths(given):
        with reported(given, path, streams):
            found = list(_found(host, given, path))
            if not found and not _is_pattern(given, path):
                raise errors.FileRefused(_missing(host, given.cmdlet, path))
            yield from found


def _is_pattern(given: Given, path: str) -> bool:
    return "LiteralPath" not in given and has_wildcards(path)


def _missing(host: Host, cmdlet: str, path: str) -> ErrorRecord:
    drive = paths.parts(without_provider(path))[0]
    if not (host.files / drive).is_dir():
        return errors.no_drive(cmdlet, drive)
    return errors.not_found(cmdlet, path)


def _found(host: Host, given: Given, path: str) -> Iterator[tuple[str, Path]]:
    """Yield host path and local path of what a path or pattern names."""
    if not _is_pattern(given, path):
        local = inside(host, path)
        if local.exists():
            yield host.windows(local), local
        return
    head, _, pattern = path.replace("/", "\\").rpartition("\\")
    for _, folder in _found(host, given, head + "\\" if head.endswith(":") else head):
        for child in sorted(folder.iterdir()) if folder.is_dir() else ():
            if matches(pattern, child.name):
                shown = host.windows(child)
                yield shown, inside(host, shown)


# --- reading -------------------------------------------------------------------------------------


def path_exists(host: Host, given: Given, _: Streams) -> Iterator[Value]:
    """Test-Path: whether there is such a file or folder."""
    kind = text_of(given.get("PathType", "Any"))
    for path in _written_paths(given):
        try:
            found = [local for _, local in _found(host, given, path)]
        except paths.PathRefused:
            found = []
        wanted = {"Leaf": Path.is_file, "Container": Path.is_dir}.get(kind, Path.exists)
        yield any(wanted(local) for local in found)


def get_item(host: Host, given: Given, streams: Streams) -> Iterator[Value]:
    """Get-Item: a file or folder as an object."""
    for shown, local in existing(host, given, streams):
        yield item(shown, local)


def get_child_item(host: Host, given: Given, streams: Streams) -> Iterator[Value]:
    """Get-ChildItem: what is in a folder."""
    if "Path" not in given and "LiteralPath" not in given:
        given = Given(given.cmdlet, {**given.values, "Path": ["C:\\"]}, given.set_name)
    for _, local in existing(host, given, streams):
        for child in _children(local, given):
            streams.check()
            shown = host.windows(child)
            with suppress(FileNotFoundError):  # somebody removed it meanwhile: it is not listed
                yield child.name if given.flag("Name") else item(shown, inside(host, shown))


def _children(folder: Path, given: Given) -> Iterator[Path]:
    found = sorted(folder.iterdir()) if folder.is_dir() else [folder]
    for child in found:
        if _wanted(child, given):
            yield child
        if given.flag("Recurse") and child.is_dir() and not child.is_symlink():
            yield from _children(child, given)


def _wanted(child: Path, given: Given) -> bool:
    if child.name.startswith(".") and child.name.endswith(UNFINISHED):
        return False
    if given.flag("File") and not child.is_file():
        return False
    if given.flag("Directory") and not child.is_dir():
        return False
    return matches(text_of(given.get("Filter", "*")), child.name)


def get_content(host: Host, given: Given, streams: Streams) -> Iterator[Value]:
    """Get-Content: a file's lines, its whole text, or its bytes."""
    for shown, local in existing(host, given, streams):
        with reported(given, shown, streams):
            yield from _content(given, local.read_bytes())


def _content(given: Given, data: bytes) -> Iterator[Value]:
    if text_of(given.get("Encoding", "")) == "Byte":
        yield from (Byte(value) for value in data)
        return
    text = _decoded(data)
    if given.flag("Raw"):
        yield text
        return
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    first, last = given.get("TotalCount"), given.get("Tail")
    if isinstance(first, int):
        lines = lines[:first]
    if isinstance(last, int):
        lines = lines[-last:] if last else []
    yield from lines


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    return data.decode("utf-8-sig", errors="replace")


def get_file_hash(host: Host, given: Given, streams: Streams) -> Iterator[Value]:
    """Get-FileHash: SHA256 unless asked for another."""
    algorithm = text_of(given.get("Algorithm", "SHA256")).upper()
    for shown, local in existing(host, given, streams):
        with reported(given, shown, streams), local.open("rb") as stream:
            digest = hashlib.file_digest(stream, algorithm.lower())
            values: dict[str, Value] = {
                "Algorithm": algorithm, "Hash": digest.hexdigest().upper(), "Path": shown,
            }  # fmt: skip
            yield Record(("Microsoft.Powershell.Utility.FileHash", "System.Object"), values)


# --- writing -------------------------------------------------------------------------------------


def new_item(host: Host, given: Given, streams: Streams) -> Iterator[Value]:
    """New-Item: a new file or folder; an existing file stays what it is unless -Force."""
    kind = text_of(given.get("ItemType", "File")).lower()
    for path in _new_paths(given):
        with reported(given, path, streams):
            local = writable(host, path)
            if not (host.files / paths.parts(without_provider(path))[0]).is_dir():
                raise errors.FileRefused(errors.no_drive(given.cmdlet, path[:1].upper()))
            _make(given, path, local, kind)
            yield item(host.windows(local), local)


def _new_paths(given: Given) -> list[str]:
    folders = [text_of(p) for p in _listed(given.get("Path", "C:\\"))]
    if "Name" not in given:
        return folders
    return [paths.join(folder, text_of(given["Name"])) for folder in folders]


def _listed(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [value]


def _make(given: Given, path: str, local: Path, kind: str) -> None:
    if "directory".startswith(kind) or kind == "container":
        _make_folder(given, path, local)
    elif "file".startswith(kind) or kind == "leaf":
        _make_file(given, path, local)
    else:
        raise Terminated(errors.unknown_kind(given.cmdlet, kind))


def _make_folder(given: Given, path: str, local: Path) -> None:
    if local.is_dir() and given.flag("Force"):
        return
    if local.exists():
        raise errors.FileRefused(errors.folder_exists(given.cmdlet, path))
    local.mkdir(parents=True, exist_ok=given.flag("Force"))


def _make_file(given: Given, path: str, local: Path) -> None:
    """Make a file with its whole content at once, or not at all."""
    if given.flag("Force"):
        local.parent.mkdir(parents=True, exist_ok=True)
    if not local.parent.is_dir():
        raise errors.FileRefused(errors.no_parent(given.cmdlet, path))
    part = local.with_name(f".{local.name}.{os.getpid()}.{id(given)}{UNFINISHED}")
    part.write_text(text_of(given.get("Value", "")), encoding="utf-8", newline="")
    try:
        if given.flag("Force"):
            part.replace(local)
        else:
            local.hardlink_to(part)
    except FileExistsError:
        raise errors.FileRefused(errors.file_exists(given.cmdlet, path)) from None
    finally:
        part.unlink(missing_ok=True)


def set_content(host: Host, given: Given, streams: Streams) -> Iterator[Value]:
    """Set-Content: replace a file's text, one line for each value."""
    values = given.pipeline or tuple(_listed(given["Value"]))
    data = _encoded(given, values)
    for path in _written_paths(given):
        with reported(given, path, streams):
            local = writable(host, path)
            if not local.parent.is_dir():
                raise errors.FileRefused(errors.no_parent(given.cmdlet, path))
            local.write_bytes(data)
    yield from values if given.flag("PassThru") else ()


def _encoded(given: Given, values: Iterable[Value]) -> bytes:
    encoding = text_of(given.get("Encoding", "")).lower()
    if encoding == "byte":
        return bytes(v for v in values if isinstance(v, int))
    text = "".join(f"{text_of(value)}\r\n" for value in values)
    return text.encode({"unicode": "utf-16", "utf8": "utf-8-sig"}.get(encoding, "utf-8"))


def remove_item(host: Host, given: Given, streams: Streams) -> Iterator[Value]:
    """Remove-Item: delete files, and folders when they are empty or -Recurse was given."""
    for shown, local in list(existing(host, given, streams)):
        with reported(given, shown, streams):
            if not local.is_dir() or local.is_symlink():
                local.unlink()
            elif given.flag("Recurse"):
                shutil.rmtree(local)
            elif any(local.iterdir()):
                raise Terminated(errors.would_ask(given.cmdlet, shown))
            else:
                local.rmdir()
    return iter(())


def copy_item(host: Host, given: Given, streams: Streams) -> Iterator[Value]:
    """Copy-Item: copy a file, or with -Recurse a folder and what is in it."""
    target_path = text_of(given.get("Destination", "C:\\"))
    for shown, source in list(existing(host, given, streams)):
        with reported(given, target_path, streams):
            target = writable(host, target_path)
            if target.is_dir():
                target = writable(host, paths.join(target_path, source.name))
            _copy(given, shown, source, target)
            if given.flag("PassThru"):
                yield item(host.windows(target), target)


def _copy(given: Given, shown: str, source: Path, target: Path) -> None:
    if not target.parent.is_dir():
        raise errors.FileRefused(errors.no_parent(given.cmdlet, shown))
    if not source.is_dir():
        shutil.copyfile(source, target)
    elif given.flag("Recurse"):
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    else:
        target.mkdir(exist_ok=True)


CMDLETS: tuple[Cmdlet, ...] = (
    Cmdlet("Test-Path", path_exists),
    Cmdlet("Get-Item", get_item),
    Cmdlet("Get-ChildItem", get_child_item),
    Cmdlet("Get-Content", get_content),
    Cmdlet("Get-FileHash", get_file_hash),
    Cmdlet("New-Item", new_item),
    Cmdlet("Set-Content", set_content, whole=True),
    Cmdlet("Remove-Item", remove_item),
    Cmdlet("Copy-Item", copy_item),
)
