"""Plain questions to the kernel: its release, and settings under /proc/sys."""

from __future__ import annotations

from harness.errors import EvidenceError
from harness.evidence import Probe


def parse_word(text: str) -> str:
    """Read an answer of one line; an empty one is none."""
    lines = text.strip().splitlines()
    if len(lines) != 1:
        raise EvidenceError("kernel", "single line", text)
    return lines[0].strip()


RELEASE = Probe(("uname", "-r"), parse_word)


def sysctl(name: str) -> Probe[str]:
    """Ask for a setting by its dotted name: ``kernel.unknown_nmi_panic``."""
    return Probe(("cat", f"/proc/sys/{name.replace('.', '/')}"), parse_word)


def set_sysctl(name: str, value: str) -> Probe[str]:
    """Set a setting; the answer is the value that the kernel took, or an EvidenceError."""

    def parse(text: str) -> str:
        taken = parse_word(text).partition("=")[2].strip()
        if taken != value:
            raise EvidenceError(f"sysctl {name}", f"value {value}", text)
        return taken

    return Probe(("sysctl", "-w", f"{name}={value}"), parse, privileged=True)
