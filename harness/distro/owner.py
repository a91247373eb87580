"""Which package a file belongs to, as dpkg and rpm answer."""

from __future__ import annotations

from harness.errors import EvidenceError

DPKG = ("dpkg", "--search", "--")
RPM = ("rpm", "--query", "--queryformat", "%{NAME}\\n", "--file")


def dpkg_owner(text: str) -> str:
    """Read ``linux-image-6.1.0-9-amd64: /lib/modules/…``; a diversion's line names no package."""
    for line in text.splitlines():
        names, colon, _path = line.partition(": ")
        if colon and not line.startswith("diversion by "):
            return names.split(",")[0].split(":")[0]
    raise EvidenceError("dpkg --search", "package that owns the file", text)


def rpm_owner(text: str) -> str:
    """Read the bare name; ``file … is not owned by any package`` comes with status 1."""
    names = [line for line in text.splitlines() if line and " " not in line]
    if not names:
        raise EvidenceError("rpm --query --file", "package that owns the file", text)
    return names[0]
