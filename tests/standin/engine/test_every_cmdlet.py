"""Every cmdlet of every release: what its contract says can be bound, and nothing else."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from harness.standin.api import Terminated
from harness.standin.binder import bind_arguments, complete
from harness.standin.contract import Contract, contract_of
from harness.standin.definition import Definition, Parameter
from harness.standin.releases import RELEASES
from harness.standin.values import Credential, Record, Value

SAMPLES: dict[str, Value] = {
    "String": "x", "Boolean": True, "SwitchParameter": True, "Guid": UUID(int=1), "Char": "x",
    "DateTime": datetime(2026, 1, 1, tzinfo=UTC), "TimeSpan": timedelta(1), "Hashtable": {"k": 1},
    "IDictionary": {"k": 1}, "PSCredential": Credential("u", "p"), "Object": "x", "PSObject": "x",
    "Version": "1.0", "Uri": "http://x", "Double": 1.0,
}  # fmt: skip
INTEGERS = ("Int16", "Int32", "Int64", "UInt16", "UInt32", "UInt64", "Byte")


@pytest.fixture(params=RELEASES)
def contract(request: pytest.FixtureRequest) -> Contract:
    return contract_of(RELEASES[request.param])


def definitions(contract: Contract) -> Iterator[Definition]:
    for name in contract.names():
        found = contract.find(name)
        assert found is not None
        yield found


def sample(parameter: Parameter) -> Value:
    value = _single(parameter)
    return [value] if parameter.type.array else value


def _single(parameter: Parameter) -> Value:
    kind, rule = parameter.type, parameter.validation
    if rule.values:
        return rule.values[0]
    if kind.enum is not None:
        return next(iter(kind.enum.members))
    if kind.name in INTEGERS:
        return 1 if rule.low is None else rule.low
    live = Record((kind.full_name.removesuffix("[]"),), {}, live=object())
    return SAMPLES.get(kind.name, live)


def in_set(definition: Definition, name: str, *, mandatory: bool) -> dict[str, Value]:
    found = ((p, p.place(name)) for p in definition.parameters if not p.common)
    return {p.name: sample(p) for p, at in found if at and (at.mandatory or not mandatory)}


def test_an_unknown_parameter_is_refused_by_every_cmdlet(contract: Contract) -> None:
    for definition in definitions(contract):
        with pytest.raises(Terminated) as caught:
            bind_arguments(definition, [("NoSuchParameter", 1)], piped=False)
        assert caught.value.record.fqid == f"NamedParameterNotFound,{definition.type_name}"


def test_every_parameter_set_can_be_bound_with_all_its_parameters(contract: Contract) -> None:
    for definition in definitions(contract):
        for name in definition.sets:
            wanted = in_set(definition, name, mandatory=False)
            given = complete(bind_arguments(definition, wanted.items(), piped=False))
            assert wanted.keys() == given.values.keys()


def test_every_mandatory_set_can_be_bound_unless_another_one_asks_for_the_same(
    contract: Contract,
) -> None:
    for definition in definitions(contract):
        for name in definition.sets:
            wanted = in_set(definition, name, mandatory=True)
            rivals = [
                other for other in definition.sets if other != name
                and wanted.keys() <= in_set(definition, other, mandatory=False).keys()
                and wanted.keys() >= in_set(definition, other, mandatory=True).keys()
            ]  # fmt: skip
            assert _bound_to(definition, wanted) in (name, *rivals, *(rivals and ["ambiguous"]))


def _bound_to(definition: Definition, wanted: dict[str, Value]) -> str:
    try:
        return complete(bind_arguments(definition, wanted.items(), piped=False)).set_name
    except Terminated as refused:
        known = refused.record.fqid.startswith("AmbiguousParameterSet,")
        return "ambiguous" if known else refused.record.fqid


def test_a_set_without_one_of_its_mandatory_parameters_is_never_chosen(contract: Contract) -> None:
    for definition in definitions(contract):
        for name in definition.sets:
            wanted = in_set(definition, name, mandatory=True)
            for missing in wanted:
                rest = {k: v for k, v in wanted.items() if k != missing}
                try:
                    given = complete(bind_arguments(definition, rest.items(), piped=False))
                except Terminated:
                    continue
                assert given.set_name != name


def test_every_name_means_its_parameter_in_any_case(contract: Contract) -> None:
    for definition in definitions(contract):
        for parameter in definition.parameters:
            assert definition.candidates(parameter.name.upper()) == [parameter]
