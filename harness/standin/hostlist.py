"""Reading ``--host`` and ``--fault``: what a lab is asked to play; what is wrong is said early."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import replace

from harness.errors import LabError
from harness.standin.releases import RELEASES
from harness.standin.state import HostEntry

DEFAULT = "hv-2019:2019:127.86.0.19"
FORM = f"NAME:WINDOWS:ADDRESS[:HTTPPORT[:HTTPSPORT]], for example {DEFAULT}"
PORTS = (5985, 5986)
OURS = ("run", "tmp")  # names in the state folder that no host can have
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def parse_hosts(texts: list[str]) -> tuple[HostEntry, ...]:
    """Read all ``--host`` values, or the default one; raise LabError that shows the form."""
    hosts = tuple(parse_host(text) for text in texts or [DEFAULT])
    names = [host.name.lower() for host in hosts]
    for name in names:
        if names.count(name) > 1:
            raise LabError(f"two hosts are named {name}; give each --host a name of its own")
    listeners = [(h.address, port) for h in hosts for port in (h.http_port, h.https_port) if port]
    for address, port in listeners:
        if listeners.count((address, port)) > 1:
            raise LabError(
                f"{address}:{port} is asked for twice; give each host an address of its own"
            )
    return hosts


def with_faults(hosts: tuple[HostEntry, ...], texts: list[str]) -> tuple[HostEntry, ...]:
    """Add the faults to the hosts: ``NAME`` to all of them, ``HOST/NAME`` to one.

    Raises LabError, which lists what there is, for a fault or a host that there is not.
    """
    from harness.standin.seeded.table import require_known  # it brings half the stand-in along

    wanted = [(host, fault) for host, _, fault in (text.rpartition("/") for text in texts)]
    require_known(fault for _, fault in wanted)
    names = [host.name for host in hosts]
    for host, fault in wanted:
        if host and host not in names:
            raise LabError(f"fault {fault}: no host is named {host}; there are {', '.join(names)}")
    return tuple(
        replace(host, faults=tuple(dict.fromkeys(f for on, f in wanted if on in ("", host.name))))
        for host in hosts
    )


def parse_host(text: str) -> HostEntry:
    """Read one host, e.g. ``hv-2019:2019:127.86.0.19`` or ``a:2016:127.0.0.1:0:0``."""
    parts = text.split(":")
    if not 3 <= len(parts) <= 5 or not all(parts):
        raise LabError(f"{text!r} is no host; write {FORM}")
    name, windows, address, *ports = parts
    if not _NAME.fullmatch(name) or name in OURS:
        raise LabError(f"{name!r} is no host name; use letters, digits and hyphens")
    if windows not in RELEASES:
        raise LabError(f"no Windows release is named {windows!r}; there are {', '.join(RELEASES)}")
    http, https = (*(_port(port, text) for port in ports), *PORTS[len(ports) :])
    return HostEntry(name, windows, _loopback(address), http, https)


def _loopback(address: str) -> str:
    try:
        parsed = ipaddress.IPv4Address(address)
    except ValueError:
        raise LabError(f"{address!r} is no IPv4 address; write {FORM}") from None
    if not parsed.is_loopback:
        raise LabError(f"{address} is no loopback address; the lab listens on 127.0.0.0/8 only")
    return str(parsed)


def _port(text: str, host: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise LabError(
            f"{host!r}: {text!r} is no port; write a number from 0 (a free one) to 65535"
        )
    return int(text)


def guest_networks(hosts: tuple[HostEntry, ...]) -> dict[str, str]:
    """Return the start of the guests' addresses per host: 127.87.19. for the host at 127.86.0.19.

    Hosts of one lab never share one; labs at different addresses rarely do.
    """
    networks: dict[str, str] = {}
    for host in hosts:
        _, second, _, last = map(int, host.address.split("."))
        while (network := f"127.{second % 254 + 1}.{last}.") in networks.values():
            last = (last + 1) % 256
        networks[host.name] = network
    return networks
