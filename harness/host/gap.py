"""The low MMIO gap of a VM, on the host's two paths.

Windows Server 2012 R2 has WMI alone (LowMmioGapSize, uint64, MB); since 2016 there is also
``Set-VM -LowMemoryMappedIoSpace`` (UInt32, bytes). Sources: Microsoft's Hyper-V WMI pages, the
announcement's own script, the reflected module.
"""

from __future__ import annotations

from datetime import timedelta

from harness.deadline import wait_for
from harness.errors import HostError
from harness.evidence import Measured
from harness.host.command import Cmdlet, FixedScript, GapPath
from harness.host.embedded import setting_data
from harness.host.session import Answer, Attempt, HostSession, Refusal, RefusedBy
from harness.host.wql import equals, select
from harness.units import Bytes, MiB

NAMESPACE = r"root\virtualization\v2"
SETTINGS = "Msvm_VirtualSystemSettingData"
REALIZED = "Microsoft:Hyper-V:System:Realized"
SET_VM = "Microsoft.HyperV.PowerShell.Commands.SetVM"
CMDLET_FROM_BUILD = 14393
DONE, JOB_STARTED = 0, 4096
JOB_COMPLETED, JOB_RUNNING_BELOW = 7, 7
JOB_WITHIN = timedelta(minutes=2)


def paths(build: int) -> tuple[GapPath, ...]:
    """Return the paths that this Windows build documents, its usual one first."""
    return (GapPath.CMDLET, GapPath.WMI) if build >= CMDLET_FROM_BUILD else (GapPath.WMI,)


def read(session: HostSession, vm_id: str) -> Measured[Bytes]:
    """Return the gap that the host has on record for the VM itself."""
    answer = _settings(session, vm_id)
    return Measured(answer.one().integer("LowMmioGapSize") * MiB, (answer.evidence,))


def attempt_by_wmi(session: HostSession, vm_id: str, wanted: Bytes) -> Attempt:
    """Ask the management service to change that one property; follow the job to its end."""
    settings = _settings(session, vm_id)
    changed = ("LowMmioGapSize", "uint64", wanted // MiB)
    instance = setting_data(SETTINGS, settings.one().string("InstanceID"), changed)
    answer = session.run(FixedScript("modify-system-settings", {"SettingData": instance}))
    result = answer.one().integer("ReturnValue")
    proof = (settings.evidence, answer.evidence)
    if result == DONE:
        return Attempt(None, proof)
    if result != JOB_STARTED:
        return Attempt(Refusal(RefusedBy.METHOD, f"ReturnValue {result}"), proof)
    ended = _job(session, answer.one().string("Job"))
    state = ended.one().integer("JobState")
    if state == JOB_COMPLETED:
        return Attempt(None, (*proof, ended.evidence))
    code = f"JobState {state}, ErrorCode {ended.one().integer('ErrorCode')}"
    return Attempt(Refusal(RefusedBy.JOB, code), (*proof, ended.evidence))


def refused(host: str, wanted: Bytes, attempt: Attempt) -> HostError:
    """Return the error for a gap that had to be accepted."""
    return HostError(host, f"a low MMIO gap of {wanted} was refused [{attempt.fqid}]")


def _settings(session: HostSession, vm_id: str) -> Answer:
    this_vm = equals("VirtualSystemIdentifier", vm_id.upper())
    return session.run(_query(select(SETTINGS, this_vm, equals("VirtualSystemType", REALIZED))))


def _job(session: HostSession, instance_id: str) -> Answer:
    ask = _query(select("Msvm_ConcreteJob", equals("InstanceID", instance_id)))

    def ended() -> Answer | None:
        answer = session.run(ask)
        return answer if answer.one().integer("JobState") >= JOB_RUNNING_BELOW else None

    return wait_for(f"the end of job {instance_id} on {session.name}", ended, JOB_WITHIN)


def _query(text: str) -> Cmdlet:
    given = {"Namespace": NAMESPACE, "Query": text}
    return Cmdlet("Get-CimInstance", given, safe_to_repeat=True)
