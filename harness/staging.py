"""``hvcert image stage``: from a file here to a template on a host of the inventory."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from harness import lab
from harness.errors import ImageError, InventoryError
from harness.host.stage import stage
from harness.image import as_vhdx, look_at
from harness.inventory.load import load
from harness.run import open_session
from harness.units import Bytes, MiB

NAME = re.compile(r"[\w][\w.-]{0,99}")
"""What is a file's name on every host, and nothing else."""


def stage_image(source: Path, inventory: Path, host: str, name: str, generation: int) -> str:
    """Convert and copy the image; return what to write into an inventory.

    The template lies in ``templates`` beside the host's ``vm_path``. A lab of the inventory has to
    be up before (``hvcert lab up``): one that is brought up for this alone would be gone with it.
    """
    if not NAME.fullmatch(name):
        advice = "give --name with letters, digits, dots and hyphens"
        raise ImageError(str(source), f"{name!r} is no name of a template", advice)
    asked = load(inventory)
    known = {h.name: h for h in asked.hosts}
    if host not in known:
        problem = f"hosts: there is no {host} (there is {', '.join(known)})"
        raise InventoryError(str(inventory), (problem,))
    if any(h.name == host for h in asked.lab) and host not in lab.hosts_up():
        problem = f"lab: {host} is not up; `hvcert lab up` first, and `down` when all is done"
        raise InventoryError(str(inventory), (problem,))
    image = look_at(source)
    folder = known[host].vm_path.rpartition("\\")[0]
    target = f"{folder}\\templates\\{name}.vhdx"
    with as_vhdx(image) as converted, open_session(known[host]) as session:
        note: dict[str, int | str] = {"generation": generation, "source": source.name}
        digest = stage(session, converted, target, note, _show)
    sys.stderr.write(f"\n{image.path.name}: {image.size} as {image.form}, sha256 {digest}\n")
    return f"template: {{path: '{target}', generation: {generation}}}"


def _show(done: Bytes, size: Bytes) -> None:
    """Say on a terminal how far it is; a log gets the last line only."""
    if sys.stderr.isatty() or done == size:
        sys.stderr.write(f"\rcopied {done // MiB} of {size // MiB} MiB")
        sys.stderr.flush()
