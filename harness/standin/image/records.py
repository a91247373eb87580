"""Which guest images there are: one record each. A further Debian release is one more record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Image:
    """An image. ``suite`` is the Debian release; ``disk_mib`` the size of its disk in MiB.

    ``updates`` and ``security``: also install from the suite's updates and security archives.
    ``kernel`` is the package, ``packages`` are installed beside those of packages.txt, and
    ``apt_lines`` are further sources with ``{mirror}`` for the Debian mirror of this machine.
    """

    name: str
    suite: str
    kernel: str = "linux-image-amd64"
    updates: bool = True
    security: bool = True
    packages: tuple[str, ...] = ()
    apt_lines: tuple[str, ...] = ()
    disk_mib: int = 4096


IMAGES: dict[str, Image] = {
    image.name: image
    for image in (
        # The archive's security index of this release names packages that are no longer there.
        Image("debian-11", "bullseye", updates=False, security=False),
        Image("debian-12", "bookworm"),
        Image("debian-13", "trixie"),
    )
}
