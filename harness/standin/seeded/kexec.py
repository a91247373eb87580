"""Faults of kexec in the guest: a command line that is lost, a kernel that is not loaded."""

from __future__ import annotations

from harness.standin.seeded.fault import Fault, Level
from harness.standin.seeded.inside import in_every_guest, wrapped

TO_BOOT = 'case " \\$* " in *" -l "*) ;; *) exec "$program.whole" "\\$@" ;; esac\n'
"""Only what loads a kernel for the next boot is broken, not what loads one for a crash."""

FORGETS = wrapped(
    "kexec",
    TO_BOOT
    + """for word in "\\$@"; do
    case "\\$word" in --command-line=*) word=--reuse-cmdline ;; esac
    shift
    set -- "\\$@" "\\$word"
done
exec "$program.whole" "\\$@\"""",
)

LOADS_NOTHING = wrapped("kexec", TO_BOOT + "exit 0")

FAULTS = (
    Fault(
        "kexec-forgets-command-line",
        Level.GUEST,
        "a guest's kexec loads a kernel with the running one's command line, whatever it is told",
        "guest: /usr/sbin/kexec",
        in_every_guest("kexec-forgets-command-line", FORGETS),
    ),
    Fault(
        "kexec-loads-nothing",
        Level.GUEST,
        "a guest's kexec reports success and loads no kernel",
        "guest: /usr/sbin/kexec",
        in_every_guest("kexec-loads-nothing", LOADS_NOTHING),
    ),
)
