"""The file itself: missing, no YAML, keys twice; and the inventories that come with the project."""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import InventoryError
from harness.inventory.load import load
from harness.inventory.model import Authentication, KeyFile, SecureBoot
from harness.units import GiB, MiB

INVENTORIES = Path(__file__).parents[2] / "inventories"
Texts = Callable[[str], tuple[str, ...]]


@pytest.mark.parametrize("path", sorted(INVENTORIES.glob("*.yaml")), ids=lambda p: p.name)
def test_an_inventory_of_the_project_loads_without_a_warning(path: Path) -> None:
    assert load(path).warnings == ()


def test_the_embedded_lab_needs_no_edit() -> None:
    read = load(INVENTORIES / "embedded.yaml")
    assert (read.lab[0].windows, read.lab[0].address) == ("2019", read.hosts[0].address)
    assert read.hosts[0].port == 5985
    assert read.guests[0].memory == 1024 * MiB
    assert isinstance(read.guests[0].ssh.host_key, KeyFile)  # made later, with the image


def test_the_2012_r2_lab_declares_the_preparation_that_nmi_01_needs() -> None:
    (guest,) = load(INVENTORIES / "embedded-2012r2.yaml").guests
    preparation, for_backup = guest.preparations
    assert for_backup.file == "/etc/qemu/qemu-ga.conf"
    assert preparation.content == 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX apic_extnmi=all"\n'
    assert (preparation.activate, preparation.reboot) == ((("update-grub",),), True)
    assert preparation.cases == ("NMI-01",)


def test_the_example_lab_has_two_real_hosts_and_three_distributions() -> None:
    read = load(INVENTORIES / "example-lab.yaml")
    assert [host.authentication for host in read.hosts] == [
        Authentication.CREDSSP,
        Authentication.KERBEROS,
    ]
    assert [guest.family for guest in read.guests] == ["debian", "rhel", "suse"]
    assert read.guests[0].secure_boot is SecureBoot.MICROSOFT_UEFI_CA
    assert read.hosts[0].memory_reserve == 8 * GiB
    assert read.lab == ()


def test_a_missing_file_is_said_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match=r"nowhere\.yaml: cannot be read \(No such file"):
        load(tmp_path / "nowhere.yaml")


def test_a_folder_is_no_inventory(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="Is a directory"):
        load(tmp_path)


def test_a_file_that_is_not_utf_8_says_where(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_bytes("hosts: é".encode("latin-1"))
    with pytest.raises(InventoryError, match="byte 7 is not UTF-8"):
        load(path)


def test_a_syntax_error_has_line_and_column(text_problems: Texts) -> None:
    (said,) = text_problems("hosts:\n  - name: [a\nguests: []\n")
    assert said.startswith("YAML: line 3, column 7: ")


def test_a_windows_path_in_double_quotes_is_explained(text_problems: Texts) -> None:
    (said,) = text_problems('hosts:\n  - vm_path: "C:\\hvcert"\n')
    assert "line 2" in said
    assert "single quotes" in said


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_an_empty_file_says_where_to_start(text_problems: Texts, text: str) -> None:
    assert text_problems(text) == ("the file is empty; start from inventories/embedded.yaml",)


@pytest.mark.parametrize("text", ["- a\n", "just words\n", "7\n"])
def test_a_file_without_keys_is_refused(text_problems: Texts, text: str) -> None:
    assert text_problems(text) == ("the file must have the keys hosts and guests at its left edge",)


def test_a_key_that_appears_twice_is_named_with_its_line(text_problems: Texts) -> None:
    assert "hosts[0]: line 3: name appears twice" in text_problems("hosts:\n- name: a\n  name: b\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hosts: !!python/object:os.system x\n", "hosts: line 1: tags (! or !!) are not read"),
        ("hosts: &a [*a]\n", "hosts[0]: an alias that contains itself"),
        ("? [a, b]\n: c\n", "line 1: a key must be a word"),
        ('hosts: "\\UFFFFFFFF"\n', "YAML: an escape or a version number out of range"),
        ("hosts: " + "[" * 5000, "YAML: nested too deeply"),
        ("hosts: \x07\n", "YAML: line 1: a character YAML forbids"),
    ],
)
def test_odd_yaml_is_refused_with_a_sentence(text_problems: Texts, text: str, said: str) -> None:
    assert said in text_problems(text)


def test_an_alias_repeats_a_whole_value(tmp_path: Path) -> None:
    text = (INVENTORIES / "embedded.yaml").read_text()
    path = tmp_path / "lab.yaml"
    path.write_text(
        text.replace("memory: 1024 MiB", "memory: &size 1024 MiB").replace("1 GiB", "*size")
    )
    # the alias comes before its anchor in that file, which YAML refuses: the order matters
    with pytest.raises(InventoryError, match="undefined alias"):
        load(path)
    path.write_text(text.replace("1 GiB", "&size 1 GiB").replace("1024 MiB", "*size"))
    assert load(path).guests[0].memory == GiB
