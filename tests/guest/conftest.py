"""A real sshd on loopback, for the real client."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from harness.guest.shell import Completed, GuestShell
from harness.inventory.model import AnyKey, Become, PinnedKey, Ssh
from tests.guest.nofiles import NoFiles

SSHD = "/usr/sbin/sshd"


@dataclass
class Sshd:
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def host_key(self) -> PinnedKey:
        kind, key = (self.folder / "host.pub").read_text().split()[:2]
        return PinnedKey(kind, key)

    def login(
        self,
        host_key: PinnedKey | AnyKey | None = None,
        become: Become = Become.NONE,
        key: str = "user",
        user: str = "",
    ) -> Ssh:
        pin = host_key or self.host_key
        return Ssh(user or getpass.getuser(), self.folder / key, pin, become)

    def start(self) -> None:
        self.process = subprocess.Popen([SSHD, "-D", "-e", "-f", self.folder / "config"])

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)


def new_key(path: Path, passphrase: str = "") -> None:
    command = ["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(path)]
    subprocess.run(command, check=True)


@pytest.fixture
def make_key() -> Callable[[Path, str], None]:
    return new_key


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture(scope="session")
def start_sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Sshd]]:
    if not Path(SSHD).exists():
        pytest.skip("openssh-server is not installed")
    started: list[Sshd] = []

    def start(*options: str, path: str = "/usr/bin:/bin") -> Sshd:
        folder = tmp_path_factory.mktemp("sshd")
        port = free_port()
        for name in ("host", "user", "stranger"):
            new_key(folder / name)
        (folder / "authorized").write_bytes((folder / "user.pub").read_bytes())
        (folder / "authorized").chmod(0o600)
        settings = (
            f"ListenAddress 127.0.0.1:{port}", f"HostKey {folder}/host", "PidFile none",
            f"AuthorizedKeysFile {folder}/authorized", "StrictModes no", "UsePAM no",
            "PasswordAuthentication no", "KbdInteractiveAuthentication no", "LogLevel ERROR",
            "PermitRootLogin prohibit-password",
            f"SetEnv HOME={folder} PATH={path}",  # whose login shell then reads no heavy .bashrc
            *options,
        )  # fmt: skip
        (folder / "config").write_text("\n".join(settings) + "\n")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        server = Sshd(folder, port)
        server.start()
        started.append(server)
        wait_until_listening(server)
        return server

    yield start
    for server in started:
        server.stop()


def wait_until_listening(server: Sshd) -> None:
    for _ in range(200):
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", server.port)) == 0:
                return
        assert server.process
        assert server.process.poll() is None
        time.sleep(0.02)
    raise AssertionError("sshd does not listen")


@pytest.fixture(scope="session")
def sshd(start_sshd: Callable[..., Sshd]) -> Sshd:
    return start_sshd()


class LocalShell(NoFiles):
    """This machine as a guest: real commands, no network."""

    name = "here"

    def __init__(self) -> None:
        self.ran: list[tuple[str, ...]] = []
        self.closed = False

    def run(
        self,
        argv: tuple[str, ...],
        *,
        privileged: bool = False,  # noqa: ARG002  # the tests write only what they may
        stdin: bytes = b"",
        within: timedelta = timedelta(seconds=10),
    ) -> Completed:
        self.ran.append(argv)
        done = subprocess.run(
            argv, input=stdin, capture_output=True, check=False, timeout=within.total_seconds()
        )
        return Completed(argv, done.returncode, done.stdout.decode(), done.stderr.decode())

    def close(self) -> None:
        self.closed = True


def satisfies_the_protocol(shell: LocalShell) -> GuestShell:
    return shell


@pytest.fixture
def here() -> LocalShell:
    return LocalShell()
