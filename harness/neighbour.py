"""A second guest that keeps the cores of the first, over a private switch between the two."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harness.bench import Bench, GuestUnderTest
from harness.checks import reach
from harness.crash import Keeper, Place
from harness.distro import Adapter
from harness.distro.dumping import Kind, Target
from harness.dump_target import lent
from harness.errors import CommandFailed, EvidenceError
from harness.evidence import Evidence, Measured, Probe
from harness.guest import changes
from harness.guest.files import read_file, run_or_fail, write_file
from harness.guest.measure import as_evidence
from harness.guest.shell import GuestShell
from harness.host import private
from harness.host.private import Member
from harness.verdict import Verdict

KEY = "/root/.ssh/hvcert_kdump"
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key.pub"
FOLDER = "/srv/hvcert-crash"
ADDRESS = f"{private.NETWORK}.2"
"""Of the keeper on the private switch; the first guest is .1."""
EXPORTS = "/etc/exports.d/hvcert.exports"


@contextmanager
def neighbour(bench: Bench) -> Iterator[Bench]:
    """Make a second VM of the guest and join both by a private switch; both are up in the block.

    Addresses are configured to last, as the family does it: a capture kernel needs them, too.
    """
    switch = bench.private_switch()
    with bench.another() as other:
        mine, theirs = private.join(bench.vm, switch, 1), private.join(other.vm, switch, 2)
        other.boot()
        bench.boot()
        take_address(other, theirs)
        take_address(bench, mine)
        bench.story.append(f"joined {other.vm.name} at {theirs.address}")
        yield other


def take_address(bench: Bench, member: Member) -> None:
    """Configure the adapter on the private switch for good, and see that it has its address."""
    guest = _up(bench)
    device = guest.measure(device_of(member.mac))
    adapter = Adapter(member.mac, device.value, member.cidr)
    bench.context += [
        *device.evidence,
        *changes.make(guest.shell, bench.family.adapter(adapter)),
    ]
    asked = ("ip", "-o", "-4", "address", "show", "dev", device.value)

    def configured() -> Measured[str] | None:
        seen = guest.measure(Probe(asked, str))
        return seen if f" {member.cidr} " in seen.value else None

    seen = guest.wait_for(f"{member.cidr} on {device.value}", configured, reach.ADDRESS_WITHIN)
    if seen is None:
        raise EvidenceError("ip address", f"{member.cidr} on {device.value}", "")
    bench.context += seen.evidence


def device_of(mac: str) -> Probe[str]:
    """Ask for the network device of a MAC address: ``ens9``."""

    def parse(text: str) -> str:
        for line in text.splitlines():
            found = re.match(r"\d+: ([^:@]+)[:@]", line)
            if found and mac in line.lower():
                return found[1]
        raise EvidenceError("ip link", f"device with MAC address {mac}", text)

    return Probe(("ip", "-o", "link", "show"), parse)


@contextmanager
def keeper_by_ssh(bench: Bench) -> Iterator[Keeper]:
    """Yield who keeps the guest's cores over SSH: the inventory's target, or a second guest."""
    wanted = bench.guest.dump_target
    if wanted is None:
        with neighbour(bench) as other:
            keeper, user = _up(other).shell, other.guest.ssh.user
            run_or_fail(keeper, ("install", "-d", "-o", user, "-m", "755", "--", FOLDER))
            target = Target(Kind.SSH, FOLDER, ADDRESS, user, KEY)
            with _let_in(bench, keeper, target):
                yield _by_ssh(bench, lambda: _up(other), target)
        return
    bench.boot()
    target = Target(Kind.SSH, wanted.folder, wanted.address, wanted.ssh.user, KEY)
    with lent(bench, wanted) as machine, _let_in(bench, machine.shell, target):
        yield _by_ssh(bench, lambda: machine, target)


@contextmanager
def keeper_by_nfs(bench: Bench) -> Iterator[Keeper]:
    """Yield who keeps the guest's cores over NFS: the inventory's target, or a second guest."""
    wanted = bench.guest.dump_target
    if wanted is None:
        with neighbour(bench) as other:
            _export(other)
            yield _by_nfs(bench, lambda: _up(other), Target(Kind.NFS, FOLDER, ADDRESS))
        return
    bench.boot()
    with lent(bench, wanted) as machine:
        yield _by_nfs(bench, lambda: machine, Target(Kind.NFS, wanted.folder, wanted.address))


def _by_ssh(bench: Bench, place: Callable[[], Place], target: Target) -> Keeper:
    options = ("-i", KEY, "-o", "BatchMode=yes", "-o", "ConnectTimeout=60")
    ask = ("ssh", *options, f"{target.user}@{target.address}", "true")
    return Keeper(target, place, _check(bench, place, target, (ask,)))


def _by_nfs(bench: Bench, place: Callable[[], Place], target: Target) -> Keeper:
    bench.needs_programs("mount.nfs")
    exported = f"{target.address}:{target.folder}"
    mount = ("mount", "-t", "nfs", "-o", "timeo=100,retrans=2,retry=0", exported, "/mnt")
    ask = (mount, ("touch", "/mnt/hvcert-try"), ("umount", "/mnt"))
    return Keeper(target, place, _check(bench, place, target, ask))


@contextmanager
def _let_in(bench: Bench, keeper: GuestShell, target: Target) -> Iterator[None]:
    """Have the keeper let the guest in by a key of its own while the block runs."""
    guest = _up(bench).shell
    bench.context += [
        run_or_fail(guest, ("mkdir", "-p", "-m", "700", "--", "/root/.ssh")),
        run_or_fail(guest, ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", KEY)),
    ]
    host_key = _text(keeper, HOST_KEY).split()[:2]
    _append(guest, "/root/.ssh/known_hosts", " ".join((target.address, *host_key)))
    path = f"{_home(keeper, target.user)}/.ssh/authorized_keys"
    former, _ = read_file(keeper, path)
    _append(keeper, path, _text(guest, f"{KEY}.pub"))
    try:
        yield
    finally:
        write_file(keeper, path, former or "")


def _export(other: Bench) -> None:
    """Have the other guest export a folder to the private network."""
    other.needs_programs("exportfs")
    keeper, unit = _up(other).shell, other.family.nfs_server.units[0]
    line = f"{FOLDER} {private.NETWORK}.0/24(rw,sync,no_root_squash,no_subtree_check)\n"
    other.context += [
        run_or_fail(keeper, ("install", "-d", "-m", "755", "--", FOLDER)),
        *write_file(keeper, EXPORTS, line),
        *(run_or_fail(keeper, argv) for argv in _start(unit)),
    ]


def _start(unit: str) -> tuple[tuple[str, ...], ...]:
    """Return what starts an NFS server, also where its administrator has masked it."""
    services = (f"{unit}.service", "rpcbind.service", "rpcbind.socket")
    unmask = ("systemctl", "unmask", *services)
    return (unmask, ("systemctl", "restart", services[0]), ("exportfs", "-ra"))


def _check(
    bench: Bench, place: Callable[[], Place], target: Target, ask: tuple[tuple[str, ...], ...]
) -> Callable[[], Verdict]:
    """Return what judges the target: what kdump does, tried beforehand, and the room left."""

    def check() -> Verdict:
        guest, wrong, proof = _up(bench).shell, "", list[Evidence]()
        for argv in ask:
            done = guest.run(argv, privileged=True, within=reach.ADDRESS_WITHIN)
            proof.append(as_evidence(guest.name, done))
            wrong = wrong or reach.read_answer(done.exit_status, done.stderr)
        free = place().measure(reach.room(target.folder))
        return reach.judge_target(Measured(wrong, tuple(proof)), free)

    return check


def _up(bench: Bench) -> GuestUnderTest:
    if bench.running is None:
        raise EvidenceError("guest", "boot that answers", bench.vm.name)
    return bench.running


def _text(shell: GuestShell, path: str) -> str:
    found, _ = read_file(shell, path)
    if not found:
        raise EvidenceError(path, "text", "")
    return found


def _append(shell: GuestShell, path: str, line: str) -> None:
    found, _ = read_file(shell, path)
    write_file(shell, path, f"{(found or '').rstrip()}\n{line.strip()}\n".lstrip())


def _home(shell: GuestShell, user: str) -> str:
    asked = ("getent", "passwd", user)
    done = shell.run(asked)
    if done.exit_status:
        raise CommandFailed(shell.name, asked, done.exit_status, done.stderr)
    return done.stdout.split(":")[5]
