"""The errors of the file system provider, with the ids and types of a real host."""

from __future__ import annotations

from dataclasses import dataclass

from harness.standin.api import ErrorRecord

_ROOT = ("System.SystemException", "System.Exception", "System.Object")
_IO = ("System.IO.IOException", *_ROOT)
_NO_FOLDER = ("System.IO.DirectoryNotFoundException", *_IO)
_DENIED = ("System.UnauthorizedAccessException", *_ROOT)
_SESSION_STATE = ("System.Management.Automation.SessionStateException",
                  "System.Management.Automation.RuntimeException", *_ROOT)  # fmt: skip
_NOT_FOUND = ("System.Management.Automation.ItemNotFoundException", *_SESSION_STATE)
_NO_DRIVE = ("System.Management.Automation.DriveNotFoundException", *_SESSION_STATE)
_ARGUMENT = ("System.ArgumentException", *_ROOT)
_UNSUPPORTED = ("System.NotSupportedException", *_ROOT)
_PROMPT = ("System.Management.Automation.PSInvalidOperationException",
           "System.InvalidOperationException", *_ROOT)  # fmt: skip


class FileRefused(Exception):
    """One path cannot be served; ``record`` says why."""

    def __init__(self, record: ErrorRecord) -> None:
        self.record = record
        super().__init__(record.message)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of error: the id's first half, the category and the exception's types."""

    error_id: str
    category: str
    types: tuple[str, ...]

    def of(self, cmdlet: str, message: str, path: str = "") -> ErrorRecord:
        return ErrorRecord(
            f"{self.error_id},Microsoft.PowerShell.Commands.{cmdlet.replace('-', '')}Command",
            self.category, self.types, message, cmdlet, self.types[0].rpartition(".")[2], path,
            "String" if path else "",
        )  # fmt: skip


def not_found(cmdlet: str, path: str) -> ErrorRecord:
    """Report a missing file or folder."""
    text = f"Cannot find path '{path}' because it does not exist."
    return _Kind("PathNotFound", "ObjectNotFound", _NOT_FOUND).of(cmdlet, text, path)


def no_drive(cmdlet: str, drive: str) -> ErrorRecord:
    """Report a missing drive."""
    text = f"Cannot find drive. A drive with the name '{drive}' does not exist."
    return _Kind("DriveNotFound", "ObjectNotFound", _NO_DRIVE).of(cmdlet, text, drive)


def bad_path(cmdlet: str, path: str, why: str) -> ErrorRecord:
    """Report a path that is relative, on a share, or out of its drive."""
    return _Kind("NotSupported", "InvalidArgument", _UNSUPPORTED).of(cmdlet, why, path)


def file_exists(cmdlet: str, path: str) -> ErrorRecord:
    """Report New-Item of a file that is there already."""
    text = f"The file '{path}' already exists."
    return _Kind("NewItemIOError", "WriteError", _IO).of(cmdlet, text, path)


def folder_exists(cmdlet: str, path: str) -> ErrorRecord:
    """Report New-Item of a folder that is there already."""
    text = f"An item with the specified name {path} already exists."
    return _Kind("DirectoryExist", "ResourceExists", _IO).of(cmdlet, text, path)


def no_parent(cmdlet: str, path: str) -> ErrorRecord:
    """Report a file in a folder that is not there."""
    content = cmdlet == "Set-Content"
    error_id = (
        "GetContentWriterDirectoryNotFoundError" if content else cmdlet.replace("-", "") + "IOError"
    )
    category = "ObjectNotFound" if content else "WriteError"
    text = f"Could not find a part of the path '{path}'."
    return _Kind(error_id, category, _NO_FOLDER).of(cmdlet, text, path)


def unknown_kind(cmdlet: str, kind: str) -> ErrorRecord:
    """Report New-Item of something that is neither file nor folder."""
    text = f"The type is not a known type for the file system: '{kind}'. Only file or directory."
    return _Kind("Argument", "InvalidArgument", _ARGUMENT).of(cmdlet, text)


def would_ask(cmdlet: str, path: str) -> ErrorRecord:
    """Report Remove-Item of a folder that is not empty, without -Recurse."""
    text = (
        f"The item at {path} has children and the Recurse parameter was not specified; Windows"
        " PowerShell is in NonInteractive mode. Read and Prompt functionality is not available."
    )
    return _Kind("InvalidOperation", "InvalidOperation", _PROMPT).of(cmdlet, text, path)


_DENIED_IDS = {
    "Get-Content": "GetContentReaderUnauthorizedAccessError",
    "Set-Content": "GetContentWriterUnauthorizedAccessError",
    "New-Item": "NewItemUnauthorizedAccessError",
    "Remove-Item": "RemoveItemUnauthorizedAccessError",
    "Copy-Item": "CopyDirectoryInfoItemUnauthorizedAccessError",
}


def from_os(cmdlet: str, path: str, failed: OSError) -> ErrorRecord:
    """Report what this machine's file system said, in the host's words."""
    if isinstance(failed, FileNotFoundError):
        return not_found(cmdlet, path)
    if isinstance(failed, PermissionError | IsADirectoryError):
        error_id = _DENIED_IDS.get(cmdlet, "ItemExistsUnauthorizedAccessError")
        text = f"Access to the path '{path}' is denied."
        return _Kind(error_id, "PermissionDenied", _DENIED).of(cmdlet, text, path)
    text = f"{failed.strerror or failed} : '{path}'"
    return _Kind("IOError", "WriteError", _IO).of(cmdlet, text, path)
