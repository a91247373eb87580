"""A machine's memory and device state, into a file.

The caller has stopped the processors, so state and disks are of the same instant. Such a state
comes back stopped: whoever resumes it has to say ``cont``.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from harness.deadline import Deadline, wait_for
from harness.errors import DeadlineExceeded
from harness.standin.machines import MachineError
from harness.standin.qmp import Json, Qmp

QUICKLY = timedelta(milliseconds=30)


def write_state(qmp: Qmp, to: Path, within: timedelta) -> None:
    """Write the state; the file appears under its name only when it is whole."""
    part = to.with_name(to.name + ".part")
    try:
        with part.open("wb") as file:
            _migrate(qmp, file.fileno(), within)
        part.replace(to)
    except OSError as error:
        raise MachineError(f"{to}: the state could not be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def _migrate(qmp: Qmp, descriptor: int, within: timedelta) -> None:
    deadline = Deadline(within)
    qmp.execute("migrate-set-parameters", {"max-bandwidth": 1 << 40})
    qmp.execute("getfd", {"fdname": "state"}, descriptors=(descriptor,))
    qmp.execute("migrate", {"uri": "fd:state"})
    try:
        answer = wait_for(
            "the saved state", lambda: _ended(qmp), deadline.remaining(), every=QUICKLY
        )
    except DeadlineExceeded as error:
        qmp.execute("migrate_cancel")
        raise MachineError(str(error)) from error
    if answer["status"] != "completed":
        reason = answer.get("error-desc", answer["status"])
        raise MachineError(f"the state could not be written (is the disk full?): {reason}")


def _ended(qmp: Qmp) -> Json:
    answer = qmp.execute("query-migrate")
    return answer if answer.get("status") in ("completed", "failed", "cancelled") else None
