"""What each fault must do to the verdicts. An entry is committed before its fault is built."""

from __future__ import annotations

from collections.abc import Mapping

from harness.standin.seeded.fault import Cell

SINCE_2016 = ("2016", "2019", "2022", "2025")

_NOBODY_FREEZES = r"freeze service logged nothing|the VM was seen Sav|State is Saved, not Off"

EXPECTED: Mapping[str, tuple[Cell, ...]] = {
    "nmi-lost": (
        Cell("NMI-01", r"injection 3 was not seen within 10 s; CPU 0 counted 2 NMIs, not 5"),
    ),
    "nmi-doubled": (Cell("NMI-01", r"CPU 0 counted 6 NMIs, not 5"),),
    "gap-ignored": (
        Cell("MMIO-01", r"the guest's low window starts at 0xa0000000 .* not at "),
        Cell("MMIO-02", r"the guest's low window starts at 0xa0000000 .* not at 0xc0000000"),
        Cell("MMIO-03", r"the guest's low window starts at 0xa0000000 .* not at "),
    ),
    "gap-off-by-one-mb": (
        Cell("MMIO-01", r"\(gap 129 MiB\), not at 0xf8000000", "128 MiB"),
        Cell("MMIO-01", r"\(gap 1025 MiB\), not at 0xc0000000", "1024 MiB"),
        Cell("MMIO-01", r"\(gap 2049 MiB\), not at 0x80000000", "2048 MiB"),
        Cell("MMIO-01", r"\(gap 3457 MiB\), not at 0x28000000", "3456 MiB"),
        Cell("MMIO-01", r"\(gap 3585 MiB\), not at 0x20000000", "3584 MiB"),
        Cell("MMIO-02", r"\(gap 1025 MiB\), not at 0xc0000000"),
        Cell("MMIO-03", r"\(gap (1025|2049) MiB\), not at "),
    ),
    "gap-range-unchecked": (
        Cell(
            "MMIO-02",
            r"the host accepted a gap of \d+ MiB by Set-VM",
            r"Set-VM (64|126|3586) MiB",
            windows=SINCE_2016,
        ),
        Cell("MMIO-02", r"the host accepted a gap of \d+ MiB by WMI", "WMI .*"),
    ),
    "job-fails": (
        Cell("MMIO-01", r"refused a gap of .*JobState 10, ErrorCode 32768", windows=("2012r2",)),
        Cell("MMIO-02", r"refused a gap of 1024 MiB, .*JobState 10, ErrorCode 32768", "WMI .*"),
        Cell("MMIO-03", r"refused a gap of .*JobState 10, ErrorCode 32768", windows=("2012r2",)),
    ),
    "job-does-nothing": (
        Cell("MMIO-01", r"the host reads a gap of 128 MiB back, not ", windows=("2012r2",)),
        Cell("MMIO-02", r"the host reads a gap of 128 MiB back, not 1024 MiB", "WMI .*"),
        Cell("MMIO-03", r"the host reads a gap of 128 MiB back, not ", windows=("2012r2",)),
    ),
    "nmi-accepted-when-off": (
        Cell("NMI-02", r"the host accepted an NMI for a VM that is (Saved|Paused|Off)"),
    ),
    "nmi-kept-for-later": (
        Cell("NMI-02", r"NMI counts changed over Saved \(CPU 0: \+1\)", "Saved"),
        Cell("NMI-02", r"NMI counts changed over Paused \(CPU 0: \+1\)", "Paused"),
    ),
    "gap-of-another-vm": (
        Cell("MMIO-01", r"the host reads a gap of \d+ MiB back, not \d+", windows=SINCE_2016),
        Cell("MMIO-03", r"the host reads a gap of \d+ MiB back, not \d+", windows=SINCE_2016),
        Cell(
            "MMIO-02",
            r"the host reads a gap of 128 MiB back, not 1024 MiB",
            "Set-VM .*",
            windows=SINCE_2016,
        ),
    ),
    "saved-state-lost": (Cell("NMI-02", r"the guest booted anew"),),  # ends the case of all three
    "winrm-answer-lost": (Cell("NMI-01", r"HostConnectionLost: ", outcomes=("error",)),),
    "winrm-cut-in-mid-call": (Cell("NMI-01", r".", outcomes=("pass", "error")),),
    "winrm-session-expired": (Cell("NMI-01", r".", outcomes=("pass", "error")),),
    "winrm-unavailable": (Cell("NMI-01", r".", outcomes=("pass", "error")),),
    "winrm-answers-late": (Cell("NMI-01", r".", outcomes=("pass", "error")),),
    "display-stuck": (
        Cell("FB-01", r"shows 1024x768 at 32 bits, not 1920x1080", windows=SINCE_2016),
    ),
    "thumbnail-black": (Cell("FB-02", r"the host's first picture shows \d of 144 cells"),),
    "thumbnail-stale": (Cell("FB-02", r"the host's second picture shows \d of 144 cells"),),
    "pointer-beside": (Cell("FB-03", r"QEMU Virtio Tablet did not go to pixel"),),
    "pointer-doubled": (Cell("FB-03", r"2 absolute pointing devices of the hypervisor, not one"),),
    "checkpoint-not-frozen": (
        Cell("BAK-02", r"freeze service logged nothing.*; / \(ext4\): ext needs recovery"),
        Cell(
            "BAK-03",
            "a production checkpoint was made though nobody froze the guest",
            "production checkpoint",
        ),
    ),
    "disk-growth-unannounced": (
        Cell("VHD-01", r"the guest still sees 1024 MiB on \w+ after 60 s"),
        Cell("VHD-02", r"the guest still sees 1024 MiB on \w+ after 60 s"),
    ),
    "disk-resize-does-nothing": (
        Cell("VHD-01", r"after Resize-VHD the host shows 1024 MiB, not 2048 MiB"),
        Cell("VHD-02", r"after Resize-VHD the host shows 1024 MiB, not 2048 MiB"),
        Cell("VHD-04", r"the host shows 1024 MiB and the guest 1024 MiB, not 2048 MiB"),
    ),
    "disk-byte-flipped": (
        Cell("VHD-01", r"changed or lost since they were written: /mnt/"),
        Cell("VHD-02", r"changed or lost since they were written: /mnt/"),
    ),
    "hot-added-memory-offline": (
        Cell("DM-01", r"hot-added memory stays offline: \d+ block"),
        *(
            Cell(case, r"no demand below \d+ KiB with the load stopped", outcomes=("error",))
            for case in ("DM-02", "DM-04", "DM-05", "DM-06")
        ),  # seen on guests: what is added and not on-line counts as demand, so nothing can be told
    ),
    "hot-add-refused-late": (
        Cell("DM-01", r"the host did not add 256 MiB under the ramp"),
        Cell("DM-06", r"after resume no memory is added beyond"),
    ),
    "assigned-reported-not-given": (
        Cell("DM-01", r"assigned rose by \d+ MiB from 768 MiB, the guest sees \d+ MiB more"),
        Cell("DM-02", r"assigned fell from \d+ MiB to \d+ MiB, the guest sees \d+ MiB less"),
        Cell("DM-05", r"host and guest differ by at most \d+ MiB"),
        Cell("DM-06", r"added after resume: host \d+ MiB, guest"),
    ),
    "balloon-past-minimum": (
        Cell("DM-04", r"under pressure the guest had at least \d+ MiB \(minimum 512 MiB\)"),
    ),
    "assignment-past-maximum": (
        Cell("DM-03", r"asked for more than 1280 MiB, the guest had at most 1[3-9]\d\d MiB"),
    ),
    "core-truncated": (
        Cell("KD-01", r"the core breaks off before its end"),
        Cell("KD-02", r"the core breaks off before its end"),
    ),
    "core-of-older-boot": (
        Cell("KD-01", r"the core's log lacks what this case wrote before the crash"),
    ),
    "dump-disk-full": (
        Cell("KD-01", r"the target is full: the target has \d+ MiB free"),
        Cell("KD-02", r"the target is full: the target has \d+ MiB free"),
    ),
    "capture-kernel-panics": tuple(
        Cell(case, r"the crash left no core")
        for case in ("KD-01", "KD-02", "KD-03", "KD-04", "KD-05", "NMI-03")
    ),
    "guest-unreachable-after-panic": tuple(
        Cell(case, r"did not boot again within \d+ s after the crash")
        for case in ("KD-01", "KD-04", "KD-05", "NMI-03")
    ),
    "backup-not-frozen": (
        Cell("BAK-01", r"freeze service logged nothing.*; / \(ext4\): ext needs recovery"),
        Cell("BAK-04", r"freeze service logged nothing.*; / \(ext4\): ext needs recovery"),
        Cell("BAK-03", r"comes back Off as after an online backup", "Windows Server Backup"),
    ),
    "offline-backup-called-online": (
        Cell("BAK-03", r"comes back Off as after an online backup", "Windows Server Backup"),
    ),
    "stale-backup-restored": (
        Cell("BAK-01", r"holds records 1 to \d+, but \d+ were on disk before the call"),
        Cell("BAK-04", r"holds records 1 to \d+, but \d+ were on disk before the call"),
    ),
    "backup-of-wrong-disk": (
        Cell("BAK-01", r"the copy holds records 1 to 0, but \d+ were on disk before the call"),
    ),
    "restore-restores-nothing": (
        Cell("BAK-01", r"the recovery reported success, and no VM was restored"),
        Cell("BAK-04", r"the recovery reported success, and no VM was restored"),
        Cell(
            "BAK-03",
            r"the recovery reported success, and no VM was restored",
            "Windows Server Backup",
        ),
    ),
    "freeze-without-freezing": (
        Cell("BAK-01", r"/ \(ext4\): ext needs recovery"),
        Cell("BAK-02", r"/ \(ext4\): ext needs recovery"),
        Cell("BAK-04", r"/ \(ext4\): ext needs recovery"),
    ),
    "freeze-hook-hangs": (
        Cell("BAK-01", r"the VM was seen Sav|the copy's State is Saved, not Off"),
        Cell("BAK-04", r"the VM was seen Sav|the copy's State is Saved, not Off"),
    ),
    "clock-jumps": (
        Cell("BAK-01", r"the guest's clock jumped by \d+"),
        Cell("BAK-02", r"the guest's clock jumped by \d+"),
    ),
    "file-system-does-not-grow": (
        Cell("VHD-01", r"the file system did not grow with its disk: df showed"),
        Cell("VHD-02", r"the file system did not grow with its disk: df showed"),
    ),
    "file-system-corrupts-on-growth": (Cell("VHD-01", r"the file system's checker found trouble"),),
    "resize-in-metadata-only": (
        Cell("VHD-01", r"the guest still sees 1024 MiB on \w+ after 60 s"),
        Cell("VHD-02", r"the guest still sees 1024 MiB on \w+ after 60 s"),
        Cell("VHD-04", r"the host shows 2048 MiB and the guest 1024 MiB, not 2048 MiB"),
    ),
    "resize-of-wrong-disk": (
        Cell("VHD-01", r"after Resize-VHD the host shows 1024 MiB, not 2048 MiB"),
        Cell("VHD-02", r"after Resize-VHD the host shows 1024 MiB, not 2048 MiB"),
        Cell("VHD-04", r"the host shows 1024 MiB and the guest 1024 MiB, not 2048 MiB"),
    ),
    "thumbnail-of-another-vm": (Cell("FB-02", r"the host's first picture shows \d+ of 144 cells"),),
    "nmi-to-wrong-vcpu": (Cell("NMI-01", r"CPU 0 counted 0 NMIs, not 5"),),
    "kernel-oops-in-mid-case": tuple(
        Cell(case, r"in the kernel log.*: (bug|oops): ")
        for case in (
            *("NMI-01", "MMIO-01", "KX-01", "VHD-03", "BAK-02"),
            *("FB-01", "FB-02", "FB-03", "FB-04"),
            *("DM-01", "DM-02", "DM-04", "DM-05", "DM-06"),
        )
    ),
    "resize-limits-unchecked": (
        Cell("VHD-03", r"the host resized the disk to \d+ MiB while the VM was running"),
    ),
    "kexec-forgets-command-line": (Cell("KX-01", r"the new boot is not by kexec: no nonce in it"),),
    "kexec-loads-nothing": (Cell("KX-01", r"kexec did not load the guest's own kernel"),),
    "driver-of-another-package": (
        Cell(
            "IC-01",
            r"virtio_net is .*/updates/virtio_net.ko.* of package lab-network-drivers, which is not"
            r" the distribution's kernel",
            "network",
        ),
    ),
    "backup-service-not-started": (
        Cell(
            "IC-01",
            r"no backup service runs: qemu-guest-agent.service is inactive",
            "backup service",
        ),
        Cell("BAK-01", _NOBODY_FREEZES),
        Cell("BAK-02", r"freeze service logged nothing"),
        Cell("BAK-04", _NOBODY_FREEZES),
    ),
    "host-rebooted-in-mid-case": (Cell("NMI-01", r".", outcomes=("error",)),),
    "ssh-cut": (Cell("NMI-01", r".", outcomes=("pass", "error")),),
    "harness-killed": (Cell("NMI-01", r".", outcomes=("error", "not-run")),),
    "harness-disk-full": (Cell("NMI-01", r"ResultsError: |ReplayError: ", outcomes=("error",)),),
    "winrm-quota": (Cell("NMI-01", r".", outcomes=("pass", "error")),),
}
