"""What a record of a guest family holds. Checks read these fields; nobody asks for the family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.distro.dumping import Dumping

Argv = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """Something that runs in a guest.

    ``program``: what its package installs and a probe looks for, by its bare name. ``packages``:
    all that it needs. ``units``: its systemd units without ``.service``; the first is this family's
    current name, the others what older or newer releases call it.
    """

    program: str
    packages: tuple[str, ...]
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WebServer:
    """Apache for a configuration of one's own.

    ``program``: the one that runs, able to be the prefork kind; ``modules``: the folder of its
    modules, mod_lua among them; ``packages``: what brings both.
    """

    program: str
    modules: str
    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a guest's configuration that lasts, and how it is put back.

    ``file`` is "" where a tool of the distribution keeps the setting itself: then ``activate``
    alone makes the change. ``undo`` removes what was written and makes it count. All are
    privileged.
    """

    file: str
    content: str
    activate: tuple[Argv, ...]
    undo: tuple[Argv, ...]


@dataclass(frozen=True, slots=True)
class Adapter:
    """A second network adapter: its MAC as Linux writes it, its device in this boot, its address.

    ``cidr`` such as ``10.99.0.1/24``. No gateway: it leads to the neighbours only.
    """

    mac: str
    device: str
    cidr: str


@dataclass(frozen=True, slots=True)
class Family:
    """How an administrator of this family does what the cases need; all commands privileged.

    ``install``: packages follow. ``boot_loader``: makes changed kernel options last. ``programs``:
    the package of each program that a case may call, by its bare name. ``owner``: a path follows;
    ``owner_of`` reads the package's name from what it prints. ``kernel_option`` takes a name for
    the change and the option (``("gap", "crashkernel=192M")``); ``adapter`` an extra adapter.
    ``web``: Apache as a case runs it beside ``apache``, its service. ``dumping``: how it captures a
    crash.
    """

    name: str
    kernel_log: Argv
    install: Argv
    boot_loader: Argv
    programs: Mapping[str, str]
    apache: Service
    web: WebServer
    guest_agent: Service
    key_value: Service
    freeze: Service
    kdump: Service
    nfs_server: Service
    owner: Argv
    owner_of: Callable[[str], str]
    kernel_option: Callable[[str, str], Change]
    adapter: Callable[[Adapter], Change]
    dumping: Dumping

    @property
    def services(self) -> tuple[Service, ...]:
        """Return every service of the record."""
        own = (self.apache, self.guest_agent, self.key_value, self.freeze)
        return (*own, self.kdump, self.nfs_server)

    def package_of(self, program: str) -> str:
        """Return the package that brings a program; KeyError where no record knows it."""
        for service in self.services:
            if service.program == program:
                return " ".join(service.packages)
        if program == self.web.program:
            return " ".join(self.web.packages)
        return self.programs[program]
