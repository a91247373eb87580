"""What of an ErrorRecord is read, and what kind of no it was."""

from __future__ import annotations

from types import SimpleNamespace as Record

import pytest

from harness.errors import ErrorRecordFacts, HostRefused
from harness.host.refusal import CATEGORIES, facts_of, is_binding, not_there, refused_by
from harness.host.session import RefusedBy

SET_VM = "Microsoft.HyperV.PowerShell.Commands.SetVM"
BINDING = "System.Management.Automation.ParameterBindingException"


class Said(Record):
    def __str__(self) -> str:
        return "the record's own\n words"


def facts(fqid: str, category: str = "InvalidArgument", kind: str = "E") -> ErrorRecordFacts:
    return ErrorRecordFacts(fqid, category, kind, "said")


def test_a_record_is_read_field_by_field() -> None:
    error = Record(
        types=("Microsoft.HyperV.PowerShell.VirtualizationException", "System.Exception"),
        adapted_properties={"Message": "it  failed\r\n here"},
        to_string="another text",
    )
    given = Said(fq_error="Id,Class", category=13, exception=error, target_name="vm 1")
    assert facts_of(given) == ErrorRecordFacts(
        "Id,Class",
        "ObjectNotFound",
        "Microsoft.HyperV.PowerShell.VirtualizationException",
        "it failed here",
        "vm 1",
    )


@pytest.mark.parametrize(
    ("number", "name"),
    [(0, "NotSpecified"), (31, "NotEnabled"), (32, "32"), (-1, "-1"), (None, "None"), ("5", "5")],
)
def test_a_category_is_a_number_with_a_name(number: object, name: str) -> None:
    assert facts_of(Said(category=number)).category == name


def test_the_categories_are_powershells_in_its_order() -> None:
    numbers = {name: number for number, name in enumerate(CATEGORIES)}
    known = ("InvalidArgument", "InvalidOperation", "NotImplemented", "PermissionDenied")
    assert [numbers[name] for name in known] == [5, 7, 11, 18]
    assert (numbers["ResourceBusy"], numbers["QuotaExceeded"], len(CATEGORIES)) == (19, 30, 32)


def test_what_the_host_left_out_is_an_empty_text() -> None:
    assert facts_of(Said()) == ErrorRecordFacts("", "None", "", "the record's own words", "")
    empty = Said(fq_error=None, category=5, exception=Record(types=()), target_name=None)
    assert facts_of(empty).exception_type == ""
    assert facts_of(empty).target == ""


@pytest.mark.parametrize(
    ("properties", "to_string", "message"),
    [
        ({"Message": "first"}, "second", "first"),
        ({"Message": ""}, "second", "second"),
        ({}, "second", "second"),
        (None, "second", "second"),
        (None, None, "the record's own words"),
    ],
)
def test_the_first_text_that_is_there_is_the_message(
    properties: dict[str, str] | None, to_string: str | None, message: str
) -> None:
    error = Record(types=(), adapted_properties=properties, to_string=to_string)
    assert facts_of(Said(exception=error)).message == message


def test_a_record_without_any_text_says_so() -> None:
    class Silent(Record):
        def __str__(self) -> str:
            return ""

    assert facts_of(Silent()).message == "no message"


@pytest.mark.parametrize(
    ("kind", "binding"),
    [
        (BINDING, True),
        ("System.Management.Automation.ParameterBindingValidationException", True),
        ("System.Management.Automation.ParameterBindingArgumentTransformationException", True),
        ("System.Management.Automation.ItemNotFoundException", False),
        ("", False),
    ],
)
def test_a_call_that_was_not_bound_never_ran(kind: str, binding: bool) -> None:  # noqa: FBT001
    record = facts(f"InvalidParameter,{SET_VM}", kind=kind)
    assert is_binding(record) is binding
    by = RefusedBy.BINDING if binding else RefusedBy.CMDLET
    assert refused_by(record, SET_VM) is by


@pytest.mark.parametrize(
    ("fqid", "by"),
    [
        (f"InvalidParameter,{SET_VM}", RefusedBy.CMDLET),
        (f"InvalidParameter,{SET_VM}Command", RefusedBy.CMDLET),  # 2012 R2
        (f"InvalidParameter,X{SET_VM}", None),
        (SET_VM, None),
        ("InvalidParameter,Microsoft.HyperV.PowerShell.Commands.GetVM", None),
        ("CommandNotFoundException", None),
        ("", None),
    ],
)
def test_only_an_id_of_the_command_is_its_refusal(fqid: str, by: RefusedBy | None) -> None:
    assert refused_by(facts(fqid), SET_VM) is by


@pytest.mark.parametrize(
    ("fqid", "category", "gone"),
    [
        ("InvalidParameter,GetVM", "InvalidArgument", False),
        ("InvalidParameter,GetVM", "ObjectNotFound", True),
        ("PathNotFound,RemoveItem", "NotSpecified", True),
        ("ItemNotFound,RemoveItem", "NotSpecified", True),
        ("ObjectNotFound,RemoveVM", "NotSpecified", True),
        ("Some,PathNotFound", "NotSpecified", False),
    ],
)
def test_what_does_not_exist_needs_no_removal(fqid: str, category: str, gone: bool) -> None:  # noqa: FBT001
    assert not_there(HostRefused("hv", "Remove-VM", facts(fqid, category))) is gone
