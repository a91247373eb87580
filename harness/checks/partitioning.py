"""A GPT partition, made and grown to the end of its disk while it is mounted.

The tools differ by distribution and release: growpart (cloud-utils) does all of it; sfdisk
(util-linux 2.35 and later) moves the backup header and rewrites the entry; sgdisk (gptfdisk) the
same with its own names. partx tells the kernel, which refuses a re-read of a disk in use.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

MAKERS = ("sfdisk", "sgdisk")
GROWERS = ("growpart", "sfdisk", "sgdisk", "partx")
SFDISK_TABLE = "label: gpt\nstart=2048, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4\n"
"""One partition from sector 2048 to the end, of the type "Linux filesystem"."""


@dataclass(frozen=True, slots=True)
class Step:
    """One privileged command; ``stdin`` is what it reads."""

    argv: tuple[str, ...]
    stdin: str = ""


Choice = Callable[[AbstractSet[str], str], tuple[Step, ...]]
"""From the tools that are there and a disk's device to the commands."""


def making(has: AbstractSet[str], disk: str) -> tuple[Step, ...]:
    """Return how this guest makes the partition; () when it lacks every tool for it."""
    if "sfdisk" in has:
        return (Step(("sfdisk", "--quiet", disk), SFDISK_TABLE),)
    if "sgdisk" in has:
        return (Step(("sgdisk", "--new=1:2048:0", "--typecode=1:8300", disk)),)
    return ()


def growing(has: AbstractSet[str], disk: str) -> tuple[Step, ...]:
    """Return how this guest grows partition 1; () when it lacks every tool for it."""
    if "growpart" in has:
        return (Step(("growpart", disk, "1")),)
    if "partx" not in has:
        return ()
    tell = Step(("partx", "--update", "--nr", "1", disk))
    if "sfdisk" in has:
        options = ("--no-reread", "--force")
        move = Step(("sfdisk", *options, "--relocate", "gpt-bak-std", disk))
        return (move, Step(("sfdisk", *options, "-N", "1", disk), ", +\n"), tell)
    if "sgdisk" in has:
        again = ("--delete=1", "--new=1:2048:0", "--typecode=1:8300")
        return (
            Step(("sgdisk", "--move-second-header", disk)),
            Step(("sgdisk", *again, disk)),
            tell,
        )
    return ()
