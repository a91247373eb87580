# ruff: noqa: E501  # samples are as long as they come
from __future__ import annotations

import pytest

from harness.checks.kdump_state import KdumpState, parse_kdump

RHEL_STATUS = """\
● kdump.service - Crash recovery kernel arming
     Loaded: loaded (/usr/lib/systemd/system/kdump.service; enabled; vendor preset: enabled)
     Active: {state} since Mon 2016-10-24 18:58:21 UTC; 49s ago
"""
BOOT = "[    0.000000] Linux version 6.1.0 (a@b)\n[    0.000000] Command line: ro\n"
CAPTURE = "[    0.000000] Linux version 6.1.0 (a@b)\n[    0.000000] Command line: elfcorehdr=0x11000000 ro\n"
PANIC = "[  108.217036] Kernel panic - not syncing: sysrq triggered crash\n"
RESERVING = (
    "[    0.012598] Reserving 512MB of memory at 1424MB for crashkernel (System RAM: 65439MB)\n"
)


@pytest.mark.parametrize(
    ("text", "ready"),
    [
        ("current state   : ready to kdump\n", True),
        ("current state:    Not ready to kdump\n", False),
        ("current state:    ready to fadump\n", True),
        (" * loaded kdump kernel\n", True),
        (" * unloaded kdump kernel\n", False),
        ("Nov 25 10:00:00 vm1 kdump-tools[747]:  * loaded kdump kernel\n", True),
        ("Nov 25 10:00:00 vm1 kdump-tools[747]:  * failed to load kdump kernel\n", False),
        ("Starting kdump-tools: no crashkernel= parameter in the kernel cmdline ... failed!\n", False),
        ("kdump: kexec: loaded kdump kernel\nkdump: Starting kdump: [OK]\n", True),
        ("Starting kdump:[  OK  ]\n", True),
        ("Oct 24 18:58:21 ip kdumpctl[812]: No memory reserved for crash kernel.\nOct 24 18:58:21 ip kdumpctl[812]: Starting kdump: [FAILED]\n", False),
        ("kdump: kexec: unloaded kdump kernel\nkdump: Stopping kdump: [OK]\n", False),
        ("Kdump is operational\n", True),
        ("Kdump is not operational\n", False),
        ("Kdump is operational\nkdump: Kdump is not operational\n", False),
        ("[  OK  ] Started Crash recovery kernel arming.\n", True),
        ("[  OK  ] Finished Crash recovery kernel arming.\n", True),
        ("         Starting Crash recovery kernel arming...\n", None),
        ("         Starting Crash recovery kernel arming...\n[  OK  ] Started Crash recovery kernel arming.\n", True),
        ("[FAILED] Failed to start Crash recovery kernel arming.\n", False),
        ("[  OK  ] Finished Load kdump kernel and initrd.\n", True),
        ("[  OK  ] Stopped Crash recovery kernel arming.\n", False),
        (RHEL_STATUS.format(state="active (exited)"), True),
        (RHEL_STATUS.format(state="failed (Result: exit-code)"), False),
        (RHEL_STATUS.format(state="inactive (dead)"), False),
        ("kdump.service      loaded active exited    Crash recovery kernel arming\n", True),
        ("● kdump.service    loaded failed failed Crash recovery kernel arming\n", False),
        ("kdump.service                              enabled         enabled\n", None),
        ("$ systemctl is-active kdump\nactive\n", True),
        ("$ systemctl is-active kdump\ninactive\n", False),
        ("$ systemctl is-enabled kdump\nenabled\n", None),
        ("● sshd.service - OpenSSH server daemon\n     Active: active (running) since x\n", None),
        ("kexec_load failed: Cannot assign requested address\n", False),
        ("kexec_file_load failed: Operation not permitted\n", False),
        ("Starting kdump kernel load; kexec cmdline: /sbin/kexec -p\nLoaded kdump kernel.\n", True),
        ("Memory for crashkernel is not reserved\n[  OK  ] Finished Kernel crash dump capture service.\n", False),
        (RESERVING, None),
        ("[    0.000000] crashkernel reservation failed - No suitable area found.\n[  OK  ] Started Crash recovery kernel arming.\n", False),
        ("[    0.000000] crashkernel reservation failed - memory is in use.\n" + RESERVING, None),
        ("[    0.000000] crashkernel reservation failed - memory is in use.\nkdump: Kdump is not operational\n" + RESERVING, False),
        ("kdump.service - Crash recovery kernel arming was skipped because of an unmet condition check (ConditionKernelCommandLine=crashkernel).\n", False),
        (BOOT + "Kdump is operational\n" + BOOT, None),
        (BOOT + "Kdump is operational\n" + PANIC + CAPTURE, True),
        (BOOT + "Kdump is operational\n" + PANIC + CAPTURE + BOOT + "Kdump is not operational\n", False),
        ("[  108.220122] CPU: 2 PID: 6555 Comm: test.sh Kdump: loaded Not tainted 6.13.0+ #1\n", None),
    ],
)  # fmt: skip
def test_the_last_word_of_tool_or_service_counts(text: str, ready: bool | None) -> None:  # noqa: FBT001  # a column
    assert parse_kdump(text).ready is ready


@pytest.mark.parametrize(
    ("text", "mib"),
    [
        (RESERVING, 512),
        ("[    0.0] Reserving 256MB of low memory at 560MB for crashkernel (System low RAM: 3071MB)\n" + RESERVING, 512),
        (RESERVING + "[    0.0] Reserving 256MB of low memory at 560MB for crashkernel (System low RAM: 3071MB)\n", 512),
        ("[    0.004623] crashkernel reserved: 0x0000000060000000 - 0x0000000074000000 (320 MB)\n", 320),
        ("[    0.0] crashkernel low memory reserved: 0xb9000000 - 0xc9000000 (256 MB)\n[    0.0] crashkernel reserved: 0x00000010 - 0x0000000074000000 (1024 MB)\n", 1024),
        ("[    0.0] crashkernel: reserved 0x0000000090000000 - 0x00000000a0000000 (256 MB)\n", 256),
        ("[    0.0] crashkernel reserved: 0x00000008c0000000- 0x0000000940000000  @ (2048 MB)\n", 2048),
        ("kdump: Reserved 256MB memory for crash kernel\n", 256),
        ("kdump: Reserved 0MB memory for crash kernel\n", None),
        ("Reserved crashkernel:    192M\nRecommended crashkernel: 256M\n", 192),
        ("crashkernel suggested size: 417M\ncrashkernel addr: 0x60000000\n", None),
        ("[    0.0] Kernel command line: crashkernel=256M\n", None),
        ("  29000000-38ffffff : Crash kernel\n", 256),
        ("  29000000-38ffffff : Crash kernel\n  13f000000-15effffff : Crash kernel\n", 512),
        ("# cat /sys/kernel/kexec_crash_size\n268435456\n", 256),
        (RESERVING + BOOT, None),
        (RESERVING + "[    0.0] crashkernel reservation failed - memory is in use.\n", None),
    ],
)  # fmt: skip
def test_the_main_reservation_counts(text: str, mib: int | None) -> None:
    assert parse_kdump(text).reserved_mib == mib


@pytest.mark.parametrize(
    ("text", "saved"),
    [
        (PANIC + CAPTURE, None),
        ("kdump: saving vmcore\n", None),
        ("kdump: saving vmcore\nkdump: saving vmcore complete\n", True),
        ("[    9.1] kdump[600]: saving vmcore\n[    9.9] kdump[630]: saving vmcore complete\n", True),
        ("kdump: saving vmcore-dmesg.txt complete\nkdump: saving vmcore\n", None),
        ("kdump: saving vmcore failed, _exitcode:1\n", False),
        ('derror "saving vmcore failed, _exitcode:$_exitcode"\n', None),
        ('dinfo "saved vmcore in ${KDUMP_PATH}"\n', None),
        ("[root@hv1 ~]$ kdump-tools: saved vmcore in /var/crash/1\n", True),
        ("kdump-tools: failed to save vmcore in /var/crash/$HOST\n", False),
        ("kdump-tools: saved vmcore in /var/crash/201302271411\n", True),
        ("kdump-tools: failed to save vmcore in /var/crash/201302271411\n", False),
        ("kdump-tools: saved dmesg content in /var/crash/202601210724\n", None),
        ("kdump-config: saved vmcore in ubuntu@192.0.2.1:/var/crash/vm1-202601210724\n", True),
        ("Saving core complete\n", True),
        ("Saved dmesg\nSaved vmcore\n", True),
        ("Error: Failed saving vmcore\n", False),
        ("The dumpfile is saved to /kdump/mnt/var/crash/2021-06-11-20:16/vmcore.\nmakedumpfile Completed.\n", True),
        ("The dumpfile is saved to /sysroot/var/crash/127.0.0.1-2021/vmcore-incomplete.\nmakedumpfile Completed.\n", None),
        ("The dmesg log is saved to /var/crash/1/dmesg.1.\nmakedumpfile Completed.\n", None),
        ("write_buffer: Can't write the dump file(/x). No space left on device\nmakedumpfile Failed.\n", False),
        ("kdump-tools: makedumpfile failed, falling back to 'cp'\nkdump-tools: saved vmcore in /var/crash/1\n", True),
        ("kdump: saving vmcore complete\n" + BOOT, True),
        ("kdump: saving vmcore complete\n" + BOOT + PANIC, None),
        ("kdump-tools: Unable to mount remote NFS directory a:/b. Cannot save core\n", False),
    ],
)  # fmt: skip
def test_a_core_is_saved_when_the_tool_says_so(text: str, saved: bool | None) -> None:  # noqa: FBT001  # a column
    assert parse_kdump(text).saved is saved


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("path /var/crash\ncore_collector makedumpfile -l --message-level 7 -d 31\n", None),
        ("#ssh user@my.server.com\nssh kdump@10.0.0.2\n", "ssh"),
        ("#raw /dev/vg/lv_kdump\n#ext4 /dev/vg/lv_kdump\n#nfs my.server.com:/export/tmp\n", None),
        ("nfs my.server.com:/export/tmp\n", "nfs"),
        ("net my.server.com:/export/tmp\n", "nfs"),
        ("net user@my.server.com\n", "ssh"),
        ("xfs UUID=da88bd86-9d1b-4a5f-9a0d-1\n", "local"),
        ("raw /dev/vg/lv_kdump\n", "local"),
        ('SSH="kdump@10.0.0.2"\nSSH_KEY=/root/.ssh/kdump_id_rsa\n', "ssh"),
        ('# SSH="kdump@10.0.0.2"\nKDUMP_COREDIR="/var/crash"\n', None),
        ("SSH:              kdump@10.0.0.2\nSSH_KEY:          /root/.ssh/kdump_id_rsa\n", "ssh"),
        ('NFS="10.0.0.1:/srv/kdump"\n', "nfs"),
        ("NFS:              10.0.0.1:/srv\nNFS_TIMEO:        600\n", "nfs"),
        ('KDUMP_SAVEDIR="file:///var/crash"\n', "local"),
        ('KDUMP_SAVEDIR="nfs://host/export"\n', "nfs"),
        ("KDUMP_SAVEDIR=ssh://user@host/var/crash\n", "ssh"),
        ('KDUMP_SAVEDIR="ftp://host/pub"\n', None),
        ("[    5.1] kdump.sh[297]: kdump: saving to root@192.0.2.1:/var/crash/192.0.2.2-2023/\n", "ssh"),
        ("kdump: saving to /sysroot//var/crash/127.0.0.1-2020-01-16-02:06:14/\n", None),
        ("[    5.1] kdump-tools[747]:  * Mounting NFS mountpoint 10.0.0.1:/srv ...\n", "nfs"),
        ("[    5.1] kdump-tools[747]:  * sending makedumpfile -F -c -d 31 /proc/vmcore to u@h : /x\n", "ssh"),
    ],
)  # fmt: skip
def test_the_target_is_that_of_the_configuration_or_the_tool(text: str, target: str | None) -> None:
    assert parse_kdump(text).target == target


def test_an_empty_text_says_nothing() -> None:
    assert parse_kdump("") == KdumpState()
