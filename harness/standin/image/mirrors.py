"""Where Debian packages come from: the sources that apt of this machine is set up with."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from harness.errors import LabError
from harness.standin.image.records import Image

TARGETS = ("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages")
SETTINGS = ("apt-config", "dump", "Acquire")
_SETTING = re.compile(r'^(Acquire::https?::\S+) "(.+)";$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Mirrors:
    """URIs of the Debian archive and, where this machine has it, its security archive."""

    debian: str
    security: str | None


def parse_mirrors(targets: str) -> Mirrors:
    """Read `apt-get indextargets`; HVCERT_DEBIAN_MIRROR and …_SECURITY go before it.

    Raises LabError where apt has no Debian source (Ubuntu) and no variable is set.
    """
    uris = [line.strip() for line in targets.splitlines()]
    debian = os.environ.get("HVCERT_DEBIAN_MIRROR") or next(
        (uri for uri in uris if uri.rstrip("/").endswith("/debian")), None
    )
    security = os.environ.get("HVCERT_DEBIAN_SECURITY") or next(
        (uri for uri in uris if uri.rstrip("/").endswith("debian-security")), None
    )
    if debian is None:
        raise LabError(
            "apt of this machine has no Debian source to build a guest from;"
            " set HVCERT_DEBIAN_MIRROR to the address of a Debian mirror"
        )
    return Mirrors(debian, security)


def apt_lines(image: Image, mirrors: Mirrors) -> tuple[str, ...]:
    """Return the `deb` lines of an image: one suite each."""
    lines = [f"deb {mirrors.debian} {image.suite} main"]
    if image.updates:
        lines.append(f"deb {mirrors.debian} {image.suite}-updates main")
    if image.security and mirrors.security:
        lines.append(f"deb {mirrors.security} {image.suite}-security main")
    return (*lines, *(line.format(mirror=mirrors.debian) for line in image.apt_lines))


def parse_settings(dump: str) -> tuple[str, ...]:
    """Return this machine's proxy and TLS settings of apt: ``Acquire::http::Proxy "…"``."""
    return tuple(f'{name} "{value}"' for name, value in _SETTING.findall(dump))
