"""What the PSRP library hands out, read from CLIXML by the library itself."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from pypsrp.serializer import Serializer

from harness.host import scripts
from harness.host.decode import decode
from harness.host.refusal import BINDING, facts_of, refused_by
from harness.host.session import HostObject, RefusedBy

SET_VM = "Microsoft.HyperV.PowerShell.Commands.SetVM"
VM = """<Obj RefId="0"><TN RefId="0"><T>Microsoft.HyperV.PowerShell.VirtualMachine</T>
<T>System.Object</T></TN><ToString>VirtualMachine (Name = 'x')</ToString><Props>
<S N="Name">x</S><Obj N="State" RefId="1"><TN RefId="1"><T>Microsoft.HyperV.PowerShell.VMState</T>
<T>System.Enum</T><T>System.ValueType</T><T>System.Object</T></TN><ToString>Running</ToString>
<I32>2</I32></Obj><I64 N="MemoryAssigned">4294967296</I64><Nil N="Notes" />
<Obj N="IPAddresses" RefId="2"><TN RefId="2"><T>System.String[]</T><T>System.Array</T>
<T>System.Object</T></TN><LST><S>10.0.0.5</S><S>fe80::1</S></LST></Obj>
<Obj N="Drives" RefId="3"><TN RefId="3"><T>System.Collections.Generic.List`1[[Vendor.Drive, V]]</T>
<T>System.Object</T></TN><LST><S>drive a</S><Nil /></LST></Obj></Props></Obj>"""


def test_a_vm_keeps_its_types_text_numbers_enums_and_lists() -> None:
    vm = decode(Serializer().deserialize(VM))
    assert isinstance(vm, HostObject)
    assert vm.type_names[0] == "Microsoft.HyperV.PowerShell.VirtualMachine"
    assert vm.text == "VirtualMachine (Name = 'x')"
    assert (vm.string("state"), vm.integer("State")) == ("Running", 2)
    assert vm.integer("MemoryAssigned") == 4 << 30
    assert vm["Notes"] is None
    assert vm.strings("IPAddresses") == ("10.0.0.5", "fe80::1")
    assert vm["Drives"] == ("drive a", None)


def test_a_line_of_a_file_is_a_text_although_it_carries_notes() -> None:
    line = '<Obj RefId="0"><S>hello</S><MS><S N="PSPath">C:\\a</S></MS></Obj>'
    assert decode(Serializer().deserialize(line)) == "hello"


def test_bytes_become_base64_and_a_hashtable_an_object() -> None:
    assert decode(b"\x00\xff") == "AP8="
    found = decode({"A": 1, "B": [True, None]})
    assert isinstance(found, HostObject)
    assert found.properties == {"A": 1, "B": (True, None)}


def test_a_text_that_only_looks_like_a_list_stays_a_text() -> None:
    assert decode("<LST of things") == "<LST of things"


def record(fqid: str, exception: str, category: int = 5) -> SimpleNamespace:
    error = SimpleNamespace(types=[exception], adapted_properties={"Message": "no\n good"})
    return SimpleNamespace(fq_error=fqid, category=category, exception=error, target_name="x")


def test_an_error_record_is_read_without_its_localised_text_being_needed() -> None:
    facts = facts_of(record(f"InvalidParameter,{SET_VM}", "Vendor.VirtualizationException"))
    assert (facts.category, facts.exception_type) == (
        "InvalidArgument",
        "Vendor.VirtualizationException",
    )
    assert (facts.message, facts.target) == ("no good", "x")


@pytest.mark.parametrize(
    ("fqid", "exception", "who"),
    [
        (f"InvalidParameter,{SET_VM}", "Vendor.VirtualizationException", RefusedBy.CMDLET),
        (f"CannotConvertArgumentNoMessage,{SET_VM}", BINDING, RefusedBy.BINDING),
        ("CommandNotFoundException", "System.Exception", None),
        ("InvalidParameter,Microsoft.HyperV.PowerShell.Commands.GetVM", "X", None),
        (f"InvalidParameter,Other{SET_VM}", "X", None),
    ],
)
def test_who_refused_is_told_by_the_error_id(
    fqid: str, exception: str, who: RefusedBy | None
) -> None:
    assert refused_by(facts_of(record(fqid, exception)), SET_VM) is who


def test_a_number_that_is_no_category_does_not_break_the_reading() -> None:
    assert facts_of(record("a", "b", category=999)).category == "999"
    assert facts_of(SimpleNamespace()).fqid == ""


def test_the_list_of_fixed_scripts_is_closed_and_every_script_has_a_reason() -> None:
    with pytest.raises(KeyError):
        scripts.text_of("..\\other")
    assert scripts.text_of("modify-system-settings").count("param(") == 1
    assert all(scripts.REASONS.values())
