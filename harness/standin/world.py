r"""The state of a simulated host: VMs, switches, jobs, events. Data, no behaviour.

Sizes are bytes, paths are the host's (``C:\…``), times are UTC. What a checkpoint carries is
exactly ``Settings``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from harness.standin.backups import Backups

MIB = 1 << 20
GIB = 1 << 30
ZERO = UUID(int=0)
SERVICES = (  # name, the GUID in its Id, enabled on a new VM
    ("Guest Service Interface", "6C09BB55-D683-4DA0-8931-C9BF705F6480", False),
    ("Heartbeat", "84EAAE65-2F2E-45F5-9BB5-0E857DC8EB47", True),
    ("Key-Value Pair Exchange", "2A34B1C2-FD73-4043-8A5B-DD2159BC743F", True),
    ("Shutdown", "9F8233AC-BE49-4C79-8EE3-E7E1985B2077", True),
    ("Time Synchronization", "2497F4DE-E9FA-4204-80E4-4B75C46419C0", True),
    ("VSS", "5CED1297-4598-4915-A5FC-AD21BB4D02A4", True),
)


@dataclass(slots=True)
class Memory:
    """Memory settings of a VM; buffer and priority as Set-VMMemory counts them."""

    startup: int = GIB
    minimum: int = 512 * MIB
    maximum: int = 1024 * GIB
    dynamic: bool = False
    buffer: int = 20
    priority: int = 50


@dataclass(slots=True)
class Ram:
    """What a VM's memory has become since it started from Off; sizes are bytes.

    ``modules``: hot-added; ``target``: what the balancer gave it (0: its startup memory);
    ``demand``: what its guest needs, 0 until it has reported; ``overhead``: what of its memory the
    guest's kernel never counts. ``awaited``: the total of the guest's kernel that shows that it has
    taken up its last module, ``patience``: for so many turns of the balancer.
    """

    modules: tuple[int, ...] = ()
    target: int = 0
    demand: int = 0
    overhead: int | None = None
    awaited: int = 0
    patience: int = 0


@dataclass(slots=True)
class Processor:
    """Processor settings of a VM; ``extra`` holds what the stand-in only remembers."""

    count: int = 1
    maximum: int = 100
    reserve: int = 0
    weight: int = 100
    extra: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Drive:
    """A hard disk drive or (``dvd``) a DVD drive at its place on a controller."""

    path: str
    controller: str
    number: int
    location: int
    id: UUID
    dvd: bool = False
    extra: dict[str, object] = field(default_factory=dict)

    @property
    def place(self) -> tuple[str, int, int]:
        """Return controller type, number and location: no two drives of a VM share it."""
        return self.controller, self.number, self.location


@dataclass(slots=True)
class Vlan:
    """VLAN setting of an adapter; mode as VMNetworkAdapterVlanMode names it."""

    mode: str = "Untagged"
    access: int = 0
    native: int = 0
    allowed: tuple[int, ...] = ()


@dataclass(slots=True)
class Adapter:
    """A network adapter. ``mac`` is what cmdlets show, not what QEMU's card has (see limits)."""

    id: UUID
    name: str
    mac: str
    dynamic_mac: bool = True
    legacy: bool = False
    switch: UUID | None = None
    vlan: Vlan = field(default_factory=Vlan)
    extra: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class ComPort:
    """A serial port; ``path`` is the named pipe that it was given."""

    path: str = ""
    debugger: str = "Off"


@dataclass(slots=True)
class Video:
    """What the display offers, in pixels; ``kind`` is a ResolutionType name.

    Single: that one resolution. Maximum: up to that one. Default: the numbers do not count.
    """

    kind: str = "Default"
    width: int = 1024
    height: int = 768

    @property
    def preferred(self) -> tuple[int, int]:
        """Return the resolution that the guest is told to take."""
        if self.kind == "Single":
            return self.width, self.height
        largest = self.largest
        return min(1024, largest[0]), min(768, largest[1])

    @property
    def largest(self) -> tuple[int, int]:
        """Return the largest resolution that the guest is told of."""
        return (1920, 1080) if self.kind == "Default" else (self.width, self.height)


@dataclass(slots=True)
class Settings:
    """The configuration of a VM, and of each of its checkpoints."""

    version: str
    generation: int = 1
    notes: str = ""
    memory: Memory = field(default_factory=Memory)
    processor: Processor = field(default_factory=Processor)
    low_gap: int = 128 * MIB
    high_gap: int = 512 * MIB
    checkpoint_type: str = "Production"
    drives: list[Drive] = field(default_factory=list)
    scsi: list[int] = field(default_factory=list)
    adapters: list[Adapter] = field(default_factory=list)
    com: dict[int, ComPort] = field(default_factory=lambda: {1: ComPort(), 2: ComPort()})
    services: dict[str, bool] = field(default_factory=lambda: {n: on for n, _, on in SERVICES})
    start_action: str = "StartIfRunning"
    start_delay: int = 0
    stop_action: str = "Save"
    num_lock: bool = False
    video: Video = field(default_factory=Video)
    boot: tuple[str, ...] = ("CD", "IDE", "LegacyNetworkAdapter", "Floppy")
    extra: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Snapshot:
    """A checkpoint. ``memory`` is the file of its memory state; without one its state is Off."""

    id: UUID
    name: str
    created: datetime
    settings: Settings
    parent: UUID | None = None
    memory: str | None = None
    ram: Ram = field(default_factory=Ram)


@dataclass(slots=True)
class Vm:
    """A virtual machine. ``state`` is a VMState name; ``saved`` the file of its saved state.

    ``layers`` maps each disk file that a checkpoint made to the file below it; ``current`` is the
    checkpoint that "now" descends from; ``heard``: the guest's agent answered since the start.
    """

    id: UUID
    name: str
    created: datetime
    path: str
    snapshot_path: str
    settings: Settings
    state: str = "Off"
    saved: str | None = None
    snapshots: dict[UUID, Snapshot] = field(default_factory=dict)
    current: UUID | None = None
    layers: dict[str, str] = field(default_factory=dict)
    changed: datetime | None = None
    heard: bool = False
    ram: Ram = field(default_factory=Ram)


@dataclass(slots=True)
class Switch:
    """A virtual switch; kind is Private, Internal or External."""

    id: UUID
    name: str
    kind: str
    notes: str = ""
    adapter: str = ""
    management: bool = False


@dataclass(slots=True)
class Job:
    """What Msvm_ConcreteJob shows; state 7 is Completed, 10 Exception."""

    id: UUID
    kind: int
    started: datetime
    state: int = 7
    error: int = 0
    description: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the host's event log."""

    id: int
    source: str
    level: str
    at: datetime
    text: str
    vm: UUID | None = None


@dataclass(slots=True)
class World:
    """Everything that a host remembers; ``addresses`` belong to adapters, by adapter id."""

    vms: dict[UUID, Vm] = field(default_factory=dict)
    switches: dict[UUID, Switch] = field(default_factory=dict)
    jobs: dict[UUID, Job] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    addresses: dict[UUID, str] = field(default_factory=dict)
    backups: Backups = field(default_factory=Backups)
    macs: int = 0
