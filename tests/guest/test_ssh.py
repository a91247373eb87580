from __future__ import annotations

import hashlib
import logging
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import (
    DeadlineExceeded,
    GuestError,
    GuestKeyRefused,
    GuestLoginRefused,
    GuestUnreachable,
    ResultsError,
)
from harness.guest.host_key import fingerprint
from harness.guest.shell import Completed
from harness.guest.ssh import SshShell
from harness.inventory.model import AnyKey, Become, KeyFile, PinnedKey, Ssh

if TYPE_CHECKING:
    from tests.guest.conftest import Sshd

SHORT = timedelta(seconds=1)
LOOPBACK = ("127.0.0.1",)
Start = Callable[..., "Sshd"]


@pytest.fixture(scope="module")
def shell(sshd: Sshd) -> Iterator[SshShell]:
    with SshShell.connect(sshd.login(), "g1", LOOPBACK, sshd.port) as shell:
        yield shell


def refused(error: type[GuestError], login: Ssh, port: int) -> GuestError:
    with pytest.raises(error) as caught:
        SshShell.connect(login, "g1", LOOPBACK, port, within=SHORT)
    return caught.value


def test_streams_and_status_come_apart(shell: SshShell) -> None:
    done = shell.run(("sh", "-c", "echo out; echo err >&2; exit 7"))
    assert (done.exit_status, done.stdout, done.stderr) == (7, "out\n", "err\n")


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), max_size=4))
def test_words_arrive_exactly_as_they_were_given(shell: SshShell, words: list[str]) -> None:
    done = shell.run((sys.executable, "-S", "-c", "import sys; print(ascii(sys.argv[1:]))", *words))
    assert done.stdout.strip() == ascii(words)


def test_what_a_shell_would_expand_is_only_text(shell: SshShell) -> None:
    words = ("$HOME", "`id`", "$(id)", "a'b", 'c"d', "*", "; rm", "~", "#", "", "new\nline", "!x")
    assert shell.run(("printf", "%s|", *words)).stdout == "|".join(words) + "|"


def test_a_command_needs_words_without_nul(shell: SshShell) -> None:
    for argv in ((), ("a\0b",)):
        with pytest.raises(ValueError, match="NUL"):
            shell.run(argv)


def test_standard_input_arrives_byte_by_byte(shell: SshShell) -> None:
    data = bytes(range(256)) * 20_000
    done = shell.run(("sha256sum",), stdin=data)
    assert done.stdout.split()[0] == hashlib.sha256(data).hexdigest()


def test_standard_input_that_nobody_reads_does_not_hang(shell: SshShell) -> None:
    assert shell.run(("true",), stdin=b"x" * 5_000_000).exit_status == 0


def test_much_on_both_streams_does_not_deadlock(shell: SshShell) -> None:
    code = (
        "import sys\nfor _ in range(60):\n sys.stderr.write('e'*100000)\nfor _ in range(60):\n"
        " sys.stdout.write('o'*100000)\nfor _ in range(60):\n sys.stderr.write('e'*100000)"
    )
    done = shell.run((sys.executable, "-S", "-c", code))
    assert (done.stdout.count("o"), done.stderr.count("e")) == (6_000_000, 12_000_000)


def test_what_a_command_says_is_saved_byte_by_byte(shell: SshShell, tmp_path: Path) -> None:
    file = tmp_path / "cores" / "dump.1"
    done = shell.save(("sh", "-c", "head -c 3000000 /dev/zero; printf '\\377'; echo no >&2"), file)
    data = bytes(3_000_000) + b"\xff"
    assert file.read_bytes() == data
    assert (done.exit_status, done.stderr) == (0, "no\n")
    assert done.stdout == f"3000001 bytes, SHA-256 {hashlib.sha256(data).hexdigest()}\n"
    assert shell.save(("false",), file).exit_status == 1
    assert file.read_bytes() == b""


def test_a_file_that_cannot_be_written_is_an_error_of_the_results(
    shell: SshShell, tmp_path: Path
) -> None:
    with pytest.raises(ResultsError, match=r"No space left on device; make room"):
        shell.save(("head", "-c", "100000", "/dev/zero"), Path("/dev/full"))
    (tmp_path / "cores").write_text("a file")
    with pytest.raises(ResultsError, match="cores"):
        shell.save(("true",), tmp_path / "cores" / "dump.1")
    assert shell.run(("echo", "on")).stdout == "on\n"


def test_bytes_that_are_no_utf8_are_replaced(shell: SshShell) -> None:
    assert shell.run(("printf", r"a\377b")).stdout == "a\ufffdb"


def test_a_command_that_takes_too_long_is_named_and_leaves_the_session_usable(
    shell: SshShell,
) -> None:
    begun = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"`sleep 30` on guest g1 .* within 1 s"):
        shell.run(("sleep", "30"), within=timedelta(seconds=1))
    assert time.monotonic() - begun < 15
    assert shell.run(("echo", "still here")).stdout == "still here\n"


def test_a_command_that_never_stops_talking_is_cut_off_too(shell: SshShell) -> None:
    with pytest.raises(DeadlineExceeded):
        shell.run(("yes",), within=timedelta(seconds=0.5))


def test_a_child_that_keeps_stderr_open_counts_as_running(shell: SshShell) -> None:
    with pytest.raises(DeadlineExceeded):
        shell.run(("sh", "-c", "sleep 20 >&- & exit 0"), within=timedelta(seconds=1))


def test_a_command_ended_by_a_signal_has_status_minus_one(shell: SshShell) -> None:
    assert shell.run(("sh", "-c", "kill -9 $$")).exit_status == -1


def test_the_socket_sends_at_once(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[socket.socket] = []
    create = socket.create_connection

    def remember(where: tuple[str, int], timeout: float) -> socket.socket:
        made.append(create(where, timeout))
        return made[-1]

    monkeypatch.setattr(socket, "create_connection", remember)
    with SshShell.connect(sshd.login(), "g1", LOOPBACK, sshd.port):
        assert made[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_changed_host_key_is_refused_with_both_fingerprints(sshd: Sshd) -> None:
    kind, key = (sshd.folder / "stranger.pub").read_text().split()[:2]
    pin = PinnedKey(kind, key)
    said = str(refused(GuestKeyRefused, sshd.login(pin), sshd.port))
    assert fingerprint(pin) in said
    assert fingerprint(sshd.host_key) in said
    assert key not in said


def test_a_pin_of_another_key_type_is_refused_not_taken_for_no_answer(sshd: Sshd) -> None:
    said = str(refused(GuestKeyRefused, sshd.login(PinnedKey("ssh-rsa", "AAAA")), sshd.port))
    assert "showed the host key ssh-ed25519 SHA256:" in said


def test_an_unpinned_key_is_accepted_with_the_reason_on_record(sshd: Sshd) -> None:
    login = sshd.login(AnyKey("disposable lab"))
    with SshShell.connect(login, "g1", LOOPBACK, sshd.port) as shell:
        assert "accepted at first sight: disposable lab" in shell.met.answer
        assert fingerprint(sshd.host_key) in shell.met.answer


def test_a_key_file_is_read_at_login(sshd: Sshd) -> None:
    login = sshd.login()
    by_file = Ssh(login.user, login.key, KeyFile(sshd.folder / "host.pub"), login.become)
    with SshShell.connect(by_file, "g1", LOOPBACK, sshd.port) as shell:
        assert shell.met.answer.endswith("as pinned")


def test_a_refused_user_key_names_user_and_key_file(sshd: Sshd) -> None:
    said = str(refused(GuestLoginRefused, sshd.login(key="stranger"), sshd.port))
    assert f"{sshd.folder}/stranger was not accepted" in said
    assert "authorized_keys" in said


def test_a_missing_key_file_is_a_refused_login(sshd: Sshd) -> None:
    said = str(refused(GuestLoginRefused, sshd.login(key="nowhere"), sshd.port))
    assert "cannot be read (No such file or directory)" in said


def test_a_key_with_a_passphrase_and_a_file_that_is_no_key_are_told_apart(
    sshd: Sshd, make_key: Callable[[Path, str], None]
) -> None:
    locked = sshd.folder / "locked"
    make_key(locked, "secret words")
    (sshd.folder / "junk").write_text("no key")
    assert "passphrase" in str(refused(GuestLoginRefused, sshd.login(key="locked"), sshd.port))
    assert "no private key" in str(refused(GuestLoginRefused, sshd.login(key="junk"), sshd.port))


def test_nobody_listening_is_unreachable_with_every_address_tried(sshd: Sshd) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        with pytest.raises(GuestUnreachable) as caught:
            SshShell.connect(sshd.login(), "g1", ("127.0.0.1", "127.0.0.2"), port, within=SHORT)
    assert f"127.0.0.1:{port} Connection refused" in str(caught.value)
    assert f"127.0.0.2:{port}" in str(caught.value)


def test_no_address_at_all_is_unreachable(sshd: Sshd) -> None:
    with pytest.raises(GuestUnreachable, match="no address"):
        SshShell.connect(sshd.login(), "g1", (), 22, within=timedelta(seconds=0.1))


def test_the_second_address_is_used_when_the_first_is_dead(sshd: Sshd) -> None:
    where = ("127.0.0.2", "127.0.0.1")
    with SshShell.connect(sshd.login(), "g1", where, sshd.port) as shell:
        assert f"@127.0.0.1:{sshd.port}" in shell.met.asked


def test_a_port_that_never_says_ssh_is_unreachable_and_quiet(
    sshd: Sshd, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        refused(GuestUnreachable, sshd.login(), server.getsockname()[1])
    assert capfd.readouterr().err == ""
    assert not logging.getLogger("hvcert.ssh").propagate


def test_a_connection_that_hangs_up_at_once_is_unreachable_and_quiet(
    sshd: Sshd, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        refused(GuestUnreachable, sshd.login(), server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)
    assert capfd.readouterr().err == ""


def test_a_guest_that_comes_up_late_is_reached(start_sshd: Start) -> None:
    late = start_sshd()
    late.stop()
    again = threading.Timer(1.0, late.start)
    again.start()
    with SshShell.connect(
        late.login(), "g1", LOOPBACK, late.port, within=timedelta(seconds=20)
    ) as s:
        assert s.run(("true",)).exit_status == 0
    again.join()
    late.stop()


def test_a_connection_that_breaks_in_mid_command_is_unreachable_and_names_the_command(
    shell: SshShell,
) -> None:
    with pytest.raises(GuestUnreachable, match=r"lost while `sh -c .* ran"):
        broken(shell)


def broken(shell: SshShell) -> None:
    login, place = shell._login, shell.met.asked.rpartition(":")[2]  # noqa: SLF001  # same server
    with SshShell.connect(login, "g1", LOOPBACK, int(place)) as other:
        # the parent of the command's shell is the sshd process of this connection alone
        other.run(("sh", "-c", "kill -9 $PPID; sleep 20"), within=timedelta(seconds=10))


def test_after_a_break_every_command_says_unreachable(sshd: Sshd) -> None:
    with SshShell.connect(sshd.login(), "g1", LOOPBACK, sshd.port) as shell:
        with pytest.raises(GuestUnreachable):
            shell.run(("sh", "-c", "kill -9 $PPID; sleep 20"))
        with pytest.raises(GuestUnreachable, match="`true`"):
            shell.run(("true",))


def test_many_commands_share_one_connection(shell: SshShell) -> None:
    def seconds_each() -> float:
        begun = time.monotonic()
        for _ in range(20):
            shell.run(("true",))
        return (time.monotonic() - begun) / 20

    # Where Nagle waits for an ACK, no command takes less than 40 ms; a busy machine has slow times.
    assert any(seconds_each() < 0.035 for _ in range(10))


@pytest.fixture
def fake_sudo(tmp_path: Path, start_sshd: Start) -> Callable[[str], Sshd]:
    def make(body: str) -> Sshd:
        (tmp_path / "sudo").write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / "sudo").chmod(stat.S_IRWXU)
        return start_sshd(path=f"{tmp_path}:/usr/bin:/bin")

    return make


def with_sudo(server: Sshd, argv: tuple[str, ...]) -> Completed:
    login = server.login(become=Become.SUDO)
    with SshShell.connect(login, "g1", LOOPBACK, server.port) as shell:
        return shell.run(argv, privileged=True)


def test_privileged_commands_go_through_sudo_without_a_question(
    fake_sudo: Callable[[str], Sshd],
) -> None:
    server = fake_sudo('echo "$*"')
    assert with_sudo(server, ("cat", "a b")).stdout == "-n -- cat a b\n"
    assert with_sudo(server, ("cat",)).argv == ("cat",)


def test_a_sudo_that_asks_for_a_password_says_what_to_do(fake_sudo: Callable[[str], Sshd]) -> None:
    server = fake_sudo('echo "sudo: a password is required" >&2; exit 1')
    with pytest.raises(GuestError, match=r"sudo asks for a password; give user .* NOPASSWD or use"):
        with_sudo(server, ("true",))


def test_a_localised_refusal_of_sudo_is_a_refusal_too(fake_sudo: Callable[[str], Sshd]) -> None:
    server = fake_sudo('echo "sudo: Ein Passwort ist notwendig" >&2; exit 1')
    with pytest.raises(GuestError, match="sudo refused: sudo: Ein Passwort"):
        with_sudo(server, ("true",))


def test_a_command_that_fails_under_sudo_is_an_answer(fake_sudo: Callable[[str], Sshd]) -> None:
    server = fake_sudo('shift 2; [ "$1" = true ] && exit 0; echo "about sudo" >&2; exit 1')
    assert with_sudo(server, ("grep", "x")).exit_status == 1


def test_a_guest_without_sudo_is_told_so(start_sshd: Start, tmp_path: Path) -> None:
    server = start_sshd(path=str(tmp_path))
    with pytest.raises(GuestError, match="there is no sudo"):
        with_sudo(server, ("true",))
