"""What an inventory says, as frozen types; ``load.py`` makes them from YAML."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from harness.units import Bytes

FAMILIES = (
    "debian",
    "ubuntu",
    "rhel",
    "centos",
    "rocky",
    "alma",
    "fedora",
    "oracle",
    "azurelinux",
    "suse",
    "opensuse",
)
"""The distributions an inventory may name; ``harness/distro`` says how each family works."""

WINDOWS = ("2012r2", "2016", "2019", "2022", "2025")
"""The Windows Server releases that a lab host may play."""


class Transport(Enum):
    """How WS-Man travels."""

    HTTP = "http"
    HTTPS = "https"


class Authentication(Enum):
    """How the harness proves who it is; basic is accepted over TLS only."""

    NEGOTIATE = "negotiate"
    NTLM = "ntlm"
    KERBEROS = "kerberos"
    BASIC = "basic"
    CREDSSP = "credssp"
    CERTIFICATE = "certificate"


class SecureBoot(Enum):
    """Generation 2 only: off, or the Microsoft UEFI Certificate Authority template."""

    OFF = "off"
    MICROSOFT_UEFI_CA = "microsoft-uefi-ca"


class Become(Enum):
    """How privileged guest commands run: the SSH user is root, or non-interactive sudo."""

    NONE = "none"
    SUDO = "sudo"


class ReferenceKind(Enum):
    """Where a secret is kept."""

    ENV = "env"
    FILE = "file"
    KEYRING = "keyring"


@dataclass(frozen=True, slots=True)
class Reference:
    """Where to read a secret: an environment variable, a file, or ``service/user`` of a keyring."""

    kind: ReferenceKind
    name: str


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """Paths of PEM files; ``key_password`` where the key is encrypted."""

    certificate: Path
    key: Path
    key_password: Reference | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """One Hyper-V host. Paths ``vm_path`` are the host's own; sizes are Bytes.

    ``memory_reserve`` always stays free on the host, ``memory_budget`` is what the run may use.
    ``username`` is empty where Kerberos takes the ticket cache's principal or a certificate logs
    in. ``delegate``: Kerberos hands the host a ticket that it may use against a third machine
    (CredSSP always does). ``unverified_because`` is on record where ``verify_tls`` is off.
    ``backup_target``: the drive (``E:``) that Windows Server Backup writes to, "" for the emptiest
    one beside that of ``vm_path``.
    ``pool``: hosts of one pool are alike: a case of it runs on any one of them. ``machine``: hosts
    that name the same one share it (nested virtualisation). ``processors_budget``: virtual
    processors that the run's guests may have in all; None: four per logical processor.
    """

    name: str
    address: str
    port: int
    transport: Transport
    authentication: Authentication
    username: str
    password: Reference | None
    certificate: ClientCertificate | None
    verify_tls: bool
    ca: Path | None
    switch: str
    vlan: int | None
    vm_path: str
    memory_reserve: Bytes
    memory_budget: Bytes | None
    delegate: bool = False
    unverified_because: str = ""
    backup_target: str = ""
    pool: str = ""
    machine: str = ""
    processors_budget: int | None = None

    @property
    def place(self) -> str:
        """Return what cases are given to: its pool, or the host itself."""
        return self.pool or self.name


@dataclass(frozen=True, slots=True)
class Place:
    """Where a case runs once: on any one of ``hosts``; ``name`` is the pool's, or the host's."""

    name: str
    hosts: tuple[Host, ...]

    @property
    def is_pool(self) -> bool:
        """Return whether the inventory leaves open which host it is."""
        return self.name not in (host.name for host in self.hosts)


@dataclass(frozen=True, slots=True)
class Template:
    """A disk on the host from which VMs are made; it is never written to."""

    path: str
    generation: int


@dataclass(frozen=True, slots=True)
class ExistingVm:
    """A VM that is there already and declared ``disposable: true``."""

    name: str


@dataclass(frozen=True, slots=True)
class PinnedKey:
    """The guest's SSH host key as in known_hosts: ``ssh-ed25519 AAAA…``."""

    key_type: str
    base64: str


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A public key file of this machine that is read at login: a lab makes it with its image.

    ``harness.inventory.keys.pinned`` turns it into a PinnedKey.
    """

    path: Path


@dataclass(frozen=True, slots=True)
class AnyKey:
    """The stated policy: the key of a fresh VM is accepted at first sight; why is recorded."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ssh:
    """How to log in to the guest; ``key`` is a private key file of this machine."""

    user: str
    key: Path
    host_key: PinnedKey | KeyFile | AnyKey
    become: Become


@dataclass(frozen=True, slots=True)
class Reported:
    """The address is what the host reports for the adapter on the host's ``switch``."""


@dataclass(frozen=True, slots=True)
class FixedAddress:
    """The address is known beforehand."""

    ip: str
    port: int


@dataclass(frozen=True, slots=True)
class DumpTarget:
    """A machine of the lab that keeps the cores of network dumps below ``folder``.

    kdump reaches it at port 22 of ``address``, as ``ssh.user``, whom ``folder`` belongs to; for NFS
    that folder is exported. The harness logs in there by the same address.
    """

    address: str
    ssh: Ssh
    folder: str


@dataclass(frozen=True, slots=True)
class Preparation:
    """One declared change to a guest, and why; named beside every verdict that depended on it.

    The harness makes sure that ``file`` has ``content``; when it had to write it, it runs
    ``activate`` (argv tuples, privileged) and reboots if ``reboot``. ``cases``: only for those
    case ids; empty means all.
    """

    file: str
    content: str
    reason: str
    activate: tuple[tuple[str, ...], ...] = ()
    reboot: bool = False
    cases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExpectedFailure:
    """A case that is known to fail on this guest; a pass is then red. ``hosts`` empty: on all."""

    case: str
    reason: str
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Guest:
    """One guest under test. ``hosts``: the inventory hosts it runs on; ``cases``: () for all.

    ``dump_target``: None for a second guest, made for the case. ``priority``: when time is short,
    the cases of a guest with a higher one go first.
    """

    name: str
    source: Template | ExistingVm
    hosts: tuple[str, ...]
    memory: Bytes
    processors: int
    secure_boot: SecureBoot
    family: str
    release: str
    ssh: Ssh
    address: Reported | FixedAddress
    preparations: tuple[Preparation, ...] = ()
    expected_failures: tuple[ExpectedFailure, ...] = ()
    cases: tuple[str, ...] = ()
    dump_target: DumpTarget | None = None
    priority: int = 0

    def wanted(self, cases: Iterable[str]) -> tuple[str, ...]:
        """Return those of the cases that are to run on this guest."""
        return tuple(case for case in cases if not self.cases or case in self.cases)


@dataclass(frozen=True, slots=True)
class LabHost:
    """One stand-in host that the run brings up if it is not up: the Windows release it plays.

    ``faults``: in which ways it is to be broken on purpose; only the stand-in knows the names.
    ``simulated``: its guests are recordings, and so much of a recorded second passes; None: real.
    """

    name: str
    windows: str
    address: str
    faults: tuple[str, ...] = ()
    simulated: float | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """A whole inventory; ``lab`` is empty where the hosts are real.

    ``warnings``: what is accepted but likely a mistake, each with its path as in InventoryError.
    ``known_issues``: the list of fails that are known, None for none.
    """

    path: Path
    hosts: tuple[Host, ...]
    guests: tuple[Guest, ...]
    lab: tuple[LabHost, ...] = ()
    warnings: tuple[str, ...] = ()
    known_issues: Path | None = None

    def host(self, name: str) -> Host:
        """Return the host of that name."""
        return next(host for host in self.hosts if host.name == name)

    def guest(self, name: str) -> Guest:
        """Return the guest of that name."""
        return next(guest for guest in self.guests if guest.name == name)

    def places(self, guest: Guest) -> tuple[Place, ...]:
        """Return where the guest's cases run: each host that it names, pools as one."""
        hosts = [self.host(name) for name in guest.hosts]
        names = dict.fromkeys(host.place for host in hosts)
        return tuple(Place(n, tuple(h for h in hosts if h.place == n)) for n in names)

    def guests_of(self, host: Host) -> tuple[Guest, ...]:
        """Return the guests that run on the host."""
        return tuple(guest for guest in self.guests if host.name in guest.hosts)
