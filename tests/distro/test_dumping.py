"""What each family's kdump is told, rendered for every kind of target."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.distro import FAMILIES, Family
from harness.distro.dumping import LOCAL, Kind, Target

RECORDS = sorted({family.name: family for family in FAMILIES.values()}.items())
FAMILY = pytest.mark.parametrize("family", [f for _, f in RECORDS], ids=[n for n, _ in RECORDS])
SSH = Target(Kind.SSH, "/srv/cores", "10.99.0.2", "hvcert", "/root/.ssh/key")
NFS = Target(Kind.NFS, "/srv/cores", "10.99.0.2")


@FAMILY
@pytest.mark.parametrize("target", [LOCAL, SSH, NFS], ids=lambda target: target.kind.value)
def test_every_family_is_told_each_target_in_full(family: Family, target: Target) -> None:
    said = family.dumping.configured(target, "former=1\n")
    assert target.folder in said
    assert target.address in said
    assert target.key in said
    assert f"{target.user}@" in said or target.kind is not Kind.SSH
    assert "{" not in said
    assert said.startswith("former=1") is family.dumping.append
    assert family.dumping.initrd.format(release="6.1").startswith("/boot/init")


def test_debians_own_settings_stay_and_the_last_assignment_counts() -> None:
    said = FAMILIES["debian"].dumping.configured(SSH, 'USE_KDUMP=1\n#SSH="<user at server>"\n')
    assert said == (
        'USE_KDUMP=1\n#SSH="<user at server>"\n\n# hvcert\nUSE_KDUMP=1\n'
        'SSH="hvcert@10.99.0.2"\nSSH_KEY="/root/.ssh/key"\nKDUMP_COREDIR="/srv/cores"\n'
    )


def test_red_hats_file_is_written_whole_flattened_over_ssh_alone() -> None:
    rhel = FAMILIES["rhel"].dumping
    assert rhel.configured(SSH, "path /old\n") == (
        "ssh hvcert@10.99.0.2\nsshkey /root/.ssh/key\npath /srv/cores\n"
        "core_collector makedumpfile -F -l --message-level 7 -d 31\n"
    )
    assert rhel.configured(NFS, "") == (
        "nfs 10.99.0.2:/srv/cores\npath /\ncore_collector makedumpfile -l --message-level 7 -d 31\n"
    )


def test_suses_target_is_a_url() -> None:
    suse = FAMILIES["suse"].dumping
    assert 'KDUMP_SAVEDIR="ssh://hvcert@10.99.0.2/srv/cores"' in suse.configured(SSH, "")
    assert 'KDUMP_SAVEDIR="nfs://10.99.0.2/srv/cores"' in suse.configured(NFS, "")
    assert 'KDUMP_SAVEDIR="file:///var/crash"' in suse.configured(LOCAL, "")


def test_suses_capture_kernel_saves_its_log_the_way_it_saved_the_core(tmp_path: Path) -> None:
    """The script is run as kdump-save runs it: in a function that has just saved from a pipe."""
    suse = FAMILIES["suse"].dumping
    text = suse.configured(SSH, "")
    assert 'KDUMP_REQUIRED_PROGRAMS="/usr/bin/dmesg"' in text
    (tmp_path / "kdump").write_text(text)
    (tmp_path / "save").write_text(
        f"""set -e
. {tmp_path}/kdump
dmesg() {{ echo "Linux version 6.4.0-default"; }}
save() {{
    local SOURCE={tmp_path}/pipe FILENAME=vmcore SAVE_COMMAND
    SAVE_COMMAND='cat < ${{SOURCE}} > {tmp_path}/${{FILENAME}}'
    mkfifo ${{SOURCE}}
    echo core > ${{SOURCE}} &
    eval "${{SAVE_COMMAND}}"
    eval "$KDUMP_POSTSCRIPT"
}}
save
"""
    )
    subprocess.run(("/bin/bash", str(tmp_path / "save")), check=True, timeout=20)
    assert (tmp_path / "vmcore").read_text() == "core\n"
    assert (tmp_path / suse.capture_log).read_text() == "Linux version 6.4.0-default\n"


def test_debians_capture_kernel_keeps_its_log_by_a_drop_in_of_its_unit() -> None:
    dumping = FAMILIES["debian"].dumping
    assert dumping.capture is not None
    assert dumping.capture_log in dumping.capture.content
    assert dumping.capture.file.startswith("/etc/systemd/system/kdump-tools-dump.service.d/")
