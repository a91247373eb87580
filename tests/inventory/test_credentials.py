"""References to secrets: where they are read from, and what is said when they are not there."""

import os
from pathlib import Path

import keyring
import keyring.backend
import pytest
from keyring.errors import KeyringLocked

from harness.errors import CredentialError
from harness.inventory.credentials import resolve
from harness.inventory.model import Reference, ReferenceKind
from harness.secret import Secret

SECRET = "hunter2-Sommer"  # noqa: S105  # a made-up password to look for


def file_reference(path: Path, content: bytes, mode: int = 0o600) -> Reference:
    path.write_bytes(content)
    path.chmod(mode)
    return Reference(ReferenceKind.FILE, str(path))


def test_an_environment_variable_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HVCERT_PASSWORD", SECRET)
    found = resolve(Reference(ReferenceKind.ENV, "HVCERT_PASSWORD"))
    assert found == Secret(SECRET)
    assert SECRET not in repr(found)


def test_a_variable_that_is_not_set_says_where_to_set_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HVCERT_PASSWORD", raising=False)
    with pytest.raises(CredentialError, match="HVCERT_PASSWORD: is not set; set it in the shell"):
        resolve(Reference(ReferenceKind.ENV, "HVCERT_PASSWORD"))


def test_an_empty_variable_is_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HVCERT_PASSWORD", "")
    with pytest.raises(CredentialError, match="is empty"):
        resolve(Reference(ReferenceKind.ENV, "HVCERT_PASSWORD"))


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_file_s_line_end_is_no_part_of_the_secret(tmp_path: Path, end: bytes) -> None:
    reference = file_reference(tmp_path / "p", SECRET.encode() + end)
    assert resolve(reference).reveal() == SECRET


def test_spaces_are_part_of_the_secret(tmp_path: Path) -> None:
    assert resolve(file_reference(tmp_path / "p", b" a b \n")).reveal() == " a b "


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o644, 0o666])
def test_a_file_open_to_every_user_is_refused(tmp_path: Path, mode: int) -> None:
    reference = file_reference(tmp_path / "p", SECRET.encode(), mode)
    with pytest.raises(
        CredentialError, match=rf"open to every user \(mode {mode:o}\); chmod 600"
    ) as caught:
        resolve(reference)
    assert SECRET not in str(caught.value)


def test_a_file_of_a_lab_group_is_accepted(tmp_path: Path) -> None:
    assert resolve(file_reference(tmp_path / "p", b"x", 0o640)) == Secret("x")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (SECRET.encode() + b"\nmore\n", "has several lines"),
        (SECRET.encode() + b"\xff", "is not UTF-8"),
        (b"x" * 70_000, "is larger than 64 KiB"),
    ],
)
def test_a_file_that_holds_no_single_line_is_refused(
    tmp_path: Path, content: bytes, said: str
) -> None:
    with pytest.raises(CredentialError, match=said) as caught:
        resolve(file_reference(tmp_path / "p", content))
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(CredentialError, match=r"chmod 600 .*; for the embedded lab: hvcert lab up"):
        resolve(Reference(ReferenceKind.FILE, str(tmp_path / "p")))


def test_a_fifo_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p", 0o600)
    with pytest.raises(CredentialError, match="is no regular file"):
        resolve(Reference(ReferenceKind.FILE, str(tmp_path / "p")))


class OneEntry(keyring.backend.KeyringBackend):
    """A keyring with one entry; the service ``locked`` is locked."""

    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        if service == "locked":
            raise KeyringLocked(SECRET)
        return SECRET if (service, username) == ("hvcert/lab", "hv-1") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


@pytest.fixture
def _one_entry() -> object:
    before = keyring.get_keyring()
    keyring.set_keyring(OneEntry())  # type: ignore[no-untyped-call]  # keyring is untyped
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("_one_entry")
def test_a_keyring_entry_is_service_and_user() -> None:
    assert resolve(Reference(ReferenceKind.KEYRING, "hvcert/lab/hv-1")) == Secret(SECRET)


@pytest.mark.usefixtures("_one_entry")
def test_a_missing_keyring_entry_says_how_to_store_it() -> None:
    with pytest.raises(CredentialError, match="is not there; store it: keyring set hvcert hv-9"):
        resolve(Reference(ReferenceKind.KEYRING, "hvcert/hv-9"))


@pytest.mark.usefixtures("_one_entry")
def test_a_locked_keyring_is_said_without_its_text() -> None:
    with pytest.raises(
        CredentialError, match=r"does not answer \(KeyringLocked\); unlock"
    ) as caught:
        resolve(Reference(ReferenceKind.KEYRING, "locked/hv-1"))
    assert SECRET not in str(caught.value)
