"""Values to CLIXML and back."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypsrp.serializer import Serializer

from harness.standin.clixml import CUSTOM_OBJECT, Writer, format_double, format_duration
from harness.standin.clixml_reader import NotClixml, read, read_duration
from harness.standin.values import (
    Byte,
    Credential,
    EnumValue,
    Int64,
    Record,
    UInt16,
    UInt32,
    UInt64,
    Value,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
PLAIN: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(0, 255).map(Byte),
    st.integers(0, 2**16 - 1).map(UInt16),
    st.integers(0, 2**32 - 1).map(UInt32),
    st.integers(0, 2**64 - 1).map(UInt64),
    st.integers(-(2**63), 2**63 - 1).map(Int64),
    st.floats(allow_nan=False),
    TEXT,
    st.binary(max_size=30),
    st.uuids(),
    st.datetimes(min_value=datetime(1, 1, 2)),  # noqa: DTZ001 - DateTime kinds without a zone exist
    st.datetimes(timezones=st.just(UTC)),
    st.timedeltas(timedelta(days=-9999), timedelta(days=9999)),
)
NESTED = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4)
)


def back(value: Value) -> Value:
    return read(Writer().value(value).encode(), str)


@settings(deadline=None)
@given(NESTED)
def test_what_is_written_reads_back(value: Value) -> None:
    assert back(value) == value


@settings(deadline=None)
@given(PLAIN)
def test_sized_integers_and_texts_keep_their_type(value: Value) -> None:
    assert type(back(value)) is type(value)


@settings(deadline=None)
@given(TEXT)
def test_pypsrp_reads_the_same_text(text: str) -> None:
    assert Serializer().deserialize(Writer().value(text)) == text


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_no_document_makes_the_reader_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(NotClixml):
        read(data, str)


def test_control_characters_and_surrogates_are_escaped_as_powershell_does() -> None:
    expected = "<S>a_x000A__x005F_x0041_ _y &lt;&amp;_xD83D__xDE00_</S>"
    assert Writer().value("a\n_x0041_ _y <&😀") == expected


def test_numbers_take_the_smallest_element_that_holds_them() -> None:
    tags = {1: "I32", -(2**31): "I32", 2**31: "I64", 2**63: "U64", 2**64: "D"}
    assert {number: Writer().value(number)[1:].split(">")[0] for number in tags} == tags


def test_an_object_in_a_property_becomes_its_text_and_a_table_keeps_its_values() -> None:
    inner = Record(("In", "System.Object"), {"Deep": 1}, "inner text")
    custom = Record((CUSTOM_OBJECT, "System.Object"), {"a": 1, "b": None})
    outer = Record(
        ("Out", "System.Object"),
        {"One": inner, "Many": [inner, 2], "Table": {"k": inner}, "Custom": custom},
    )
    read_back = back(outer)
    assert isinstance(read_back, Record)
    assert read_back.properties == {
        "One": "inner text",
        "Many": ["inner text", 2],
        "Table": {"k": "inner text"},
        "Custom": "@{a=1; b=}",
    }
    assert read_back.text == "Out"


def test_a_list_of_objects_at_the_top_keeps_their_properties() -> None:
    inner = Record(("In", "System.Object"), {"Deep": 1}, "inner text")
    assert back([inner, inner]) == [inner, inner]


def test_custom_objects_hold_notes_and_no_text() -> None:
    record = Record(("Selected.X", CUSTOM_OBJECT, "System.Object"), {"a b": 1}, "ignored")
    xml = ET.fromstring(Writer().value(record))  # noqa: S314 - our own document
    assert [child.tag for child in xml] == ["TN", "MS"]


def test_a_type_list_is_written_once_and_before_it_is_referred_to() -> None:
    state = EnumValue("E", "On", 1)
    xml = Writer().value(Record(("R",), {"A": state, "B": state}, "r"))
    assert xml.count("<T>E</T>") == 1
    assert xml.index("<T>E</T>") < xml.index("<TNRef")


def test_an_enum_keeps_the_width_of_its_number() -> None:
    assert "<U16>3</U16>" in Writer().value(EnumValue("E", "On", UInt16(3)))
    assert back(EnumValue("E", "On", UInt16(3))) == EnumValue("E", "On", 3)


def test_versions_and_script_blocks_are_elements_of_their_own() -> None:
    assert Writer().value(Record(("System.Version",), text="9.0")) == "<Version>9.0</Version>"
    block = Record(("System.Management.Automation.ScriptBlock",), text="{1}")
    assert Writer().value(block, "X") == '<SBK N="X">{1}</SBK>'


def test_a_credential_is_written_only_sealed() -> None:
    secret = Credential("user", "pass")
    with pytest.raises(TypeError):
        Writer().value(secret)
    sealed = Writer(lambda text: text[::-1]).value(secret)
    assert "pass" not in sealed
    assert read(sealed.encode(), lambda text: text[::-1]) == secret


def test_references_lists_and_wrapped_values_of_net_clients_are_understood() -> None:
    document = (
        '<Obj RefId="0"><TN RefId="0"><T>Deserialized.X</T><T>Deserialized.System.Object</T></TN>'
        '<Props><Obj N="Wrapped" RefId="1"><I32>5</I32><MS><S N="Note">n</S></MS></Obj>'
        '<Obj N="Stack" RefId="2"><TNRef RefId="0" /><STK><S>a</S><C>65</C></STK></Obj>'
        '<Ref N="Again" RefId="2" /><TS N="Span">-PT1.5S</TS>'
        '<Obj N="Enum" RefId="3"><TN RefId="1"><T>Deserialized.E</T>'
        "<T>Deserialized.System.Enum</T></TN><ToString>On</ToString><I32>1</I32></Obj></Props></Obj>"
    )
    record = read(document.encode(), str)
    assert isinstance(record, Record)
    assert record.type_names[0] == "Deserialized.X"
    assert record.live is None
    assert record.properties == {
        "Wrapped": 5,
        "Stack": ["a", "A"],
        "Again": ["a", "A"],
        "Span": timedelta(seconds=-1.5),
        "Enum": EnumValue("E", "On", 1),
    }


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(), "PT0S"),
        (timedelta(seconds=10), "PT10S"),
        (timedelta(days=2), "P2D"),
        (timedelta(hours=1, seconds=0.5), "PT1H0.5S"),
        (timedelta(days=-1, microseconds=-1), "-P1DT0.000001S"),
        (timedelta(days=1, hours=2, minutes=3, seconds=4), "P1DT2H3M4S"),
    ],
)
def test_time_spans_read_as_xml_durations(span: timedelta, text: str) -> None:
    assert format_duration(span) == text
    assert read_duration(text) == span


@pytest.mark.parametrize(
    ("number", "text"),
    [(1.0, "1"), (2.5, "2.5"), (1e20, "1E+20"), (float("inf"), "INF"), (float("nan"), "NaN")],
)
def test_doubles_read_as_xml_writes_them(number: float, text: str) -> None:
    assert format_double(number) == text


def test_a_guid_and_a_date_look_as_in_net() -> None:
    assert Writer().value(UUID(int=1), "Id") == f'<G N="Id">{UUID(int=1)}</G>'
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert Writer().value(moment) == "<DT>2026-01-02T03:04:05Z</DT>"
