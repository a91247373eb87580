"""What a guest entry may say, and the sentence for each thing it may not."""

from pathlib import Path
from typing import Any

import pytest

from harness.errors import CredentialError
from harness.inventory.keys import pinned
from harness.inventory.load import load
from harness.inventory.model import (
    AnyKey,
    ExistingVm,
    FixedAddress,
    KeyFile,
    PinnedKey,
    Reported,
    SecureBoot,
)
from harness.inventory.rules import secure_boot_problem
from tests.inventory.conftest import KEY, Loaded, Problems

EXAMPLE = Path(__file__).parents[2] / "inventories" / "example-lab.yaml"


def guest_of(content: dict[str, Any]) -> dict[str, Any]:
    guest: dict[str, Any] = content["guests"][0]
    return guest


def test_a_guest_runs_on_all_hosts_unless_it_names_some(loaded: Loaded) -> None:
    def change(content: dict[str, Any]) -> None:
        content["hosts"].append({**content["hosts"][0], "name": "hv-2"})
        content["guests"].append({**content["guests"][0], "name": "b", "hosts": ["hv-2"]})

    first, second = loaded(change).guests
    assert (first.hosts, second.hosts) == (("hv-1", "hv-2"), ("hv-2",))


def test_a_guest_takes_all_cases_unless_it_names_some(loaded: Loaded) -> None:
    (every,) = loaded(lambda content: content).guests
    (some,) = loaded(lambda content: guest_of(content).update(cases=["DM-01"])).guests
    assert every.wanted(("DM-01", "DM-02")) == ("DM-01", "DM-02")
    assert some.wanted(("DM-01", "DM-02")) == ("DM-01",)


def test_a_failure_is_expected_of_a_case_that_runs_only(problems_of: Problems) -> None:
    def change(content: dict[str, Any]) -> None:
        known = {"case": "DM-02", "outcome": "fail", "reason": "known"}
        guest_of(content).update(cases=["DM-01"], expect=[known])

    assert problems_of(change) == ("guests[0].expect[0]: DM-02 is not among the guest's cases",)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("template", {"path": "D:\\a.iso", "generation": 1}, ".path: must end in .vhdx or .vhd"),
        ("template", {"path": "D:\\a.vhd", "generation": 2}, "boots in Generation 1 only"),
        ("template", {"path": "D:\\a.vhdx", "generation": 3}, "3 is no whole number from 1 to 2"),
        ("template", {"path": "D:\\a.vhdx"}, ".generation: missing"),
        ("template", "D:\\a.vhdx", "must be keys with values, is a text"),
        ("disposable", True, "only for vm"),
        ("vm", "old", "a template or a vm, not both"),
        ("hosts", ["hv-9"], "no host hv-9 under hosts (there: hv-1)"),
        ("hosts", ["hv-1", "hv-1"], "a host appears twice"),
        ("hosts", [], "an empty list"),
        ("memory", 2048, 'must be a text; put it in quotes: "2048"'),
        ("memory", "2 GB", '"2 GB" is no size; write 2048 MiB or 2 GiB'),
        ("memory", "2047 MiB", "is no multiple of 2 MiB; write 2046 MiB or 2048 MiB"),
        ("memory", "16 MiB", "less than a VM may have"),
        ("processors", 0, "0 is no whole number from 1"),
        ("processors", 2.0, "2.0 is no whole number"),
        ("secure_boot", True, "must be a text"),
        ("secure_boot", "on", "write off, microsoft-uefi-ca"),
        ("family", "Debian", "did you mean debian?"),
        ("release", 12, 'must be a text; put it in quotes: "12"'),
        ("release", 9.4, 'put it in quotes: "9.4"'),
        ("address", "dhcp", '"dhcp" is no address; write reported'),
        ("address", "10.0.0.5:0", "is no address"),
        ("address", "fd00::5", "must be in brackets, being IPv6: [fd00::5]"),
        ("expect", [{"case": "DM-01", "outcome": "fail"}], "expect[0].reason: missing"),
        ("expect", [{"case": "dm1", "outcome": "fail", "reason": "r"}], '"dm1" is no case id'),
        ("expect", [{"case": "DM-01", "outcome": "error", "reason": "r"}], "write fail"),
    ],
)
def test_a_wrong_value_has_its_sentence(
    problems_of: Problems, key: str, value: object, said: str
) -> None:
    (problem,) = problems_of(lambda d: guest_of(d).update({key: value}))
    assert problem.startswith(f"guests[0].{key}")
    assert said in problem


def test_an_existing_vm_must_be_declared_disposable(problems_of: Problems, loaded: Loaded) -> None:
    def change(content: dict[str, Any]) -> None:
        del guest_of(content)["template"]
        guest_of(content)["vm"] = "sles-15"

    def declare(content: dict[str, Any]) -> None:
        change(content)
        guest_of(content)["disposable"] = True

    (said,) = problems_of(change)
    assert said.startswith("guests[0].disposable: write disposable: true if the run may change")
    assert loaded(declare).guests[0].source == ExistingVm("sles-15")


def test_two_guests_cannot_share_an_existing_vm(problems_of: Problems) -> None:
    def change(content: dict[str, Any]) -> None:
        guest = guest_of(content)
        del guest["template"]
        guest.update(vm="old", disposable=True)
        content["guests"].append({**guest, "name": "b", "vm": "OLD"})

    assert problems_of(change) == ("guests[1].vm: guest debian-12 uses this VM of hv-1 already",)


def test_memory_that_linux_cannot_add_in_whole_blocks_is_a_warning(loaded: Loaded) -> None:
    read = loaded(lambda d: guest_of(d).update(memory="786 MiB"))
    assert read.warnings == (
        "guests[0].memory: 786 MiB is no multiple of 128 MiB, in which Linux adds and removes "
        "memory",
    )


def test_a_user_without_a_way_to_root_is_a_warning(loaded: Loaded) -> None:
    (said,) = loaded(lambda d: guest_of(d)["ssh"].update(user="hvcert")).warnings
    assert said == "guests[0].ssh.become: hvcert is not root; most cases need become: sudo"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("reported", Reported()),
        ("10.0.0.5", FixedAddress("10.0.0.5", 22)),
        ("10.0.0.5:2222", FixedAddress("10.0.0.5", 2222)),
        ("[fd00::5]", FixedAddress("fd00::5", 22)),
        ("[fd00::5]:2222", FixedAddress("fd00::5", 2222)),
    ],
)
def test_an_address_is_reported_or_fixed(loaded: Loaded, text: str, address: object) -> None:
    assert loaded(lambda d: guest_of(d).update(address=text)).guests[0].address == address


def test_secure_boot_needs_generation_2(problems_of: Problems) -> None:
    def change(content: dict[str, Any]) -> None:
        guest_of(content)["secure_boot"] = "microsoft-uefi-ca"
        guest_of(content)["template"]["generation"] = 1

    assert problems_of(change) == (
        "guests[0].secure_boot: Generation 1 has no Secure Boot; write off",
    )


@pytest.mark.parametrize(("build", "works"), [(9600, False), (14393, True), (26100, True)])
def test_2012_r2_has_no_uefi_ca_template(build: int, works: bool) -> None:  # noqa: FBT001
    guest = load(EXAMPLE).guest("debian-12")
    assert guest.secure_boot is SecureBoot.MICROSOFT_UEFI_CA
    said = secure_boot_problem(guest, build)
    assert said is None if works else "build 9600" in (said or "")


def test_secure_boot_off_suits_every_build() -> None:
    assert secure_boot_problem(load(EXAMPLE).guest("rhel-7"), 9600) is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("AAAAC3NzaC1lZDI1NTE5", "no public key; write it as in a .pub file"),
        ("ssh-ed25519 AAAA", '"ssh-ed25519" is not followed by such a key in base64'),
        ("ssh-rsa " + KEY.split()[1], '"ssh-rsa" is not followed by such a key'),
        ({"policy": "any", "reason": "r"}, ".policy: "),
        ({"policy": "accept-new"}, ".reason: missing"),
        ({"file": "~/k.pub", "reason": "r"}, ".reason: unknown key (known here: file)"),
        (True, "write the guest's public key"),
    ],
)
def test_a_host_key_is_pinned_or_its_policy_is_stated(
    problems_of: Problems, value: object, said: str
) -> None:
    (problem,) = problems_of(lambda d: guest_of(d)["ssh"].update(host_key=value))
    assert problem.startswith("guests[0].ssh.host_key")
    assert said in problem


def test_a_missing_host_key_names_the_three_ways(problems_of: Problems) -> None:
    (said,) = problems_of(lambda d: guest_of(d)["ssh"].pop("host_key"))
    assert said.startswith("guests[0].ssh.host_key: missing; write the guest's public key (ssh-")


def test_the_accepting_policy_keeps_its_reason(loaded: Loaded) -> None:
    policy = {"policy": "accept-new", "reason": "made at first boot"}
    read = loaded(lambda d: guest_of(d)["ssh"].update(host_key=policy))
    assert read.guests[0].ssh.host_key == AnyKey("made at first boot")


def test_a_key_file_is_read_when_it_is_needed(loaded: Loaded, tmp_path: Path) -> None:
    read = loaded(lambda d: guest_of(d)["ssh"].update(host_key={"file": "guest.pub"}))
    host_key = read.guests[0].ssh.host_key
    assert host_key == KeyFile(tmp_path / "guest.pub")
    with pytest.raises(CredentialError, match="hvcert lab up makes it"):
        pinned(host_key)
    (tmp_path / "guest.pub").write_text(f"{KEY} root@debian\n")
    assert pinned(host_key) == PinnedKey(*KEY.split())


def test_a_key_file_that_holds_no_key_is_said(tmp_path: Path) -> None:
    (tmp_path / "guest.pub").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    with pytest.raises(CredentialError, match=r"no public key; .*ssh_host_ed25519_key\.pub"):
        pinned(KeyFile(tmp_path / "guest.pub"))


PREPARATION = {"file": "/etc/a.conf", "content": "a = 1\n", "reason": "r"}


def test_a_preparation_has_commands_as_lists_of_words(loaded: Loaded) -> None:
    full = {**PREPARATION, "activate": [["sysctl", "--system"]], "cases": ["KD-01"]}
    (read,) = loaded(lambda d: guest_of(d).update(preparations=[full])).guests[0].preparations
    assert (read.activate, read.cases, read.reboot) == (
        (("sysctl", "--system"),),
        ("KD-01",),
        False,
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"activate": ["update-grub"]}, ".activate[0]: a command is a list of words"),
        ({"activate": [["a", 1]]}, '.activate[0][1]: must be a text; put it in quotes: "1"'),
        ({"activate": [[]]}, ".activate[0]: an empty list"),
        ({"file": "etc/a"}, '.file: "etc/a" is no absolute path'),
        ({"content": 1}, ".content: must be a text"),
        ({"cases": ["all"]}, '.cases[0]: "all" is no case id'),
        ({"reboot": "yes"}, '.reboot: "yes" is neither true nor false'),
    ],
)
def test_a_wrong_preparation_has_its_sentence(
    problems_of: Problems, change: dict[str, object], said: str
) -> None:
    (problem,) = problems_of(lambda d: guest_of(d).update(preparations=[{**PREPARATION, **change}]))
    assert f"guests[0].preparations[0]{said}" in problem


def test_a_case_is_expected_to_fail_once(problems_of: Problems) -> None:
    expected = {"case": "DM-01", "outcome": "fail", "reason": "known"}
    said = problems_of(lambda d: guest_of(d).update(expect=[expected, expected]))
    assert said == ("guests[0].expect[1]: DM-01 is expected to fail already",)


def test_an_unset_variable_in_a_path_is_a_problem(
    problems_of: Problems, loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(content: dict[str, Any]) -> None:
        guest_of(content)["ssh"]["key"] = "$HVCERT_KEYS/id"

    monkeypatch.delenv("HVCERT_KEYS", raising=False)
    (said,) = problems_of(change)
    assert said.startswith("guests[0].ssh.key: ")
    assert "names $HVCERT_KEYS, which is not set in the environment" in said
    monkeypatch.setenv("HVCERT_KEYS", "/keys")
    assert loaded(change).guests[0].ssh.key == Path("/keys/id")


TARGET = {"address": "10.0.0.5", "folder": "/srv/cores", "ssh": {
    "user": "dumps", "key": "~/.ssh/id", "host_key": KEY, "become": "sudo",
}}  # fmt: skip


def test_a_guest_may_name_who_keeps_its_cores(loaded: Loaded) -> None:
    read = loaded(lambda content: guest_of(content).update(dump_target=TARGET)).guests[0]
    assert read.dump_target is not None
    assert (read.dump_target.address, read.dump_target.folder) == ("10.0.0.5", "/srv/cores")
    assert read.dump_target.ssh.user == "dumps"
    assert loaded(lambda _: None).guests[0].dump_target is None


def test_a_dump_target_needs_an_address_without_port_and_a_folder(problems_of: Problems) -> None:
    wrong = {**TARGET, "address": "10.0.0.5:2222", "port": 22}
    del wrong["folder"]
    said = problems_of(lambda content: guest_of(content).update(dump_target=wrong))
    where = "guests[0].dump_target."
    assert {problem.split(":")[0] for problem in said} == {
        f"{where}address", f"{where}folder", f"{where}port",
    }  # fmt: skip
