"""Whether a guest has the programs that a case calls: one question for all of them."""

from __future__ import annotations

from collections.abc import Iterable

from harness.distro.family import Family
from harness.evidence import Probe

FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


def present(programs: Iterable[str]) -> Probe[frozenset[str]]:
    """Ask which of these programs are there; ls lists those that exist and ends with status 2."""
    paths = tuple(f"{folder}/{name}" for name in programs for folder in FOLDERS)
    return Probe(("ls", "-dL", "--", *paths), parse_present, fails_ok=True)


def parse_present(text: str) -> frozenset[str]:
    """Read the bare names of the paths that ls found, such as ``/usr/bin/fio``."""
    return frozenset(line.rpartition("/")[2] for line in text.splitlines() if line.startswith("/"))


def install_command(family: Family, packages: Iterable[str]) -> str:
    """Return what an administrator types to get these packages: ``apt-get install -y fio``."""
    return " ".join((*family.install, *packages))
