from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.distro import FAMILIES, Adapter, Family
from harness.distro.owner import dpkg_owner, rpm_owner
from harness.distro.tools import install_command, parse_present, present
from harness.errors import EvidenceError
from harness.inventory import model

RECORDS = sorted({family.name: family for family in FAMILIES.values()}.items())
FAMILY = pytest.mark.parametrize(
    "family", [f for _, f in RECORDS], ids=[name for name, _ in RECORDS]
)
ADAPTER = Adapter("52:54:00:99:00:01", "eth1", "10.99.0.1/24")


def test_every_family_that_an_inventory_may_name_has_a_record() -> None:
    assert set(FAMILIES) == set(model.FAMILIES)


@FAMILY
def test_every_family_names_the_package_of_every_program(family: Family) -> None:
    assert set(family.programs) == set(FAMILIES["debian"].programs)
    for program in family.programs:
        assert family.package_of(program)
    for service in family.services:
        assert service.program
        assert service.packages
        assert service.units
        assert not any(unit.endswith(".service") for unit in service.units)


@FAMILY
def test_a_kernel_option_is_added_and_can_be_taken_back(family: Family) -> None:
    change = family.kernel_option("kdump", "crashkernel=192M")
    written = " ".join((change.content, *(word for argv in change.activate for word in argv)))
    assert "crashkernel=192M" in written
    assert change.activate
    assert change.undo
    assert bool(change.file) == bool(change.content)
    if change.file:
        assert any(change.file in argv for argv in change.undo)


@FAMILY
def test_an_adapter_is_configured_by_its_address_and_told_by_mac_or_device(family: Family) -> None:
    change = family.adapter(ADAPTER)
    assert ADAPTER.cidr in change.content
    assert ADAPTER.mac in change.content.lower() or change.file.endswith(ADAPTER.device)
    assert any(change.file in argv for argv in change.undo)


def test_a_debian_option_is_read_after_those_of_packages(tmp_path: Path) -> None:
    change = FAMILIES["debian"].kernel_option("kdump", "crashkernel=192M")
    assert change.file == "/etc/default/grub.d/zz-hvcert-kdump.cfg"
    assert change.activate == (("update-grub",),)
    folder = tmp_path
    (folder / "kdump-tools.cfg").write_text(
        'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=384M-:128M"\n'
    )
    (folder / Path(change.file).name).write_text(change.content)
    generator = 'for f in "$0"/*.cfg; do . "$f"; done; echo "$GRUB_CMDLINE_LINUX_DEFAULT"'
    said = subprocess.run(
        ["/bin/sh", "-c", generator, str(folder)], capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["crashkernel=384M-:128M", "crashkernel=192M"]


def test_red_hat_changes_entries_by_grubby_and_suse_by_pbl() -> None:
    red_hat = FAMILIES["rocky"].kernel_option("kdump", "crashkernel=192M")
    assert red_hat.activate == (("grubby", "--update-kernel=ALL", "--args=crashkernel=192M"),)
    suse = FAMILIES["suse"].kernel_option("kdump", "crashkernel=192M")
    assert suse.activate == (("pbl", "--add-option", "crashkernel=192M"), ("pbl", "--config"))


def test_a_network_manager_file_is_closed_before_it_is_loaded() -> None:
    change = FAMILIES["rhel"].adapter(ADAPTER)
    assert change.activate[0][:2] == ("chmod", "0600")
    assert "mac-address=52:54:00:99:00:01\n" in change.content


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("debian", "apt-get install -y xfsprogs"),
        ("ubuntu", "apt-get install -y xfsprogs"),
        ("rhel", "yum install -y xfsprogs"),
        ("oracle", "yum install -y xfsprogs"),
        ("fedora", "dnf install -y xfsprogs"),
        ("azurelinux", "tdnf install -y xfsprogs"),
        ("suse", "zypper --non-interactive install xfsprogs"),
    ],
)
def test_the_install_command_is_the_familys_own(name: str, command: str) -> None:
    family = FAMILIES[name]
    assert install_command(family, (family.package_of("mkfs.xfs"),)) == command


def test_a_web_server_has_each_familys_own_name() -> None:
    assert {f.apache.units[0] for f in FAMILIES.values()} == {"apache2", "httpd"}
    assert FAMILIES["rhel"].package_of("httpd") == "httpd"
    assert FAMILIES["debian"].package_of("apache2") == "apache2"
    assert FAMILIES["suse"].package_of("httpd-prefork") == "apache2-prefork"


@FAMILY
def test_every_family_has_an_apache_for_a_configuration_of_one_s_own(family: Family) -> None:
    assert family.web.modules.startswith("/usr/lib")
    assert family.package_of(family.web.program)


@pytest.mark.parametrize(
    ("text", "package"),
    [
        ("linux-image-6.1.0-9: /lib/modules/6.1.0-9/a.ko\n", "linux-image-6.1.0-9"),
        ("libc6:amd64: /lib/x86_64-linux-gnu/libc.so.6\n", "libc6"),
        ("base-files, systemd: /etc/motd.d\n", "base-files"),
        ("diversion by dash from: /bin/sh\ndash: /bin/sh\n", "dash"),
    ],
)  # fmt: skip
def test_dpkg_names_the_package(text: str, package: str) -> None:
    assert dpkg_owner(text) == package


def test_rpm_names_the_package() -> None:
    assert rpm_owner("kernel-core\n") == "kernel-core"


def test_a_file_that_no_package_owns_is_an_error() -> None:
    with pytest.raises(EvidenceError):
        dpkg_owner("diversion by dash from: /bin/sh\n")
    with pytest.raises(EvidenceError):
        dpkg_owner("")
    with pytest.raises(EvidenceError):
        rpm_owner("file /lib/modules/x.ko is not owned by any package\n")


def test_programs_are_asked_for_by_one_command_in_every_usual_folder() -> None:
    probe = present(("fio", "mkfs.xfs"))
    assert probe.argv[:3] == ("ls", "-dL", "--")
    assert {"/usr/bin/fio", "/sbin/mkfs.xfs"} <= set(probe.argv)
    assert parse_present("/usr/bin/fio\n/bin/fio\n") == {"fio"}
    assert parse_present("") == frozenset()
