r"""The methods of root\virtualization\v2 that do something here, and their jobs.

A method answers 0 (done) or 4096 (a job was started: only its end tells), as documented; a gap
that the host refuses answers 4096 and the job ends in Exception, as lis-test observed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import uuid4

from harness.standin import changes, lifecycle
from harness.standin.cim.embedded import BadInstance, Instance, read
from harness.standin.cim.model import CIM, Found, Method
from harness.standin.faults import Refused
from harness.standin.host import Host, now
from harness.standin.machines import MachineError
from harness.standin.values import Record, UInt32, Value
from harness.standin.world import Job, Vm

DONE, STARTED = 0, 4096
FAILED, NOT_SUPPORTED, BAD_PARAMETER, BAD_STATE, BAD_TYPE = 32768, 32770, 32773, 32775, 32776
CODES = {"InvalidParameter": BAD_PARAMETER, "InvalidState": BAD_STATE}
MODIFY, STATE = 2, 12  # Msvm_ConcreteJob.JobType
COMPLETED, EXCEPTION = 7, 10  # Msvm_ConcreteJob.JobState


def job_values(job: Job) -> dict[str, Value]:
    """Return the values of a job as Msvm_ConcreteJob shows them."""
    done = job.state == COMPLETED
    return {
        "InstanceID": str(job.id).upper(),
        "Caption": "Job",
        "Name": "Msvm_ConcreteJob",
        "ElementName": "Job",
        "OperationalStatus": [2 if done else 3],
        "HealthState": 5,
        "JobStatus": "OK" if done else "Error",
        "TimeSubmitted": job.started,
        "StartTime": job.started,
        "JobRunTimes": 1,
        "PercentComplete": 100 if done else 0,
        "ErrorCode": job.error,
        "ErrorDescription": job.description,
        "ErrorSummaryDescription": job.description,
        "JobState": job.state,
        "JobType": job.kind,
        "Cancellable": False,
    }


def _answer(code: int, job: Job | None = None) -> dict[str, Value]:
    reference = None
    if job:
        name = "Msvm_ConcreteJob"
        chain = (f"{CIM}#root/virtualization/v2/{name}", f"{CIM}#{name}", CIM, "System.Object")
        key = str(job.id).upper()
        reference = Record(chain, {"InstanceID": key}, f'{name} (InstanceID = "{key}")', job)
    return {"ReturnValue": UInt32(code), "Job": reference}


def started(host: Host, kind: int, refused: Exception | None = None) -> dict[str, Value]:
    """Answer 4096 with a job of this kind that is over: Completed, or Exception when refused."""
    return _answer(STARTED, _job(host, kind, refused))


def _job(host: Host, kind: int, refused: Exception | None = None) -> Job:
    job = Job(uuid4(), kind, now())
    if refused:
        job.state, job.description = EXCEPTION, str(refused)
        job.error = CODES.get(refused.kind, FAILED) if isinstance(refused, Refused) else FAILED
    with host.lock:
        host.world.jobs[job.id] = job
    return job


def _vm(found: Found) -> Vm | None:
    return found.live if isinstance(found.live, Vm) else None


def inject_nmi(host: Host, found: Found, _: Mapping[str, Value]) -> dict[str, Value]:
    """Msvm_ComputerSystem.InjectNonMaskableInterrupt; returns when the machine took it."""
    return _changed(host, found, lifecycle.inject_nmi, quick=True)


def _changed(
    host: Host, found: Found, change: Callable[[Host, Vm], None], *, quick: bool = False
) -> dict[str, Value]:
    vm = _vm(found)
    if vm is None:
        return _answer(NOT_SUPPORTED)
    try:
        with host.exclusive(vm.id, _never):
            lifecycle.refresh(host, vm)
            change(host, vm)
    except (Refused, MachineError) as refused:
        return started(host, STATE, refused)
    return _answer(DONE) if quick else started(host, STATE)


def _never() -> None:
    """Wait for the VM's lock without a way to stop: WMI goes on when its client has gone."""


def _shut_down(host: Host, vm: Vm) -> None:
    lifecycle.shut_down(host, vm, _never)


def _enable(host: Host, vm: Vm) -> None:
    (lifecycle.resume if vm.state == "Paused" else lifecycle.start)(host, vm)


STATES: Mapping[int, Callable[[Host, Vm], None]] = {
    2: _enable,
    3: lifecycle.turn_off,
    4: _shut_down,
    6: lifecycle.save,
    9: lifecycle.pause,
    11: lifecycle.reset,
    32773: lifecycle.save,
    32776: lifecycle.pause,
    32777: lifecycle.resume,
}


def request_state(host: Host, found: Found, given: Mapping[str, Value]) -> dict[str, Value]:
    """Msvm_ComputerSystem.RequestStateChange: the change is over when the job is handed out."""
    wanted = given.get("RequestedState")
    if not isinstance(wanted, int) or wanted not in STATES:
        return _answer(BAD_PARAMETER)
    return _changed(host, found, STATES[wanted])


def modify_settings(host: Host, _: Found, given: Mapping[str, Value]) -> dict[str, Value]:
    """ModifySystemSettings of one realized VM, from an embedded instance as GetText(1) makes it."""
    try:
        wanted = read(str(given.get("SystemSettings", "")))
    except BadInstance:
        return _answer(BAD_PARAMETER)
    vm = _named(host, wanted)
    if vm is None or wanted.class_name != "Msvm_VirtualSystemSettingData":
        return _answer(BAD_PARAMETER)
    if any(
        wanted.types.get(n, "uint64") != "uint64" for n in ("LowMmioGapSize", "HighMmioGapSize")
    ):
        return _answer(BAD_TYPE)
    try:
        with host.exclusive(vm.id, _never):
            lifecycle.refresh(host, vm)
            _modify(host, vm, wanted)
    except (Refused, MachineError) as refused:
        return started(host, MODIFY, refused)
    return _answer(DONE)


def _named(host: Host, wanted: Instance) -> Vm | None:
    key = wanted.text("InstanceID").casefold()
    every = host.world.vms.values()
    return next((v for v in every if f"microsoft:{v.id}" == key), None)


def _modify(host: Host, vm: Vm, wanted: Instance) -> None:
    """Set what differs; all of it is checked before any of it is kept."""
    low, high = _bytes(wanted, "LowMmioGapSize"), _bytes(wanted, "HighMmioGapSize")
    settings = vm.settings
    new_low = (
        settings.low_gap if low in (None, settings.low_gap) else changes.low_gap(host, vm, low)
    )
    new_high = (
        settings.high_gap
        if high in (None, settings.high_gap) or host.release.build < 14393
        else changes.high_gap(vm, high)
    )
    name = wanted.text("ElementName") or vm.name
    notes = wanted.values.get("Notes")
    settings.low_gap, settings.high_gap, vm.name = new_low, new_high, name
    if notes:
        settings.notes = notes[0]


def _bytes(wanted: Instance, name: str) -> int | None:
    if name not in wanted.values:
        return None
    text = wanted.text(name)
    if not (text.isascii() and text.isdigit()):
        raise Refused("InvalidParameter", f"{name} '{text}' is no number of megabytes.")
    return int(text) << 20


SYSTEM: Mapping[str, Method] = {
    "InjectNonMaskableInterrupt": inject_nmi,
    "RequestStateChange": request_state,
}
MANAGEMENT: Mapping[str, Method] = {"ModifySystemSettings": modify_settings}
