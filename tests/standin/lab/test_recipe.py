"""What an image is made of, and how its recipe becomes commands."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import LabError
from harness.standin.image import cache, mirrors
from harness.standin.image.build import boot_record, ensure_image, find_image, mmdebstrap_command
from harness.standin.image.keys import lab_keys
from harness.standin.image.mirrors import Mirrors
from harness.standin.image.records import IMAGES
from harness.units import Bytes

DEBIAN_12 = IMAGES["debian-12"]
MIRRORS = Mirrors("http://mirror.test/debian/", "http://mirror.test/debian-security/")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HVCERT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HVCERT_DEBIAN_MIRROR", raising=False)


def test_each_suite_has_a_line_of_its_own() -> None:
    assert mirrors.apt_lines(DEBIAN_12, MIRRORS) == (
        "deb http://mirror.test/debian/ bookworm main",
        "deb http://mirror.test/debian/ bookworm-updates main",
        "deb http://mirror.test/debian-security/ bookworm-security main",
    )


def test_another_release_is_one_more_record() -> None:
    record = replace(
        DEBIAN_12,
        suite="bullseye",
        updates=False,
        security=False,
        apt_lines=("deb {mirror} bullseye-backports main",),
    )
    assert mirrors.apt_lines(record, MIRRORS) == (
        "deb http://mirror.test/debian/ bullseye main",
        "deb http://mirror.test/debian/ bullseye-backports main",
    )


def test_the_machines_own_apt_sources_are_used() -> None:
    uris = "http://a.test/debian/\nhttp://a.test/debian/\nhttp://b.test/debian-security/\n"
    assert mirrors.parse_mirrors(uris) == Mirrors(
        "http://a.test/debian/", "http://b.test/debian-security/"
    )


def test_a_machine_without_debian_sources_is_told_what_to_set() -> None:
    with pytest.raises(LabError, match="set HVCERT_DEBIAN_MIRROR"):
        mirrors.parse_mirrors("http://archive.test/ubuntu/\n")


def test_the_machines_proxy_settings_go_along() -> None:
    dump = (
        'Acquire "";\nAcquire::http::Proxy "http://proxy.test:3128";\nAcquire::cdrom::mount "/m";\n'
    )
    assert mirrors.parse_settings(dump) == ('Acquire::http::Proxy "http://proxy.test:3128"',)


def test_the_command_holds_the_kernel_and_the_packages_of_the_record() -> None:
    command = mmdebstrap_command(
        replace(DEBIAN_12, packages=("perl",)), cache.RECIPE, ("deb x y main",), ()
    )
    (include,) = (word for word in command if word.startswith("--include="))
    assert {"linux-image-amd64", "sudo", "qemu-guest-agent", "kdump-tools", "perl"} <= set(
        include.removeprefix("--include=").split(",")
    )
    assert command[-3:] == ("bookworm", "-", "deb x y main")


def test_the_disk_begins_with_one_active_partition_at_one_mebibyte() -> None:
    record = boot_record(4096 * 2048, b"\1\2\3\4")
    assert (len(record), record[-2:], record[440:444]) == (512, b"\x55\xaa", b"\1\2\3\4")
    assert int.from_bytes(record[454:458], "little") == 2048
    assert int.from_bytes(record[458:462], "little") == 4096 * 2048 - 2048


def test_a_change_of_the_record_or_of_a_key_is_another_image() -> None:
    name = cache.fingerprint(DEBIAN_12, ("key",))
    assert name == cache.fingerprint(DEBIAN_12, ("key",))
    assert name != cache.fingerprint(DEBIAN_12, ("other",))
    assert name != cache.fingerprint(replace(DEBIAN_12, packages=("perl",)), ("key",))


def test_an_unknown_image_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(LabError, match="there are debian-11, debian-12, debian-13"):
        find_image("debian-13-typo")


def test_an_image_that_was_not_built_is_not_there() -> None:
    assert find_image("debian-12") is None


def test_a_missing_program_is_named_with_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.standin.image.tools.PATH", str(tmp_path))
    with pytest.raises(LabError, match=r"lacks apt, e2fsprogs, mmdebstrap, .*setup/install"):
        ensure_image("debian-12", print)


def test_a_full_disk_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.standin.image.build.SPACE", Bytes(1 << 60))
    with pytest.raises(LabError, match="free some, or set HVCERT_CACHE"):
        ensure_image("debian-12", print)
    assert [p.suffix for p in (tmp_path / "cache" / "images").iterdir()] == [".lock"]


def test_keys_are_made_once_and_are_for_their_user_alone() -> None:
    keys = lab_keys()
    assert lab_keys() == keys
    assert all(text.startswith("ssh-ed25519 ") for text in keys.public)
    assert {(keys.folder / n).stat().st_mode & 0o777 for n in ("id_ed25519",)} == {0o600}


@pytest.mark.parametrize(
    "script",
    [
        *sorted((cache.RECIPE / "scripts").glob("*.sh")),
        cache.RECIPE / "tree/usr/local/sbin/lab-finish",
    ],
    ids=lambda path: path.name,
)
def test_the_scripts_of_the_recipe_parse(script: Path) -> None:
    assert subprocess.run(("/bin/sh", "-n", script), check=False).returncode == 0
    assert script.stat().st_mode & 0o111


def test_the_base_image_prepares_nothing_that_a_certification_must_declare() -> None:
    text = "".join(p.read_text() for p in (cache.RECIPE / "tree").rglob("*") if p.is_file())
    assert "unknown_nmi_panic" not in text
    assert 'SUBSYSTEM=="memory"' not in text
    assert "crashkernel=" not in text
