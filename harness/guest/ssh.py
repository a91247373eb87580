"""GuestShell over SSH; the only file that knows paramiko (imported when a login is made).

One connection per guest, one channel per command. TCP_NODELAY is set because paramiko does not:
without it each command waits 40 ms for a delayed acknowledgement.
"""

from __future__ import annotations

import logging
import shlex
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from harness.deadline import Deadline, wait_for
from harness.errors import (
    DeadlineExceeded,
    GuestError,
    GuestLoginRefused,
    GuestUnreachable,
)
from harness.evidence import Evidence
from harness.guest.conversation import FileSink, Sink, converse
from harness.guest.host_key import accept
from harness.guest.shell import Completed, saved
from harness.inventory.keys import pinned
from harness.inventory.model import AnyKey, Become, Guest, PinnedKey, Ssh

if TYPE_CHECKING:
    from typing import Self

    import paramiko

STEP = timedelta(seconds=60)
"""Limit of one step of a login (banner, key exchange, authentication, opening a channel). Emulated
guests are slow, so it is generous; the caller's limit bounds the whole."""

DIAL = timedelta(seconds=10)
COMMAND = timedelta(minutes=2)
KEEP_ALIVE = 30
LOG = "hvcert.ssh"
LEAST = 0.05
RSA_SIGNATURES = ("rsa-sha2-512", "rsa-sha2-256")


def connect(guest: Guest, addresses: tuple[str, ...], port: int, within: timedelta) -> SshShell:
    """Log in to a guest that may still be booting: try every address until the limit is over."""
    return SshShell.connect(guest.ssh, guest.name, addresses, port, within=within)


class SshShell:
    """A session to one guest; use it in a ``with`` or call ``close``."""

    def __init__(self, name: str, login: Ssh, transport: paramiko.Transport, met: Evidence) -> None:
        self._name, self._login, self._transport = name, login, transport
        self.met = met
        """Where the guest was met, and by which host key."""

    @classmethod
    def connect(
        cls,
        login: Ssh,
        name: str,
        addresses: tuple[str, ...],
        port: int = 22,
        *,
        within: timedelta = STEP,
    ) -> Self:
        """Log in at the first address that answers.

        Raises GuestUnreachable when none does within the limit; GuestKeyRefused and
        GuestLoginRefused at once, for time cures neither.
        """
        deadline, failures = Deadline(within), dict[str, str]()

        def attempt() -> tuple[paramiko.Transport, Evidence] | None:
            for address in addresses:
                try:
                    return _log_in(login, name, (address, port), deadline)
                except GuestUnreachable as error:
                    failures[address] = error.what
            return None

        try:
            return cls(name, login, *wait_for(f"SSH on {name}", attempt, within))
        except DeadlineExceeded:
            tried = ", ".join(failures.values()) or "the host reported no address"
            limit = f"within {within.total_seconds():.0f} s"
            advice = "see the guest's console: is it up, is sshd running, does a firewall drop it?"
            raise GuestUnreachable(name, f"no SSH {limit}: {tried}", advice) from None

    @property
    def name(self) -> str:
        """The guest's name in the inventory."""
        return self._name

    def run(
        self,
        argv: tuple[str, ...],
        *,
        privileged: bool = False,
        stdin: bytes = b"",
        within: timedelta = COMMAND,
    ) -> Completed:
        """Run one command to its end; see GuestShell. A signal's end is exit status -1.

        Raises GuestUnreachable when the connection breaks, DeadlineExceeded after ``within`` (the
        channel is then closed; a program that never writes may live on), GuestError when sudo asks
        for a password.
        """
        out = bytearray()
        run = self._as_root if privileged else self._exec
        status, err = run(argv, stdin, out, Deadline(within))
        return Completed(argv, status, _text(bytes(out)), _text(err))

    def save(
        self,
        argv: tuple[str, ...],
        to: Path,
        *,
        privileged: bool = False,
        within: timedelta = COMMAND,
    ) -> Completed:
        """Run one command and write its stdout to a file; see GuestShell. Raises as ``run``."""
        file = FileSink(to)
        run = self._as_root if privileged else self._exec
        status, err = run(argv, b"", file, Deadline(within))
        return Completed(argv, status, saved(file.size, file.sha256), _text(err))

    def close(self) -> None:
        """End the session; harmless when it is over already."""
        with suppress(OSError, EOFError):
            self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _as_root(
        self, argv: tuple[str, ...], stdin: bytes, out: Sink, deadline: Deadline
    ) -> tuple[int, bytes]:
        if self._login.become is not Become.SUDO:
            return self._exec(argv, stdin, out, deadline)
        status, err = self._exec(("sudo", "-n", "--", *argv), stdin, out, deadline)
        if status in {1, 127} and b"sudo" in err:
            self._check_sudo(deadline, err)
        return status, err

    def _exec(
        self, argv: tuple[str, ...], stdin: bytes, out: Sink, deadline: Deadline
    ) -> tuple[int, bytes]:
        if not argv or any("\0" in word for word in argv):
            raise ValueError("a command needs words without NUL characters")
        line = shlex.join(argv)
        with self._channel(line, deadline) as channel:
            err = converse(channel, stdin, out, deadline)
            if not channel.status_event.wait(deadline.left()):
                raise TimeoutError
            if channel.exit_status == -1 and not self._transport.is_active():
                raise self._lost(line)
            return channel.exit_status, err

    @contextmanager
    def _channel(self, line: str, deadline: Deadline) -> Iterator[paramiko.Channel]:
        import paramiko

        try:
            channel = self._transport.open_session(timeout=max(deadline.left(), LEAST))
        except (paramiko.SSHException, EOFError, OSError) as error:
            if self._transport.is_active() and not deadline.left():
                raise self._overdue(line, deadline) from error
            raise self._lost(line) from error
        try:
            channel.exec_command(line)
            yield channel
        except TimeoutError as error:
            lost = not self._transport.is_active()
            raise (self._lost(line) if lost else self._overdue(line, deadline)) from error
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise self._lost(line) from error
        finally:
            channel.close()

    def _overdue(self, line: str, deadline: Deadline) -> DeadlineExceeded:
        what = f"the end of `{_short(line)}` on guest {self._name}"
        return DeadlineExceeded(what, deadline.limit, "its channel was closed")

    def _lost(self, line: str) -> GuestUnreachable:
        what = f"the SSH connection was lost while `{_short(line)}` ran"
        return GuestUnreachable(
            self._name, what, "did the guest reboot, panic or lose its network?"
        )

    def _check_sudo(self, deadline: Deadline, said: bytes) -> None:
        """Tell sudo's own refusal from the command's: another command would be refused too."""
        status, _ = self._exec(("sudo", "-n", "--", "true"), b"", bytearray(), deadline)
        if status == 0:
            return
        user = self._login.user
        if status == 127:
            what, advice = "there is no sudo", f"install it, or log in as root instead of {user}"
        elif b"password" in said:
            what, advice = "sudo asks for a password", f"give user {user} NOPASSWD or use root"
        else:
            what = f"sudo refused: {_text(said).strip().splitlines()[-1]}"
            advice = f"give user {user} NOPASSWD: ALL or use root"
        raise GuestError(self._name, what, advice)


def _log_in(
    login: Ssh, name: str, where: tuple[str, int], deadline: Deadline
) -> tuple[paramiko.Transport, Evidence]:
    """Make one connection and log in; raise the GuestError that says why not."""
    import paramiko

    key = _own_key(login, name)
    place = f"{where[0]}:{where[1]}"
    try:
        transport = _transport(where, deadline)
    except OSError as error:
        raise GuestUnreachable(name, f"{place} {error.strerror or error}") from error
    try:
        met = _shake_hands(transport, login, name, place)
        _authenticate(transport, login, name, key)
    except (paramiko.SSHException, EOFError, OSError) as error:
        transport.close()
        raise GuestUnreachable(name, f"{place} broke the SSH login off ({error})") from error
    except GuestError:
        transport.close()
        raise
    transport.set_keepalive(KEEP_ALIVE)
    return transport, met


def _own_key(login: Ssh, name: str) -> paramiko.PKey:
    import paramiko

    what = f"the key {login.key} of user {login.user}"
    try:
        return paramiko.PKey.from_path(login.key)
    except OSError as error:
        told = f"{what} cannot be read ({error.strerror})"
        raise GuestLoginRefused(name, told, "correct ssh.key in the inventory") from None
    except (TypeError, paramiko.PasswordRequiredException):
        advice = "name a key without passphrase: a run cannot ask"
        raise GuestLoginRefused(name, f"{what} has a passphrase", advice) from None
    except (ValueError, paramiko.SSHException):
        advice = "ssh.key must name an OpenSSH or PEM private key (ed25519, ecdsa, rsa)"
        raise GuestLoginRefused(name, f"{what} is no private key", advice) from None


def _transport(where: tuple[str, int], deadline: Deadline) -> paramiko.Transport:
    """Dial and return a transport whose log, tracebacks included, goes nowhere."""
    import paramiko

    limit = max(deadline.left(), LEAST)
    sock = socket.create_connection(where, timeout=min(limit, DIAL.total_seconds()))
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport = paramiko.Transport(sock)
    except (paramiko.SSHException, OSError):
        sock.close()
        raise
    log = logging.getLogger(LOG)
    log.propagate = False
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    transport.set_log_channel(LOG)
    step = min(max(deadline.left(), LEAST), STEP.total_seconds())
    transport.banner_timeout = transport.handshake_timeout = step
    transport.auth_timeout = transport.channel_timeout = step
    return transport


def _shake_hands(transport: paramiko.Transport, login: Ssh, name: str, place: str) -> Evidence:
    """Agree on keys and compare the guest's with the pinned one; return what was seen."""
    policy = login.host_key
    pin = policy if isinstance(policy, AnyKey) else pinned(policy)
    if isinstance(pin, PinnedKey):
        options = transport.get_security_options()
        first = RSA_SIGNATURES if pin.key_type == "ssh-rsa" else (pin.key_type,)
        rest = [kind for kind in options.key_types if kind not in first]
        options.key_types = [*(kind for kind in first if kind in options.key_types), *rest]
    transport.start_client(timeout=transport.handshake_timeout)
    key = transport.get_remote_server_key()
    shown = PinnedKey(key.get_name(), key.get_base64())
    how = accept(shown, pin, name, place)
    return Evidence(f"ssh {login.user}@{place}", how, f"guest {name}")


def _authenticate(transport: paramiko.Transport, login: Ssh, name: str, key: paramiko.PKey) -> None:
    import paramiko

    try:
        more = transport.auth_publickey(login.user, key)
    except paramiko.AuthenticationException:
        if not transport.is_active():  # "System is booting up": sshd hangs up after a good key
            raise EOFError("sshd hung up: is the guest still booting?") from None
        more = []
    if transport.is_authenticated():
        return
    asks = f" (sshd asks for {', '.join(more)} too)" if more else ""
    what = f"user {login.user} with key {login.key} was not accepted{asks}"
    advice = f"put {login.key}.pub into ~{login.user}/.ssh/authorized_keys of the guest"
    raise GuestLoginRefused(name, what, advice)


def _short(line: str) -> str:
    return line if len(line) <= 120 else f"{line[:117]}..."


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace")
