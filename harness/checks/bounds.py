"""Every bound that a judge uses, with its source; set 2026-11-23, before the first full run.

A change here is a commit of its own: re-judging stored runs lists what it flips.
"""

from __future__ import annotations

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
