"""What this machine must have: tools of the embedded lab, libraries, files, secrets."""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import dataclass

from harness.doctor.finding import Check, Said, good, open_question, wrong
from harness.doctor.reach import client_certificate
from harness.inventory.credentials import resolve
from harness.inventory.model import Authentication, Host, Inventory

RUNS_GUESTS = ("qemu-system-x86_64", "qemu-img")
BUILDS_IMAGES = ("mmdebstrap",)
SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class ThisMachine:
    """The inventory as far as this machine must serve it; ``search``: where tools are looked for.

    ``search`` None means PATH and the system's own folders.
    """

    inventory: Inventory
    search: str | None = None


def lab_tools(here: ThisMachine) -> Said:
    """Tell whether QEMU and the image builder are there."""
    missing = [tool for tool in RUNS_GUESTS + BUILDS_IMAGES if not _found(tool, here)]
    if missing:
        advice = "apt-get install qemu-system-x86 qemu-utils mmdebstrap"
        return wrong(f"not found: {', '.join(missing)}", advice)
    return good(f"{', '.join(RUNS_GUESTS + BUILDS_IMAGES)} are there")


def lab_image(here: ThisMachine) -> Said:
    """Tell whether an image is there; the lab's cache has keys in guest/ and disks in images/."""
    caches = {guest.ssh.key.parent.parent for guest in here.inventory.guests}
    found = sorted(disk.name for cache in caches for disk in (cache / "images").glob("*.qcow2"))
    if not found:
        return open_question("no guest image yet: the first run builds it, in some minutes")
    return good(f"{len(found)} in the cache: {', '.join(found)}")


def kerberos_library(_host: Host) -> Said:
    """Tell whether the library that speaks Kerberos is installed."""
    if importlib.util.find_spec("gssapi") is None:
        return wrong("the gssapi library is missing", "install the extra hvcert[kerberos]")
    return good("gssapi is installed")


def secret_resolves(host: Host) -> Said:
    """Tell whether the password can be read from where the inventory says."""
    if host.password is None:
        return open_question("no password is used")
    resolve(host.password)
    return good(f"{host.password.kind.value} {host.password.name} holds one")


def _found(tool: str, here: ThisMachine) -> bool:
    if here.search is not None:
        return shutil.which(tool, path=here.search) is not None
    return bool(shutil.which(tool) or shutil.which(tool, path=SEARCHED))


LAB_CHECKS: tuple[Check[ThisMachine], ...] = (
    Check("lab tools", lab_tools),
    Check("lab image", lab_image),
)
SECRET = "password"  # noqa: S105  # a check's name


def login_checks(host: Host) -> tuple[Check[Host], ...]:
    """Return the checks that this host's way to log in calls for."""
    checks = [Check(SECRET, secret_resolves)] if host.password else []
    if host.authentication is Authentication.KERBEROS:
        checks.append(Check("Kerberos library", kerberos_library))
    if host.certificate:
        checks.append(Check("client certificate", client_certificate))
    return tuple(checks)
