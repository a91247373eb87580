"""One record per guest family: what differs between distributions is data, never a branch."""

from __future__ import annotations

from collections.abc import Mapping

from harness.distro.azurelinux import AZURE_LINUX
from harness.distro.debian import DEBIAN
from harness.distro.family import Family
from harness.distro.rhel import FEDORA, RHEL
from harness.distro.suse import SUSE

FAMILIES: Mapping[str, Family] = {
    "debian": DEBIAN,
    "ubuntu": DEBIAN,
    "rhel": RHEL,
    "centos": RHEL,
    "rocky": RHEL,
    "alma": RHEL,
    "oracle": RHEL,
    "fedora": FEDORA,
    "azurelinux": AZURE_LINUX,
    "suse": SUSE,
    "opensuse": SUSE,
}
"""By the inventory's ``family``."""

__all__ = ["FAMILIES", "Family"]
