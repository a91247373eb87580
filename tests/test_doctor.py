"""The doctor over recorded answers of a host: what it finds, and what it leaves open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from harness.doctor import Finding, examine
from harness.doctor.finding import Check, good, run_checks, wrong
from harness.doctor.reach import REACH_CHECKS
from harness.errors import (
    DeadlineExceeded,
    ErrorRecordFacts,
    HarnessError,
    HostLoginRefused,
    HostRefused,
)
from harness.evidence import Evidence
from harness.guest.shell import Completed
from harness.host.command import Call, Cmdlet
from harness.host.session import Answer, HostObject, HostSession, HostValue
from harness.inventory.load import load
from harness.inventory.model import (
    Authentication,
    Become,
    ExistingVm,
    Host,
    Inventory,
    KeyFile,
    SecureBoot,
    Template,
)
from harness.standin.contract import contract_of
from harness.standin.releases import RELEASES, Release
from harness.units import GiB, MiB
from tests.guest.nofiles import NoFiles

INVENTORIES = Path(__file__).parents[1] / "inventories"
TEMPLATE = r"C:\hvcert\templates\debian-12.vhdx"
VM_PATH = r"C:\hvcert\vms"
Answers = Mapping[str, tuple[HostValue, ...] | HarnessError]


def record(**properties: HostValue) -> HostObject:
    return HostObject(("Recorded",), properties)


GOOD: Answers = {
    "Get-CimInstance Win32_OperatingSystem": (
        record(
            BuildNumber="17763",
            Caption="Microsoft Windows Server 2019 Datacenter",
            FreePhysicalMemory=16 * 1024 * 1024,
        ),
    ),
    "Get-CimInstance Win32_LogicalDisk": (
        record(DeviceID="C:", FreeSpace=100 * GiB.count, DriveType=3),
        record(DeviceID="D:", FreeSpace=None, DriveType=5),
        record(DeviceID="E:", FreeSpace=100 * GiB.count, DriveType=3),
    ),
    "Get-WBSummary": (record(CurrentOperationStatus="NoOperationInProgress"),),
    "Get-VMHost": (record(MemoryCapacity=32 * GiB.count),),
    "Get-VMSwitch": (record(Name="Default Switch"), record(Name="LabSwitch")),
    f"Test-Path {VM_PATH} Container": (True,),
    f"Test-Path {TEMPLATE}": (True,),
    f"Test-Path {TEMPLATE} Container": (False,),
    f"Get-VHD {TEMPLATE}": (
        record(
            VhdFormat="VHDX",
            VhdType="Dynamic",
            ParentPath="",
            Size=4 * GiB.count,
            FileSize=GiB.count,
        ),
    ),
    "Get-VM": (record(Name="Old", State="Off", Generation=2), record(Name="web", State="Running")),
    "Get-VMHardDiskDrive Old": (record(Path=r"C:\vms\old.vhdx"),),
}


# the checks over the network have tests of their own, over real sockets
REACHED = tuple(replace(check, ask=lambda _: good("reached")) for check in REACH_CHECKS)


class Recorded:
    """A host session that answers from a table; what is not in it fails the test."""

    def __init__(self, answers: Answers) -> None:
        self.answers, self.asked, self.calls = answers, list[str](), list[Cmdlet]()

    @property
    def name(self) -> str:
        return "hv-2019"

    def run(self, call: Call, *, within: timedelta = timedelta(minutes=1)) -> Answer:
        assert isinstance(call, Cmdlet)
        assert call.safe_to_repeat
        assert within
        question = " ".join((call.name, *map(str, call.parameters.values())))
        self.asked.append(question)
        self.calls.append(call)
        answer = self.answers[question]
        if isinstance(answer, HarnessError):
            raise answer
        return Answer(answer, Evidence(question, repr(answer)))


class Shell(NoFiles):
    """A guest session that gives one answer to everything."""

    name = "debian-12"

    def __init__(self, exit_status: int, stdout: str, stderr: str) -> None:
        self.answer = (exit_status, stdout, stderr)

    def run(
        self,
        argv: tuple[str, ...],
        *,
        privileged: bool = False,
        stdin: bytes = b"",
        within: timedelta = timedelta(minutes=1),
    ) -> Completed:
        assert privileged or argv[0] == "ls"
        assert within
        assert not stdin
        return Completed(argv, *self.answer)


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inventory:
    """Return the embedded inventory with all that the lab makes in place."""
    cache, lab = tmp_path / "cache", tmp_path / "lab"
    monkeypatch.setenv("HVCERT_CACHE", str(cache))
    monkeypatch.setenv("HVCERT_LAB_DIR", str(lab))
    made = {
        cache / "guest" / "id_ed25519": "key",
        cache / "guest" / "ssh_host_ed25519_key.pub": "ssh-ed25519 "
        "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f lab",
        cache / "images" / "debian-12-0123.qcow2": "",
        lab / "hv-2019" / "password": "hunter2\n",
    }
    for path, content in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(0o600)
    whole = load(INVENTORIES / "embedded.yaml")
    return replace(whole, guests=whole.guests[:1])


def findings(
    inventory: Inventory, changes: Answers | None = None, shell: Shell | None = None
) -> dict[str, Finding]:
    session = Recorded({**GOOD, **(changes or {})})

    @contextmanager
    def opened(_: Host) -> Iterator[HostSession]:
        yield session

    shells = {("hv-2019", "debian-12"): shell} if shell else {}
    found = examine(inventory, opened, shells, reach=REACHED)
    assert len(session.asked) == len(set(session.asked))  # nothing is asked twice
    return {finding.check: finding for finding in found}


def with_host(inventory: Inventory, **changes: object) -> Inventory:
    return replace(inventory, hosts=(replace(inventory.hosts[0], **changes),))  # type: ignore[arg-type]  # any field


def with_guest(inventory: Inventory, **changes: object) -> Inventory:
    return replace(inventory, guests=(replace(inventory.guests[0], **changes),))  # type: ignore[arg-type]  # any field


def test_a_healthy_lab_has_nothing_to_fix_and_one_open_question(inventory: Inventory) -> None:
    found = findings(inventory)
    assert {name for name, finding in found.items() if finding.ok is False} <= {"lab tools"}
    assert [name for name, finding in found.items() if finding.ok is None] == ["become", "programs"]
    assert found["build"].said == (
        "build 17763 = Windows Server 2019 (Microsoft Windows Server 2019 Datacenter)"
    )
    assert found["become"].said == "checked when the first case boots the guest"


@pytest.mark.parametrize("release", RELEASES.values(), ids=lambda release: release.key)
@pytest.mark.parametrize("source", [Template(TEMPLATE, 1), ExistingVm("Old")], ids=repr)
def test_every_question_is_one_that_every_windows_release_accepts(
    inventory: Inventory, release: Release, source: Template | ExistingVm
) -> None:
    session = Recorded(GOOD)
    examine(with_guest(inventory, source=source), lambda _: nullcontext(session), reach=REACHED)
    assert len(session.calls) > 4
    for call in session.calls:
        definition = contract_of(release).find(call.name)
        assert definition, call.name
        assert set(call.parameters) <= {parameter.name for parameter in definition.parameters}


def test_nothing_found_holds_the_password(inventory: Inventory) -> None:
    assert "hunter2" not in repr(findings(inventory))


CHANGED: tuple[tuple[str, Answers, str, str], ...] = (
    (
        "credentials",
        {"Get-CimInstance Win32_OperatingSystem": HostLoginRefused("hv-2019", "login refused")},
        "login refused",
        "correct username and password",
    ),
    (
        "credentials",
        {
            "Get-CimInstance Win32_OperatingSystem": DeadlineExceeded(
                "an answer", timedelta(seconds=9)
            )
        },
        "an answer did not happen within 9 s",
        "",
    ),
    (
        "Hyper-V module",
        {
            "Get-VMHost": HostRefused(
                "hv-2019",
                "Get-VMHost",
                ErrorRecordFacts("CommandNotFoundException", "ObjectNotFound", "…", "unbekannt"),
            )
        },
        "the host has no Hyper-V cmdlets",
        "Install-WindowsFeature Hyper-V",
    ),
    (
        "Hyper-V module",
        {
            "Get-VMHost": HostRefused(
                "hv-2019",
                "Get-VMHost",
                ErrorRecordFacts("AccessDenied,X", "PermissionDenied", "…", "Zugriff verweigert"),
            )
        },
        "Zugriff verweigert",
        "Hyper-V Administrators",
    ),
    (
        "free memory",
        {
            "Get-CimInstance Win32_OperatingSystem": (
                record(BuildNumber="17763", Caption="", FreePhysicalMemory=2 * 1024 * 1024 - 1),
            )
        },
        "2.0 GiB free, 1024 MiB stay free, the largest guest needs 1024 MiB",
        "lower memory_reserve",
    ),
    ("switch", {"Get-VMSwitch": (record(Name="Default Switch"),)}, "no switch LabSwitch", "create"),
    ("switch", {"Get-VMSwitch": ()}, "(there: none)", "create"),
    (
        "switch",
        {"Get-VMSwitch": (record(Name="LabSwitch"), record(Name="LABSWITCH"))},
        "2 switches",
        "rename",
    ),
    ("vm_path", {f"Test-Path {VM_PATH} Container": (False,)}, "is no folder", "create it"),
    ("template", {f"Test-Path {TEMPLATE}": (False,)}, "is not there", "copy the template"),
    ("template", {f"Test-Path {TEMPLATE} Container": (True,)}, "is not there", "correct path"),
    (
        "template",
        {
            f"Get-VHD {TEMPLATE}": HostRefused(
                "hv-2019",
                "Get-VHD",
                ErrorRecordFacts("InvalidOperation,X", "InvalidOperation", "…", "corrupt"),
            )
        },
        "corrupt",
        "copy the template anew",
    ),
    (
        "template",
        {
            f"Get-VHD {TEMPLATE}": (
                record(VhdFormat="VHDX", VhdType="Differencing", ParentPath="C:\\p.vhdx", Size=1),
            )
        },
        "differencing disk of C:\\p.vhdx",
        "merge it",
    ),
    (
        "free disk",
        {
            "Get-CimInstance Win32_LogicalDisk": (
                record(DeviceID="C:", FreeSpace=5 * GiB.count - 1, DriveType=3),
            )
        },
        "needed (template and 4096 MiB)",
        "free some",
    ),
)


@pytest.mark.parametrize(("check", "answers", "said", "advice"), CHANGED)
def test_what_is_wrong_is_said_with_what_to_do(
    inventory: Inventory, check: str, answers: Answers, said: str, advice: str
) -> None:
    finding = findings(inventory, answers)[check]
    assert finding.ok is False
    assert said in finding.said
    assert advice in finding.advice


NO_WSB = HostRefused(
    "hv-2019",
    "Get-WBSummary",
    ErrorRecordFacts("CommandNotFoundException", "ObjectNotFound", "…", "unbekannt"),
)
ONE_DRIVE = (record(DeviceID="C:", FreeSpace=100 * GiB.count, DriveType=3),)
FULL = (*ONE_DRIVE, record(DeviceID="E:", FreeSpace=GiB.count, DriveType=3))


@pytest.mark.parametrize(
    ("answers", "said", "advice"),
    [
        ({"Get-WBSummary": NO_WSB}, "Windows Server Backup is not installed", "Install-Windows"),
        ({"Get-CimInstance Win32_LogicalDisk": ONE_DRIVE}, "no drive for backups", "attach"),
        ({"Get-CimInstance Win32_LogicalDisk": FULL}, "E: has 1 GiB free", "free some"),
    ],
)
def test_a_host_that_cannot_back_up_is_told_so_and_may_run_the_other_cases(
    inventory: Inventory, answers: Answers, said: str, advice: str
) -> None:
    finding = findings(inventory, answers)["Windows Server Backup"]
    assert finding.ok is None
    assert said in finding.said
    assert advice in finding.advice


def test_an_unknown_build_is_an_open_question(inventory: Inventory) -> None:
    system = record(BuildNumber="25398", Caption="23H2", FreePhysicalMemory=16 * 1024 * 1024)
    finding = findings(inventory, {"Get-CimInstance Win32_OperatingSystem": (system,)})["build"]
    assert (finding.ok, finding.said) == (None, "build 25398 (23H2) is unknown to the cases")


def test_what_needs_a_login_is_left_open_when_it_is_refused(inventory: Inventory) -> None:
    refused = HostLoginRefused("hv-2019", "login refused", "check the password")
    found = findings(inventory, {"Get-CimInstance Win32_OperatingSystem": refused})
    assert found["credentials"].advice == "check the password"
    for name in ("build", "Hyper-V module", "free memory", "switch", "vm_path", "template"):
        assert found[name].ok is None
        assert found[name].said.startswith("not checked: it needs “")
    assert found["free disk"].ok is None


def test_an_unreachable_host_is_never_asked(inventory: Inventory) -> None:
    refused = replace(REACHED[0], ask=lambda _: wrong("nothing listens", "turn it on"))

    def never(_: Host) -> Recorded:
        raise AssertionError

    found = examine(inventory, never, reach=(refused, *REACHED[1:]))  # type: ignore[arg-type]  # never called
    passed = {f.check for f in found if f.subject == "host hv-2019" and f.ok}
    assert passed == {"password", "second hop"}


def test_a_missing_password_file_is_said_and_not_a_crash(
    inventory: Inventory, tmp_path: Path
) -> None:
    (tmp_path / "lab" / "hv-2019" / "password").unlink()
    finding = findings(inventory)["password"]
    assert finding.ok is False
    assert "hvcert lab up" in finding.advice


def test_a_share_that_cannot_be_delegated_is_a_second_hop(inventory: Inventory) -> None:
    share = with_host(inventory, vm_path=r"\\files\vms")
    found = findings(share)
    assert "second hop: use CredSSP" in found["second hop"].said
    assert found["vm_path"].ok is None
    delegated = with_host(share, authentication=Authentication.CREDSSP)
    found = findings(delegated, {r"Test-Path \\files\vms Container": (True,)})
    assert found["second hop"].ok
    assert found["free disk"].said.startswith(r"the free space of \\files\vms cannot be read")


def test_a_cluster_volume_s_space_is_not_that_of_its_letter(inventory: Inventory) -> None:
    path = r"C:\ClusterStorage\Volume1\vms"
    found = findings(with_host(inventory, vm_path=path), {f"Test-Path {path} Container": (True,)})
    assert found["free disk"].ok is None


def test_a_budget_below_the_largest_guest_is_said(inventory: Inventory) -> None:
    found = findings(with_host(inventory, memory_budget=512 * MiB))
    assert found["free memory"].ok is False
    assert found["free memory"].advice == "raise memory_budget"


def test_a_vhd_boots_in_generation_1_only(inventory: Inventory) -> None:
    disk = record(VhdFormat="VHD", VhdType="Fixed", ParentPath="", Size=1, FileSize=1)
    answers: Answers = {f"Get-VHD {TEMPLATE}": (disk,)}
    assert findings(inventory, answers)["generation"].ok
    second = with_guest(inventory, source=Template(TEMPLATE, 2))
    assert findings(second, answers)["generation"].advice == "write generation: 1"


def test_secure_boot_is_judged_by_the_measured_build(inventory: Inventory) -> None:
    asking = with_guest(
        inventory, source=Template(TEMPLATE, 2), secure_boot=SecureBoot.MICROSOFT_UEFI_CA
    )
    assert findings(asking)["secure boot"].ok
    old = record(BuildNumber="9600", Caption="2012 R2", FreePhysicalMemory=16 * 1024 * 1024)
    found = findings(asking, {"Get-CimInstance Win32_OperatingSystem": (old,)})
    assert found["build"].ok
    assert found["secure boot"].ok is False


@pytest.mark.parametrize(
    ("name", "said"),
    [("old", "old is Off"), ("web", "web is Running"), ("none", "no VMs are named none")],
)
def test_an_existing_vm_must_be_there_and_off(inventory: Inventory, name: str, said: str) -> None:
    answers: Answers = {"Get-VMHardDiskDrive old": GOOD["Get-VMHardDiskDrive Old"]}
    found = findings(with_guest(inventory, source=ExistingVm(name)), answers)
    assert found["existing VM"].said == said
    assert found["existing VM"].ok is (name == "old")
    assert "template" not in found


def test_an_existing_vm_with_a_disk_on_a_share_is_a_second_hop(inventory: Inventory) -> None:
    answers: Answers = {"Get-VMHardDiskDrive Old": (record(Path=r"\\files\old.vhdx"),)}
    found = findings(with_guest(inventory, source=ExistingVm("Old")), answers)
    assert "second hop" in found["existing VM"].said


def test_an_existing_vm_s_generation_is_asked_for_secure_boot(inventory: Inventory) -> None:
    vm = record(Name="Old", State="Off", Generation=1)
    asking = with_guest(
        inventory, source=ExistingVm("Old"), secure_boot=SecureBoot.MICROSOFT_UEFI_CA
    )
    assert findings(asking, {"Get-VM": (vm,)})["secure boot"].said == "the VM is Generation 1"


def test_sudo_is_tried_where_the_guest_runs(inventory: Inventory) -> None:
    assert findings(inventory, shell=Shell(0, "0\n", ""))["become"].ok
    refused = findings(inventory, shell=Shell(1, "", "sudo: a password is required\n"))["become"]
    assert refused.ok is False
    assert refused.said == "sudo -n was refused: sudo: a password is required"
    assert "hvcert ALL=(ALL) NOPASSWD: ALL" in refused.advice


def test_a_user_who_is_not_root_is_told_so(inventory: Inventory) -> None:
    plain = with_guest(inventory, ssh=replace(inventory.guests[0].ssh, become=Become.NONE))
    assert findings(plain, shell=Shell(0, "1000\n", ""))["become"].said == "hvcert is not root"


def test_a_key_that_others_may_read_is_refused(inventory: Inventory) -> None:
    inventory.guests[0].ssh.key.chmod(0o644)
    finding = findings(inventory)["SSH key"]
    assert finding.ok is False
    assert finding.advice == f"chmod 600 {inventory.guests[0].ssh.key}"


def test_keys_that_the_lab_makes_are_an_open_question_elsewhere_a_mistake(
    inventory: Inventory,
) -> None:
    inventory.guests[0].ssh.key.unlink()
    host_key = inventory.guests[0].ssh.host_key
    assert isinstance(host_key, KeyFile)
    host_key.path.unlink()
    found = findings(inventory)
    assert (found["SSH key"].ok, found["SSH host key"].ok) == (None, None)
    found = findings(replace(inventory, lab=()))
    assert (found["SSH key"].ok, found["SSH host key"].ok) == (False, False)
    assert "lab tools" not in found


def test_missing_lab_tools_are_named_with_the_command_that_installs_them(
    inventory: Inventory, tmp_path: Path
) -> None:
    @contextmanager
    def opened(_: Host) -> Iterator[HostSession]:
        yield Recorded(GOOD)

    found = examine(inventory, opened, reach=REACHED, machine_search=str(tmp_path))
    assert found[0].check == "lab tools"
    assert found[0].said == "not found: qemu-system-x86_64, qemu-img, mmdebstrap"
    assert found[0].advice.startswith("apt-get install qemu-system-x86 ")


def test_a_check_that_cannot_run_never_passes() -> None:
    checks: tuple[Check[None], ...] = (
        Check("a", lambda _: wrong("broken", "mend it")),
        Check("b", lambda _: good("fine"), needs=("a",)),
        Check("c", lambda _: good("fine"), needs=("b",)),
    )
    assert [f.ok for f in run_checks(checks, "x", None, {})] == [False, None, None]
