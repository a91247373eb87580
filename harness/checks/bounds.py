"""Every bound that a judge uses, with its source; set 2026-11-23, before the first full run.

A change here is a commit of its own: re-judging stored runs lists what it flips.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from harness.units import Bytes, GiB, KiB, MiB

# --- NMI ---------------------------------------------------------------------------------------
NMI_INJECTIONS: Final = 5
"""Injections per case: one more than a lost or doubled one could hide behind. Certification case
NMI-01, 2026-11-23."""

NMI_SEEN_WITHIN: Final = timedelta(seconds=10)
"""How long one injection may take to show in the counters before the next is not sent: NMIs latch,
so quick ones merge. NMI-01, 2026-11-23."""

NMI_FIRST_BUILD: Final = 9600
"""Windows Server 2012 R2 is the first host with ``Debug-VM -InjectNonMaskableInterrupt``."""

NMI_CPU0_FROM_BUILD: Final = 14393
"""From Windows Server 2016 on the host delivers to CPU 0 only; 2012 R2 (9600 up to here) to every
vCPU. LIS/lis-test pull request 660, which cites the kernel list; read 2026-11-23."""

NMI_MIN_CPUS: Final = 2
"""With one vCPU "CPU 0 only" and "every vCPU" are the same. NMI-01, 2026-11-23."""

# --- MMIO gap ----------------------------------------------------------------------------------
GAP_MIN: Final = 128 * MiB
GAP_MAX: Final = 3584 * MiB
"""What a host accepts for the low MMIO gap, both included. Microsoft's documentation of
Set-VM -LowMemoryMappedIoSpace and lis-test's MMIO suite; 2026-11-23."""

GAP_DEFAULT: Final = 128 * MiB
"""What a new VM has, so it proves nothing when set: start 128 MiB from another value. MMIO-01."""

GAP_STEP: Final = 2 * MiB
"""Hosts round to 2 MiB: values that are no multiple cannot be judged exactly. MMIO-01."""

GAP_CMDLET_FROM_BUILD: Final = 14393
"""Set-VM has -LowMemoryMappedIoSpace from Windows Server 2016 on; 2012 R2 has the WMI class only.
Microsoft's module documentation per release; 2026-11-23."""

GAP_TOP: Final = 4 * GiB
"""The gap ends here: the low window's start is this minus the gap, exactly. MMIO-01."""

LOW_WINDOW_FROM: Final = Bytes(1 << 20)
"""Below it lie the VGA and option-ROM windows. MMIO-01."""

WINDOW_SHORT_OF_TOP: Final = 256 * KiB
"""Hyper-V's window ends this much below 4 GiB (0xfffbffff in recorded boots), so the start is
judged, never the length. MMIO-01, recorded Azure Generation 1 boots."""

# --- Frame buffer ------------------------------------------------------------------------------
FB_DEPTH: Final = 32
"""Bits a pixel that the announcement of the frame buffer driver names. FB-01, 2026-11-25."""

FB_BOUND_WITHIN: Final = timedelta(seconds=60)
"""How long after the login the driver may still be loading: udev does that beside the boot. FB-01,
2026-11-25."""

FB_TOPS_OUT: Final = frozenset({("3.2", "hyperv_drm")})
"""(synthvid version, driver) that cannot do 1920x1080: hyperv_drm limits a host that speaks 3.2 to
1600x1200 (SYNTHVID_WIDTH_WIN8, SYNTHVID_HEIGHT_WIN8 of drivers/gpu/drm/hyperv). FB-01,
2026-11-25."""

FB_CELLS_RIGHT: Final = 0.99
"""Share of the grid's 144 cells whose centre must be right: one may be under a cursor or a line of
text of the console. FB-02, 2026-11-25."""

FB_COLOUR_STEPS: Final = 1
"""Steps of RGB565 that a channel may be off: two scalers may round differently. FB-02,
2026-11-25."""

FB_PICTURE_WITHIN: Final = timedelta(seconds=30)
"""How long a drawing may take to show in the host's picture: the driver sends what changed twenty
times a second, an emulated guest is slower. FB-02, 2026-11-25."""

POINTER_RANGE: Final = (0, 32767)
"""The axes of the hypervisors' absolute pointers: logical minimum and maximum in the report
descriptor of Hyper-V's mouse, and QEMU's INPUT_EVENT_ABS_MIN and MAX. FB-03, 2026-11-25."""

POINTER_MOVES: Final = 5
"""Places that the host points at. FB-03, 2026-11-25."""

POINTER_PIXELS: Final = 2.0
"""How many pixels a place may be off: both sides scale pixels to their own axes. FB-03,
2026-11-25."""

POINTER_WITHIN: Final = timedelta(seconds=30)
"""How long one move may take to be heard in the guest. FB-03, 2026-11-25."""

REDRAWS: Final = 5
"""Full frames that are written to time one. FB-04, 2026-11-25."""

# --- Integration -------------------------------------------------------------------------------
KERNEL_PACKAGE: Final = re.compile(
    r"linux-(?:image|modules)(?:-unsigned|-extra)?-\d\S{0,60}"
    r"|kernel(?:-(?:uek|rt|64k|default|azure|hyperv|lts|core|modules\S{0,40}|drivers\S{0,40}))*"
)
"""Packages in which distributions ship their kernel and its modules: Debian and Ubuntu, Red Hat and
its rebuilds, SUSE, Azure Linux. Microsoft's own LIS packages (kmod-microsoft-hyper-v) are none.
IC-01, 2026-11-25."""

# --- dynamic memory ----------------------------------------------------------------------------
DM_STARTUP: Final = 768 * MiB
DM_MINIMUM: Final = 512 * MiB
DM_MAXIMUM: Final = 8 * GiB
DM_BUFFER: Final = 20
DM_PRIORITY: Final = 50
"""The settings that the verdicts are reached at, multiples of 128 MiB as Microsoft asks for with
Linux guests ("Best practices for running Linux on Hyper-V"); buffer in percent. Case text,
2026-11-25."""

DM_NEAR_MAXIMUM: Final = 1280 * MiB
"""DM-03 and DM-09 run with this maximum, so that one load can ask for more than it without taking
8 GiB of whatever host there is. Buffer and the other settings as above. 2026-11-25."""

DM_BLOCK: Final = 128 * MiB
"""Linux' memory block on x86 below 64 GiB; a larger one that the guest shows counts instead. Below
it neither hot-add nor agreement can be told. Case text, 2026-11-25."""

DM_BLOCKS_UP: Final = 2
"""DM-01: host and guest rise by at least so many blocks. Case text, 2026-11-25."""

DM_STILL: Final = timedelta(seconds=5)
DM_SAMPLES: Final = 10
"""DM-05: a sample counts when the host's figure was the same before and after the guest was read
and for so long before; fewer than so many that count are no answer. Case text, 2026-11-25."""

DM_WITHIN: Final = timedelta(minutes=10)
"""How long assigned memory may take to follow. Case text ("10 minutes on a real host");
LIS/lis-test issue 1146 saw 4 to 7 idle minutes; 2026-11-25."""

DM_OFFLINE_AFTER: Final = timedelta(seconds=15)
"""Added memory that is off-line for so long stays so: a udev rule acts within a second, the driver
itself waits 5 s (drivers/hv/hv_balloon.c). 2026-11-25."""

DM_HELD: Final = timedelta(seconds=10)
"""How long a limit (DM-03, DM-04) or a lack (DM-09) has to be held while sampled. 2026-11-25."""

DM_CROWD: Final = 3
DM_CROWD_MOST: Final = 40
"""DM-08: the host is filled but for its reserve and so many guests' startup memory, so that few
guests tell; and the most that are started where a host refuses none. 2026-11-25."""

DM_BALLOON_SEEN_FROM: Final = (5, 11)
"""From this kernel on MemTotal follows hv_balloon (commit "hv_balloon: adjust_managed_page_count").
An older one that is seen not to follow is not judged by it. Case text, 2026-11-25."""

# --- web server under rising load ---------------------------------------------------------------
WEB_SHARES: Final = (0.5, 1.0, 2.0, 3.0)
"""Steps of the load: what the web server's processes hold, in startup memories of the static guest.
DM-07, 2026-11-26."""

WEB_HELD: Final = 48 * MiB
"""What one process of the web server holds: a sixteenth of the startup memory, so 8, 16, 32 and 48
processes and as many clients. DM-07, 2026-11-26."""

WEB_MEASURED: Final = timedelta(seconds=20)
"""How long each step is measured, after memory has come to rest. DM-07, 2026-11-26."""

WEB_SILENT: Final = timedelta(seconds=30)
"""A server that answers nobody for so long ends the step: ab's own default for -s. 2026-11-26."""

WEB_COLLAPSED: Final = 0.5
WEB_ERRORS: Final = 0.01
WEB_KEPT: Final = 0.8
"""The static guest has collapsed below this share of its best rate, or above this share of errors;
there the dynamic one keeps at least this share of its best, without any. Case text of DM-07; the
announcement: 103 to 32 transactions/s static, 120 to 130 dynamic. 2026-11-26."""

ANNOUNCED_STARTUP: Final = 786 * MiB
ANNOUNCED_MINIMUM: Final = 500 * MiB
ANNOUNCED_MAXIMUM: Final = 8 * GiB
"""The settings of the announcement of dynamic memory for Linux guests (Windows Server 2012 R2).
Linux adds memory in blocks of 128 MiB and these are no multiples of it, so no verdict is reached
with them. DM-07, 2026-11-26."""

# --- kdump ---------------------------------------------------------------------------------------
CRASH_KERNEL: Final = 192 * MiB
"""Reserved for the capture kernel in a guest of less than 2 GiB: Debian's and Red Hat's figure for
1 to 4 GiB (``1G-4G:192M``); 112 MiB is the least that saved a core of a 1 GiB guest. 2026-11-25."""

CRASH_KERNEL_LARGE: Final = 512 * MiB
"""The same from 2 GiB on: LISA's figure up to 1 TiB. 2026-11-25."""

KDUMP_CPUS_2012R2: Final = 15
KDUMP_ANY_CPUS_FROM_BUILD: Final = 14393
"""On Windows Server 2012 R2 (before build 14393) a guest with 15 or more vCPUs does not dump:
KB 2858695. 2026-11-25."""

ARMED_WITHIN: Final = timedelta(minutes=10)
"""For kdump's service after the boot: it may have to make its own initrd first. LISA waits 2
minutes for the loading alone. KD-01, 2026-11-25."""

CRASH_BOOT_WITHIN: Final = timedelta(seconds=1400)
"""From the crash to a login in the next boot, the dump in between: LISA allows 800 s for the dump
and 600 s for the boot. KD-01, 2026-11-25."""

CORE_STABLE_FOR: Final = timedelta(seconds=3)
"""A core must not change between two looks this far apart, both after the next boot. KD-01,
2026-11-25."""

DUMP_ROOM: Final = 64 * MiB
"""A target with less room is full: filtered cores of a 1 GiB guest were 17 to 27 MiB. KD-02,
2026-11-25."""

HANGS_WITHIN: Final = timedelta(minutes=5)
"""For real-time loops to have taken every CPU; a guest that still lets somebody in after it does
not hang. KD-04, 2026-11-25."""

SILENT_FOR: Final = timedelta(seconds=30)
"""How long SSH and a writer in the guest must be silent for it to count as hung. KD-04,
2026-11-25."""

# --- Live backup -------------------------------------------------------------------------------
BACKUP_STALL_WITHIN: Final = timedelta(seconds=30)
"""The longest that a writer in the guest may wait for one record. Certification cases BAK-01 to
BAK-04, 2026-11-25."""

BACKUP_CLOCK_JUMP: Final = timedelta(seconds=5)
"""How far guest uptime and the controller's clock may part over a call, beyond what asking takes:
a paused guest loses under a second to a checkpoint, a saved one the time it was saved. BAK-01,
2026-11-25."""

BACKUP_RECORDS_FIRST: Final = 3
"""Records acknowledged on every file system before the call begins: one could be luck. BAK-01,
2026-11-25."""

BACKUP_CHECKPOINT_FROM_BUILD: Final = 14393
"""Production checkpoints exist from Windows Server 2016 on. Microsoft's module documentation per
release; 2026-11-25."""

# --- live disk expansion -------------------------------------------------------------------------
EXPANSION_FROM: Final = 1 * GiB
EXPANSION_TO: Final = 2 * GiB
"""A disk's size before and after. VHD-01, 2026-11-25."""

EXPANSION_USE: Final = 0.5
"""The disk grows when more than this share of the file system is used. VHD-01, 2026-11-25."""

CAPACITY_WITHIN: Final = timedelta(seconds=60)
"""How long the new capacity may take to show in the guest without a rescan: storvsc notices at the
next request (the host answers it with a unit attention), and the workload writes all the time.
Linux 3.10 and later, drivers/scsi/storvsc_drv.c; LIS/lis-test waits 60 s. 2026-11-25."""

EXPANSION_SHARE: Final = 0.9
"""Share of the new space that df has to show at least: ext4's default inode tables take 1.6 %, xfs
less. mke2fs(8), mkfs.xfs(8); 2026-11-25."""
