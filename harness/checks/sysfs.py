"""Which drivers a device of /sys hangs on: its own and those of every device above it."""

from __future__ import annotations

from harness.evidence import Probe


def drivers_above(path: str) -> Probe[frozenset[str]]:
    """Ask for the drivers on the way from the root to a device (``/devices/pci0000:00/…``)."""
    names = path.removeprefix("/sys").strip("/").split("/")
    folders = ("/sys/" + "/".join(names[:depth]) for depth in range(2, len(names) + 1))
    argv = ("find", *folders, "-maxdepth", "1", "-name", "driver", "-printf", "%l\\n")
    return Probe(argv, parse_drivers, fails_ok=True)


def parse_drivers(text: str) -> frozenset[str]:
    """Read targets of ``driver`` links: ``../../../../bus/virtio/drivers/virtio_input``."""
    return frozenset(line.rpartition("/")[2] for line in text.split())
