r"""Paths as the simulated host spells them (``C:\VMs\a.vhdx``), as plain text."""

from __future__ import annotations

import ntpath
import re


class PathRefused(ValueError):
    """The text is no path of the host's own drives; the message says what is wrong with it."""

    def __init__(self, path: str, problem: str) -> None:
        self.path, self.problem = path, problem
        super().__init__(f"'{path}' {problem}")


def parts(path: str) -> tuple[str, ...]:
    r"""Split ``C:\VMs\..\a.vhdx`` into ``("C", "a.vhdx")``; refuse what leaves the drive."""
    found = re.fullmatch(r"([A-Za-z]):[\\/]+(.*)", path, re.DOTALL)
    if not found:
        raise PathRefused(path, "is not a full path on a drive of this host")
    names = [found[1].upper()]
    for name in re.split(r"[\\/]+", found[2]):
        if name == "..":
            if len(names) == 1:
                raise PathRefused(path, "leaves its drive")
            names.pop()
        elif name not in ("", "."):
            names.append(_checked(name, path))
    return tuple(names)


def _checked(name: str, path: str) -> str:
    if re.search(r'[<>:"|?*\x00-\x1f]', name) or name != name.rstrip(" ."):
        raise PathRefused(path, f"holds a name that Windows does not allow: '{name}'")
    return name


def full(path: str) -> str:
    """Return the normal form of a path of the host."""
    drive, *names = parts(path)
    return f"{drive}:\\" + "\\".join(names)


def join(*names: str) -> str:
    """Join names with backslashes."""
    return ntpath.join(*names)


def folder(path: str) -> str:
    """Return the folder that a path lies in."""
    return ntpath.dirname(path)


def stem(path: str) -> str:
    """Return the file name without folder and extension."""
    return ntpath.splitext(ntpath.basename(path))[0]


def extension(path: str) -> str:
    """Return the extension in lower case, with its dot."""
    return ntpath.splitext(path)[1].lower()


def same(one: str, other: str) -> bool:
    """Tell whether two paths name the same file, as Windows compares them."""
    try:
        return full(one).casefold() == full(other).casefold()
    except PathRefused:
        return False
