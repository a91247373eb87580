"""Faults of what a distribution ships for its platform: drivers of another package, a service."""

from __future__ import annotations

from harness.standin.seeded.fault import Fault, Level
from harness.standin.seeded.inside import in_every_guest

DRIVER = """
release=$(uname -r)
updates=$R/lib/modules/$release/updates
[ -e "$updates" ] && exit 0
file=$(modinfo --field filename virtio_net)
mkdir -p "$updates"
cp "$file" "$updates/"
depmod "$release"
cat >> "$R/var/lib/dpkg/status" <<END

Package: lab-network-drivers
Status: install ok installed
Maintainer: the lab
Architecture: all
Version: 1
Description: drivers that are none of the distribution
END
echo "/lib/modules/$release/updates/${file##*/}" > "$R/var/lib/dpkg/info/lab-network-drivers.list"
sync
"""
"""As a package of drivers does: its files win over those of the kernel's package."""

SERVICE = """
systemd-run --quiet --unit=lab-agent sh -c "sleep 2; systemctl stop qemu-guest-agent; exec qemu-ga"
"""
"""The agent goes on without its unit, so that its host still hears the guest."""

FAULTS = (
    Fault(
        "driver-of-another-package",
        Level.GUEST,
        "a guest's network driver comes from a package beside the distribution's kernel",
        "guest: /lib/modules, /var/lib/dpkg",
        in_every_guest("driver-of-another-package", DRIVER),
    ),
    Fault(
        "backup-service-not-started",
        Level.GUEST,
        "a guest's service for backups is stopped after each boot",
        "guest: qemu-guest-agent.service",
        in_every_guest("backup-service-not-started", SERVICE),
    ),
)
