"""Guest sessions over paramiko; the only file that knows it.

One session is one transport with TCP_NODELAY (without it each command waits 40 ms for an ACK).
Commands come as argv and are quoted here, nowhere else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
import shlex
import socket
import threading
from datetime import timedelta
from typing import Self

import paramiko

from harness.deadline import Deadline
from harness.errors import (
    DeadlineExceeded,
    GuestError,
    GuestKeyRefused,
    GuestLoginRefused,
    GuestUnreachable,
)
from harness.guest.shell import Completed
from harness.inventory.keys import pinned
from harness.inventory.model import AnyKey, Become, Ssh

CONNECT_SECONDS, BANNER_SECONDS, AUTH_SECONDS = 10.0, 60.0, 60.0
DEFAULT_WITHIN = timedelta(seconds=120)
CHUNK = 1 << 16
SUDO_ASKS = ("a password is required", "a terminal is required")

logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False


class SshShell:
    """A session to one guest; made by ``connect``."""

    def __init__(self, client: paramiko.SSHClient, login: Ssh, name: str, address: str) -> None:
        self._client, self._login, self._name = client, login, name
        self.address = address

    @classmethod
    def connect(
        cls,
        login: Ssh,
        name: str,
        addresses: tuple[str, ...],
        port: int = 22,
    ) -> Self:
        """Log in at the first address that answers.

        Raises GuestUnreachable when none does, GuestKeyRefused, GuestLoginRefused.
        """
        troubles: list[str] = []
        for address in addresses:
            try:
                return cls(_client(login, name, address, port), login, name, address)
            except (OSError, EOFError, paramiko.SSHException) as broken:
                troubles.append(f"{address}:{port}: {type(broken).__name__} {broken}".strip())
        tried = "; ".join(troubles) or "no address to try"
        advice = "check that sshd runs in the guest and that the address is reachable from here"
        raise GuestUnreachable(name, f"SSH does not answer ({tried})", advice)

    @property
    def name(self) -> str:
        """The guest's name in the inventory."""
        return self._name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; one that is gone already does not matter."""
        self._client.close()

    def run(
        self,
        argv: tuple[str, ...],
        *,
        privileged: bool = False,
        stdin: bytes = b"",
        within: timedelta = DEFAULT_WITHIN,
    ) -> Completed:
        """Run one command to its end (see GuestShell.run for the errors)."""
        deadline = Deadline(within)
        whole = self._argv(argv, privileged=privileged)
        try:
            channel = self._open(deadline)
            try:
                channel.exec_command(shlex.join(whole))
                done = _drain(channel, stdin, deadline)
            finally:
                channel.close()
        except (OSError, EOFError, paramiko.SSHException) as broken:
            said = f"the connection broke in `{shlex.join(argv)}` ({type(broken).__name__})"
            raise GuestUnreachable(self._name, said, "look at the guest's console") from None
        if done is None:
            raise DeadlineExceeded(f"the end of `{shlex.join(argv)}` on {self._name}", within)
        status, out, err = done
        self._check_sudo(whole, status, err)
        return Completed(argv, status, out, err)

    def _argv(self, argv: tuple[str, ...], *, privileged: bool) -> tuple[str, ...]:
        sudo = privileged and self._login.become is Become.SUDO
        return ("sudo", "-n", "--", *argv) if sudo else argv

    def _open(self, deadline: Deadline) -> paramiko.Channel:
        transport = self._client.get_transport()
        if transport is None or not transport.is_active():
            raise EOFError("the session has ended")
        return transport.open_session(timeout=max(1.0, deadline.left()))

    def _check_sudo(self, whole: tuple[str, ...], status: int, err: str) -> None:
        if whole[:2] == ("sudo", "-n") and status == 1 and any(text in err for text in SUDO_ASKS):
            raise GuestError(
                self._name,
                f"sudo asks {self._login.user} for a password",
                f"give {self._login.user} NOPASSWD in sudoers, or log in as root",
            )


def _client(login: Ssh, name: str, address: str, port: int) -> paramiko.SSHClient:
    client = paramiko.SSHClient()
    _trust(client, login, address, port)
    try:
        client.connect(
            address,
            port=port,
            username=login.user,
            key_filename=str(login.key),
            allow_agent=False,
            look_for_keys=False,
            timeout=CONNECT_SECONDS,
            banner_timeout=BANNER_SECONDS,
            auth_timeout=AUTH_SECONDS,
        )
    except paramiko.BadHostKeyException as other:
        client.close()
        came, wanted = _fingerprint(other.key.asbytes()), _fingerprint(other.expected_key.asbytes())
        raise GuestKeyRefused(
            name,
            f"the host key at {address} is {came}, pinned is {wanted}",
            "if the guest was installed anew, pin the new key in the inventory",
        ) from None
    except (paramiko.AuthenticationException, FileNotFoundError, PermissionError) as refused:
        client.close()
        raise GuestLoginRefused(
            name,
            f"{login.user}@{address} with key {login.key}: {type(refused).__name__}",
            "check the user, the key file, and the guest's authorized_keys",
        ) from None
    except BaseException:
        client.close()
        raise
    _without_nagle(client)
    return client


def _trust(client: paramiko.SSHClient, login: Ssh, address: str, port: int) -> None:
    if isinstance(login.host_key, AnyKey):
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        return
    key = pinned(login.host_key)
    try:
        known = paramiko.PKey.from_type_string(key.key_type, base64.b64decode(key.base64))
    except (paramiko.SSHException, binascii.Error, ValueError) as broken:
        raise GuestKeyRefused(
            address, f"the pinned key cannot be read ({broken})", "pin it as ssh-ed25519 AAAA…"
        ) from None
    where = address if port == 22 else f"[{address}]:{port}"
    client.get_host_keys().add(where, known.get_name(), known)


def _without_nagle(client: paramiko.SSHClient) -> None:
    transport = client.get_transport()
    if transport is not None and isinstance(transport.sock, socket.socket):
        transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport.set_keepalive(30)


def _fingerprint(blob: bytes) -> str:
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return f"SHA256:{digest}"


def _drain(
    channel: paramiko.Channel, stdin: bytes, deadline: Deadline
) -> tuple[int, str, str] | None:
    """Feed stdin, read both streams together; return None when the deadline passes first."""
    ready = threading.Event()
    channel.in_buffer.set_event(ready)
    channel.in_stderr_buffer.set_event(ready)
    out, err = bytearray(), bytearray()
    rest = memoryview(stdin)
    if not rest:
        channel.shutdown_write()
    while deadline.left() > 0:
        ready.clear()
        moved = _read(channel, out, err)
        if rest and channel.send_ready():
            rest = rest[channel.send(bytes(rest[:CHUNK])) :]
            moved = True
            if not rest:
                channel.shutdown_write()
        if moved:
            continue
        if channel.exit_status_ready() and (channel.eof_received or channel.closed):
            _read(channel, out, err)
            status = channel.recv_exit_status()
            return status, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")
        _wait(channel, ready, min(0.05 if rest else 1.0, deadline.left()))
    return None


def _read(channel: paramiko.Channel, out: bytearray, err: bytearray) -> bool:
    """Take what has arrived on both streams; return whether anything had."""
    before = len(out) + len(err)
    while channel.recv_ready():
        out += channel.recv(CHUNK)
    while channel.recv_stderr_ready():
        err += channel.recv_stderr(CHUNK)
    return len(out) + len(err) > before


def _wait(channel: paramiko.Channel, ready: threading.Event, seconds: float) -> None:
    """Wait for output; once the streams have ended, for the exit status."""
    if channel.eof_received:
        channel.status_event.wait(seconds)
    else:
        ready.wait(seconds)
