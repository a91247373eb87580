"""One record per guest family: what differs between distributions is data, never a branch."""

from __future__ import annotations

from collections.abc import Mapping

from harness.distro.azurelinux import AZURE_LINUX
from harness.distro.debian import DEBIAN, UBUNTU
from harness.distro.family import Adapter, Change, Family, Service
from harness.distro.rhel import FEDORA, ORACLE, RHEL
from harness.distro.suse import SUSE

FAMILIES: Mapping[str, Family] = {
    "debian": DEBIAN,
    "ubuntu": UBUNTU,
    "rhel": RHEL,
    "centos": RHEL,
    "rocky": RHEL,
    "alma": RHEL,
    "oracle": ORACLE,
    "fedora": FEDORA,
    "azurelinux": AZURE_LINUX,
    "suse": SUSE,
    "opensuse": SUSE,
}
"""By the inventory's ``family``."""

__all__ = ["FAMILIES", "Adapter", "Change", "Family", "Service"]
