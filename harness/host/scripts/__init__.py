"""The closed list of fixed scripts: each is allowed only where live host objects must meet."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

REASONS = {
    "write-bytes": (
        "the stream of a file is an object that must stay live, and Set-Content boxes every byte"
    ),
    "modify-system-settings": (
        "ModifySystemSettings must be called on a live instance of the management service,"
        " and answers a job as a live reference"
    ),
    "start-backup": "a backup policy takes its target and its VM as live objects of one session",
    "recover-vm": "a recovery takes the backup set and the VM in it as live objects of one session",
    "remove-backups": "a backup set is removed as a live object; which one shows only inside it",
    "thumbnail-image": (
        "GetVirtualSystemThumbnailImage takes the VM's settings as a live reference and must be"
        " called on a live instance of the management service"
    ),
}
"""Name of a ``.ps1`` file here → why a cmdlet or a pipeline cannot do it."""


@cache
def text_of(name: str) -> str:
    """Return the script's text verbatim; KeyError for a name that is not on the list."""
    if name not in REASONS:
        raise KeyError(name)
    return files(__name__).joinpath(f"{name}.ps1").read_text(encoding="utf-8")
