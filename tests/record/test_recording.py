"""What is recorded plays back the same, and never holds a secret."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.chance import CHANCE
from harness.deadline import SYSTEM, wait_for
from harness.errors import (
    CommandFailed,
    DeadlineExceeded,
    ErrorRecordFacts,
    GuestLacksTool,
    GuestUnreachable,
    HarnessError,
    HostRefused,
    LabError,
    ReplayError,
    ResultsError,
)
from harness.evidence import Evidence
from harness.guest.shell import Completed, saved
from harness.host.command import Call, Cmdlet
from harness.host.session import Answer, HostObject
from harness.record.codec import cleaner, errors, pack, unpack
from harness.record.entry import Entry, Kind, read, to_line
from harness.record.recorder import RecordedSession, RecordedShell, Recorder, recorded_log_in
from harness.record.spent import spent
from harness.record.tape import PlayedSession, Player
from harness.secret import Secret
from harness.units import MiB

PASSWORD = 'p"ä\\ss-w0rd'  # noqa: S105  # what a test looks for
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----\n"
GET = Cmdlet("Get-VM", {"Name": "a"}, safe_to_repeat=True)
START = Cmdlet("Start-VM", {"Name": "a"})
REFUSED = HostRefused("hv", "Start-VM", ErrorRecordFacts("X,Y", "InvalidArgument", "E", "no"))
ANYONE: Any = SimpleNamespace(name="debian-12")


class Host:
    name = "hv"

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)

    def run(self, call: Call, *, within: timedelta = timedelta(0)) -> Answer:  # noqa: ARG002
        answer = self.answers.pop(0)
        if isinstance(answer, HarnessError):
            raise answer
        return Answer((HostObject(("VM",), {"State": answer}),), Evidence("Get-VM", str(answer)))  # type: ignore[dict-item]

    def close(self) -> None:
        pass


CORE = b"a core of a kernel"


class Guest:
    name = "debian-12"

    def run(
        self,
        argv: tuple[str, ...],
        *,
        privileged: bool = False,  # noqa: ARG002
        stdin: bytes = b"",
        within: timedelta = timedelta(0),  # noqa: ARG002
    ) -> Completed:
        return Completed(argv, 0, stdin.decode(), "")

    def save(
        self,
        argv: tuple[str, ...],
        to: Path,
        *,
        privileged: bool = False,  # noqa: ARG002
        within: timedelta = timedelta(0),  # noqa: ARG002
    ) -> Completed:
        to.write_bytes(CORE)
        return Completed(argv, 0, saved(len(CORE), "hash"), "")

    def close(self) -> None:
        pass


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "recordings" / "NMI-01.jsonl"


def test_every_error_of_the_harness_comes_back_as_it_was() -> None:
    record = ErrorRecordFacts("Id", "Category", "Type", "said")
    parts = {
        "path": "lab.yaml", "problems": ("a", "b"), "record": record, "argv": ("false",),
        "exit_status": 3, "limit": timedelta(seconds=9), "missing": "row", "": "a sentence",
    }  # fmt: skip
    for name, kind in errors().items():
        given = {p: parts.get(p, p) for p in (*_parameters(kind),)}
        if name == "GuestLacksTool":
            given["missing"] = (("fio", "fio"),)
        error = kind(**given) if given else kind("a sentence")
        again = unpack(pack(error, str))
        assert type(again) is type(error)
        assert str(again) == str(error)


def _parameters(kind: type[HarnessError]) -> tuple[str, ...]:
    code = getattr(kind.__init__, "__code__", None)
    return code.co_varnames[1 : code.co_argcount] if code else ()


def test_answers_come_back_as_they_were() -> None:
    value = HostObject(
        ("VM", "Object"), {"State": HostObject(("E",), {}, "Off", 3), "A": (1, None)}
    )
    answer = Answer((value, True, 3.5, "text"), Evidence("Get-VM", "raw", "host hv"))
    assert unpack(pack(answer, str)) == answer
    assert unpack(pack((5 * MiB, timedelta(seconds=2), b"\x00"), str)) == (
        5 * MiB, timedelta(seconds=2), b"\x00",
    )  # fmt: skip


def test_what_is_not_listed_is_not_recorded() -> None:
    with pytest.raises(TypeError, match="list it"):
        pack(object(), str)
    with pytest.raises(TypeError, match="Secret"):
        pack(Secret(PASSWORD), str)


def test_no_secret_is_ever_in_a_recording(recorder: Recorder, path: Path) -> None:
    recorder.keep_out((Secret(PASSWORD),))
    echo = base64.b64encode(PASSWORD.encode("utf-16-le")).decode()
    session = RecordedSession(Host(PASSWORD, echo, "x", LabError(f"no {PASSWORD}")), recorder)
    shell = RecordedShell(Guest(), recorder)
    with recorder.case(path, "main", f"with {PASSWORD}"):
        session.run(GET)
        session.run(GET)
        session.run(Cmdlet("Set-It", {"Password": Secret("other-pass")}))
        with pytest.raises(LabError):
            session.run(GET)
        shell.run(("echo", PASSWORD, "other-pass"), stdin=KEY.encode())
        recorder.note(f"{PASSWORD} other-pass")
    text = path.read_text()
    held = "\n".join(str(entry) for entry in read(path))
    for secret in (PASSWORD, echo, "other-pass", "b3BlbnNzaC1rZXk"):
        assert secret not in text
        assert secret not in held
    assert text.count("***") >= 8


def test_a_core_that_was_kept_is_in_a_recording_by_its_hash(recorder: Recorder, path: Path) -> None:
    log_in = recorded_log_in(lambda *_: Guest(), recorder)
    file = path.parent / "KD-01-dump.1"
    asked = ("cat", "--", "/var/crash/1/dump.1")
    with recorder.case(path, "gw0", "KD-01"):
        shell = log_in(ANYONE, ("10.0.0.1",), 22, timedelta(1))
        said = shell.save(asked, file, privileged=True)
    assert file.read_bytes() == CORE
    assert CORE.decode() not in path.read_text()
    file.unlink()
    player = Player()
    with player.case(path, "", ""):
        played = player.log_in(ANYONE, ("10.0.0.1",), 22, timedelta(1))
        assert played.save(asked, file, privileged=True) == said
    assert not file.exists()


def test_a_recording_answers_as_hosts_and_guests_did(recorder: Recorder, path: Path) -> None:
    real = RecordedSession(Host("Off", REFUSED, "Running"), recorder)
    log_in = recorded_log_in(lambda *_: Guest(), recorder)
    with recorder.case(path, "gw0", "NMI-01"):
        first = real.run(GET)
        with pytest.raises(HostRefused):
            real.run(START)
        later = real.run(GET)
        said = log_in(ANYONE, ("10.0.0.1",), 22, timedelta(1)).run(("tee", "f"), stdin=b"1")
        drawn = CHANCE.nonce()
    player = Player()
    again = PlayedSession("hv", player)
    with player.case(path, "", ""):
        assert again.run(GET) == first
        with pytest.raises(HostRefused, match="no"):
            again.run(START)
        assert again.run(GET) == later
        shell = player.log_in(ANYONE, ("10.0.0.1",), 22, timedelta(1))
        assert shell.run(("tee", "f"), stdin=b"1") == said
        assert CHANCE.nonce() == drawn
        with pytest.raises(ReplayError, match="no further answer of hv to Get-VM -Name 'a'"):
            again.run(GET)
        with pytest.raises(ReplayError):
            shell.run(("tee", "f"), stdin=b"2")
    assert CHANCE.nonce() != drawn


class Hours:
    """A clock on which waiting takes no time."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float, /) -> None:
        self.now += seconds


@pytest.fixture
def hours(monkeypatch: pytest.MonkeyPatch) -> Hours:
    clock = Hours()
    monkeypatch.setattr(SYSTEM, "behind", clock)
    return clock


@pytest.mark.usefixtures("hours")
def test_a_wait_of_hours_replays_at_once_and_ends_the_same(recorder: Recorder, path: Path) -> None:
    def wait(session: Any) -> None:  # noqa: ANN401
        wait_for("a start", lambda: session.run(GET).one().string("State") == "On" or None, LIMIT)

    with recorder.case(path, "main", "waits"), pytest.raises(DeadlineExceeded) as first:
        wait(RecordedSession(Host(*["Off"] * 8000), recorder))
    player = Player()
    with player.case(path, "", ""), pytest.raises(DeadlineExceeded) as second:
        wait(PlayedSession("hv", player))
    assert str(first.value) == str(second.value)
    assert SYSTEM.monotonic() == 1000 + LIMIT.total_seconds()


LIMIT = timedelta(hours=2)


def test_nothing_is_recorded_outside_a_case(recorder: Recorder, path: Path) -> None:
    RecordedSession(Host("Off"), recorder).run(GET)
    assert not path.exists()


def test_a_disk_that_fills_up_is_said_by_the_call(recorder: Recorder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    session = RecordedSession(Host("Off"), recorder)
    with (
        recorder.case(tmp_path / "file" / "x.jsonl", "main", "t"),
        pytest.raises(ResultsError, match="cannot record"),
    ):
        session.run(GET)


def test_a_torn_last_line_is_no_answer(path: Path, tmp_path: Path) -> None:
    line = to_line(Entry(Kind.NOTE, "", "whole"), cleaner(()))
    torn = tmp_path / "torn.jsonl"
    torn.write_text(line + line[:-9])
    assert [entry.asked for entry in read(torn)] == ["whole"]
    torn.write_text("{}\n")
    with pytest.raises(ReplayError, match="cannot be read"):
        list(read(torn))
    with pytest.raises(ReplayError, match="No such file"):
        list(read(path))


def test_actions_and_questions_are_told_apart(recorder: Recorder, path: Path) -> None:
    session = RecordedSession(Host("Off", "On"), recorder)
    with recorder.case(path, "main", "t"):
        session.run(GET)
        session.run(START)
    assert [e.changes for e in read(path) if e.kind is Kind.HOST] == [False, True]


def test_time_is_split_into_guest_host_and_own_work() -> None:
    entries = (
        Entry(Kind.BEGIN, "", "", 0.0),
        Entry(Kind.HOST, "hv", "Start-VM", 1.0, 2.0),
        Entry(Kind.WAIT, "", "", 3.0, 4.0),
        Entry(Kind.LOGIN, "g", "ssh", 7.0, 3.0),
        Entry(Kind.WAIT, "", "", 8.0, 1.0),
        Entry(Kind.HOST, "hv", "Get-VM", 9.0, 2.0),
        Entry(Kind.END, "", "", 12.0),
    )
    split = spent(entries)
    assert (split.total, split.guest, split.host, split.own) == (12.0, 7.0, 3.0, 2.0)
    assert split.own_share == pytest.approx(1 / 6)
    assert spent(()).own_share == 0.0


def test_unreachable_guests_and_failed_commands_replay_as_such(
    recorder: Recorder, path: Path
) -> None:
    def refuse(*_: Any) -> Guest:  # noqa: ANN401
        raise GuestUnreachable("debian-12", "nothing listens")

    with recorder.case(path, "main", "t"), pytest.raises(GuestUnreachable):
        recorded_log_in(refuse, recorder)(ANYONE, ("10.0.0.1",), 22, LIMIT)
    player = Player()
    with player.case(path, "", ""), pytest.raises(GuestUnreachable, match="nothing listens"):
        player.log_in(ANYONE, ("10.0.0.1",), 22, LIMIT)


def test_errors_with_parts_keep_them() -> None:
    failed = unpack(pack(CommandFailed("g", ("a", "b"), 3, "x\ny"), str))
    assert (failed.argv, failed.exit_status, failed.stderr) == (("a", "b"), 3, "x\ny")
    lacks = unpack(pack(GuestLacksTool("g", (("fio", "fio"),), "apt-get install fio"), str))
    assert lacks.missing == (("fio", "fio"),)
