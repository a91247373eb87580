"""The closed list of fixed scripts: each is allowed only where live host objects must meet."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

REASONS = {
    "modify-system-settings": (
        "ModifySystemSettings must be called on a live instance of the management service,"
        " and answers a job as a live reference"
    ),
}
"""Name of a ``.ps1`` file here → why a cmdlet or a pipeline cannot do it."""


@cache
def text_of(name: str) -> str:
    """Return the script's text verbatim; KeyError for a name that is not on the list."""
    if name not in REASONS:
        raise KeyError(name)
    return files(__name__).joinpath(f"{name}.ps1").read_text(encoding="utf-8")
