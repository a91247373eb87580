"""A refused gap is data; what started as a job is judged by how the job ended."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from harness.errors import HostRefused
from harness.host.command import GapPath, Value
from harness.host.gap import paths
from harness.host.session import HostValue, RefusedBy
from harness.host.vm import Vm
from harness.units import GiB, MiB
from tests.host.answering import AnsweringHost, Reply, refuse, thing

SET_VM = "Microsoft.HyperV.PowerShell.Commands.SetVM"
BINDING = "System.Management.Automation.ParameterBindingException"
DEBUG_VM = "Microsoft.HyperV.PowerShell.Commands.DebugVM"


def vm(**replies: Reply) -> Vm:
    return Vm(AnsweringHost({k.replace("_", "-"): r for k, r in replies.items()}), "a", "guid", "s")


def wmi(result: int, job_state: int = 7, error: int = 0) -> Vm:
    def cim(given: Mapping[str, Value]) -> tuple[HostValue, ...]:
        if "ConcreteJob" in str(given):
            return (thing(JobState=job_state, ErrorCode=error),)
        return (thing(InstanceID="Microsoft:GUID", LowMmioGapSize="128"),)

    script = lambda _: (thing(ReturnValue=result, Job="job-1"),)  # noqa: E731  # a table entry
    return vm(Get_CimInstance=cim, modify_system_settings=script)


def test_the_gap_is_read_in_megabytes_and_returned_in_bytes() -> None:
    assert wmi(0).low_mmio_gap().value == 128 * MiB


def test_a_return_value_of_0_is_done() -> None:
    assert wmi(0).attempt_low_mmio_gap(1 * GiB, GapPath.WMI).accepted


def test_a_started_job_that_completes_is_done() -> None:
    assert wmi(4096, 7).attempt_low_mmio_gap(1 * GiB, GapPath.WMI).accepted


def test_a_started_job_that_fails_is_a_refusal_and_not_success() -> None:
    attempt = wmi(4096, 10, 32773).attempt_low_mmio_gap(64 * MiB, GapPath.WMI)
    assert attempt.refusal is not None
    assert attempt.refusal.by is RefusedBy.JOB
    assert attempt.fqid == "JobState 10, ErrorCode 32773"


def test_any_other_return_value_is_a_refusal_by_the_method() -> None:
    attempt = wmi(32773).attempt_low_mmio_gap(64 * MiB, GapPath.WMI)
    assert attempt.refusal is not None
    assert attempt.refusal.by is RefusedBy.METHOD


def test_setting_a_gap_that_is_refused_is_an_error() -> None:
    with pytest.raises(Exception, match="64 MiB was refused"):
        wmi(32773).set_low_mmio_gap(64 * MiB, GapPath.WMI)


def test_a_refusal_by_set_vm_itself_is_told_from_one_by_parameter_binding() -> None:
    refused = vm(Set_VM=refuse(f"InvalidParameter,{SET_VM}"))
    by_cmdlet = refused.attempt_low_mmio_gap(64 * MiB, GapPath.CMDLET).refusal
    bound = vm(Set_VM=refuse(f"CannotConvertArgumentNoMessage,{SET_VM}", BINDING))
    by_binding = bound.attempt_low_mmio_gap(4096 * MiB, GapPath.CMDLET).refusal
    assert by_cmdlet is not None
    assert by_binding is not None
    assert (by_cmdlet.by, by_binding.by) == (RefusedBy.CMDLET, RefusedBy.BINDING)


def test_the_number_goes_to_the_host_as_it_is() -> None:
    machine = vm()
    machine.attempt_low_mmio_gap(4096 * MiB, GapPath.CMDLET)
    assert "-LowMemoryMappedIoSpace 4294967296" in machine.session.asked[-1]  # type: ignore[attr-defined]  # the fake


@pytest.mark.parametrize("fqid", ["CommandNotFoundException", f"InvalidState,{SET_VM}"])
def test_a_refusal_by_anything_but_debug_vm_is_no_answer_about_nmi(fqid: str) -> None:
    with pytest.raises(HostRefused):
        vm(Debug_VM=refuse(fqid)).attempt_nmi()


@pytest.mark.parametrize("suffix", ["", "Command"])
def test_debug_vms_own_refusal_is_an_answer(suffix: str) -> None:
    attempt = vm(Debug_VM=refuse(f"InvalidState,{DEBUG_VM}{suffix}")).attempt_nmi()
    assert not attempt.accepted


def test_2012_r2_has_wmi_alone_and_later_releases_have_both() -> None:
    assert paths(9600) == (GapPath.WMI,)
    assert paths(14393) == (GapPath.CMDLET, GapPath.WMI)
