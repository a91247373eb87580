"""Guest images on the drives of stand-in hosts: the templates that VMs are made from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.errors import LabError
from harness.standin.state import read_daemon

TEMPLATES = "C/hvcert/templates"


def share(folder: Path, images: Mapping[str, Path]) -> None:
    """Give finished images, by name, to all hosts of the lab that is up in this folder.

    Raises LabError when none is up, or when its guests are recordings.
    """
    daemon = read_daemon(folder)
    if daemon is None or not daemon.alive():
        raise LabError(f"no lab is up at {folder}: `hvcert lab up` starts one")
    if (folder / "simulated").exists():
        raise LabError(
            f"the guests of the lab that is up at {folder} are recordings; `hvcert lab down` (or"
            " wait for the run that uses it), then run again"
        )
    for host in daemon.hosts:
        link(images, folder / host.name / "files")


def link(images: Mapping[str, Path], files: Path) -> None:
    """Put the read-only images on a host's drive: as hard links, else as symbolic ones."""
    for name, image in images.items():
        template = files / TEMPLATES / f"{name}.vhdx"
        if template.exists():
            continue
        try:
            template.hardlink_to(image)
        except OSError:  # another file system, or one without hard links
            template.symlink_to(image)
