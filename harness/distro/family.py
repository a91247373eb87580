"""What a record of a guest family holds."""

from __future__ import annotations

from dataclasses import dataclass

Argv = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """How an administrator of this family does what the cases need; all commands privileged.

    ``install``: packages follow. ``boot_loader``: makes changed kernel options last.
    ``kdump_packages`` and ``kdump_service``: the family's own capture of a crash.
    """

    name: str
    kernel_log: Argv
    install: Argv
    boot_loader: Argv
    kdump_packages: tuple[str, ...]
    kdump_service: str
