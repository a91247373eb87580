"""How an extra network adapter is configured to last, by each kind of network service.

The adapter is told by its MAC wherever the service can: device names change with the slot.
"""

from __future__ import annotations

from harness.distro.family import Adapter, Change


def by_networkd(adapter: Adapter) -> Change:
    """Configure systemd-networkd, which manages only links that a file names.

    So it may run beside ifupdown or netplan. ``RequiredForOnline=no`` where the peer is not up.
    """
    file = f"/etc/systemd/network/40-hvcert-{_plain(adapter)}.network"
    content = (
        f"[Match]\nMACAddress={adapter.mac}\n\n"
        f"[Network]\nAddress={adapter.cidr}\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n"
    )
    activate = (
        ("systemctl", "enable", "--now", "systemd-networkd.service"),
        ("networkctl", "reload"),
        ("networkctl", "reconfigure", adapter.device),
    )
    undo = (("rm", "-f", "--", file), ("networkctl", "reload"))
    return Change(file, content, activate, undo)


def by_network_manager(adapter: Adapter) -> Change:
    """Write a NetworkManager keyfile; it is ignored unless only root can read it."""
    name = f"hvcert-{_plain(adapter)}"
    file = f"/etc/NetworkManager/system-connections/{name}.nmconnection"
    content = (
        f"[connection]\nid={name}\ntype=ethernet\nautoconnect=true\n\n"
        f"[ethernet]\nmac-address={adapter.mac.upper()}\n\n"
        f"[ipv4]\nmethod=manual\naddress1={adapter.cidr}\n\n"
        "[ipv6]\nmethod=disabled\n"
    )
    activate = (
        ("chmod", "0600", file),
        ("nmcli", "connection", "reload"),
        ("nmcli", "connection", "up", "id", name),
    )
    undo = (("nmcli", "connection", "down", "id", name), ("rm", "-f", "--", file))
    return Change(file, content, activate, (*undo, ("nmcli", "connection", "reload")))


def by_wicked(adapter: Adapter) -> Change:
    """Write wicked's ``ifcfg-DEVICE``: its configuration knows devices, not MACs."""
    file = f"/etc/sysconfig/network/ifcfg-{adapter.device}"
    content = f"STARTMODE='auto'\nBOOTPROTO='static'\nIPADDR='{adapter.cidr}'\n"
    undo = (("wicked", "ifdown", adapter.device), ("rm", "-f", "--", file))
    return Change(file, content, (("wicked", "ifup", adapter.device),), undo)


def _plain(adapter: Adapter) -> str:
    return adapter.mac.replace(":", "").lower()
