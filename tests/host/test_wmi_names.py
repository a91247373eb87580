"""Every WMI class, property, method and argument that the harness names is documented.

On each Windows release: by Microsoft's WMI pages, where they say since when something exists. The
names are read out of the harness's source and its fixed scripts; the stand-in is not asked.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.standin.cim.msvm import since
from harness.standin.releases import RELEASES
from harness.standin.shapes import wmi_classes
from tests.host.written import ROOT, scripts, sources

MIN_SERVER = {
    "Windows Server 2012": 9200,
    "Windows Server 2012 R2": 9600,
    "Windows Server 2016": 14393,
}
CONDITIONS = ("equals", "starts_with")
RETURNED = "ReturnValue"
CALLS_METHODS = {"harness/host/gap.py", "harness/host/display.py"}
"""Files that read what a WMI method gives back."""


@dataclass(frozen=True)
class Named:
    """A class with a property or ``Method(argument)`` of it, and where it is written."""

    wmi_class: str
    member: str
    where: str


def _constants(tree: ast.Module) -> dict[str, str]:
    """Return the module's texts, those that it imports from another file of ours included."""
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            found |= {t.id: str(node.value.value) for t in node.targets if isinstance(t, ast.Name)}
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("harness."):
            path = ROOT / f"{node.module.replace('.', '/')}.py"
            if path.exists() and any(alias.name.isupper() for alias in node.names):
                theirs = _constants(ast.parse(path.read_text()))
                found |= {a.name: theirs[a.name] for a in node.names if a.name in theirs}
    return found


def _text(node: ast.expr, constants: dict[str, str]) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert isinstance(node, ast.Name), f"{ast.unparse(node)}: write a WMI name as a literal"
    return constants[node.id]


def named_in(path: Path) -> Iterator[Named]:
    """Yield the names of one file: of queries, conditions, embedded settings and methods."""
    tree = ast.parse(path.read_text())
    constants, where = _constants(tree), path.relative_to(ROOT).as_posix()
    for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
        if path.name == "wql.py":
            continue
        calls = [n for n in ast.walk(function) if isinstance(n, ast.Call)]
        names = {n: n.func.id for n in calls if isinstance(n.func, ast.Name)}
        classes = [_text(n.args[0], constants) for n, name in names.items() if name == "select"]
        for wmi_class in classes:
            yield Named(wmi_class, "", where)
        asked = [_text(n.args[0], constants) for n, name in names.items() if name in CONDITIONS]
        for prop in asked:
            assert classes, f"{where}: {prop} is compared far from its query"
            known = [c for c in classes if prop in wmi_classes()[c]["properties"]]
            yield Named((known or classes)[0], prop, where)
        yield from (Named(c, m, where) for c, m in _methods(function, classes))
        yield from (Named(c, p, where) for c, p in _embedded(function, names, constants))


def _methods(function: ast.FunctionDef, classes: list[str]) -> Iterator[tuple[str, str]]:
    """Yield ``Method(argument)`` of each literal MethodName with its literal Arguments."""
    for node in ast.walk(function):
        if isinstance(node, ast.Dict):
            given = {
                k.value: v
                for k, v in zip(node.keys, node.values, strict=True)
                if isinstance(k, ast.Constant)
            }
            if isinstance(method := given.get("MethodName"), ast.Constant):
                arguments = given["Arguments"]
                assert isinstance(arguments, ast.Dict)
                for key in arguments.keys:
                    assert isinstance(key, ast.Constant)
                    yield classes[0], f"{method.value!s}({key.value!s})"


def _embedded(
    function: ast.FunctionDef, names: dict[ast.Call, str], constants: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield the property of ``setting_data(CLASS, id, changed)``, with the CIM type it is given."""
    for call in (n for n, name in names.items() if name == "setting_data"):
        for node in ast.walk(function):
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Tuple)
                and len(node.value.elts) == 3
            ):
                name, kind = (_text(part, constants) for part in node.value.elts[:2])
                yield _text(call.args[0], constants), f"{name}:{kind}"


def named_in_script(name: str, text: str) -> Iterator[Named]:
    """Yield the class of a fixed script's service, its method and arguments."""
    for found in re.finditer(r"-ClassName '(\w+)'", text):
        yield Named(found[1], "", name)
        for method in re.finditer(r"-MethodName '(\w+)' -Arguments @\{([^}]*)\}", text):
            for key in re.findall(r"(\w+)\s*=", method[2]):
                yield Named(found[1], f"{method[1]}({key})", name)


NAMED = sorted(
    {
        *(named for path in sources() for named in named_in(path)),
        *(named for name, text in scripts().items() for named in named_in_script(name, text)),
    },
    key=repr,
)


def problem(named: Named, build: int) -> str:
    """Return what the documentation has against a name on a build; "" for nothing."""
    known = wmi_classes().get(named.wmi_class)
    if known is None or MIN_SERVER.get(known.get("min_server", ""), 0) > build:
        return f"no class {named.wmi_class}"
    method, _, argument = named.member.rstrip(")").partition("(")
    if argument:
        told = known.get("methods", {}).get(method)
        if told is None or MIN_SERVER.get(told.get("min_server", ""), 0) > build:
            return f"no method {method}"
        taken = {p["name"].lower() for p in told.get("params", ()) if p["dir"] == "in"}
        return "" if argument.lower() in taken else f"{method} takes no {argument}"
    prop, _, kind = named.member.partition(":")
    fact = known["properties"].get(prop)
    if prop and (fact is None or since(fact) > build):
        return f"no property {prop}"
    return f"{prop} is no {kind}" if kind and fact["type"] != kind else ""


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("named", NAMED, ids=lambda n: f"{n.wmi_class}.{n.member}-{n.where}")
def test_a_wmi_name_is_documented(named: Named, release: str) -> None:
    assert problem(named, RELEASES[release].build) == ""


def test_names_are_found_in_every_form_that_the_harness_writes() -> None:
    found = {(n.wmi_class, n.member) for n in NAMED}
    assert {
        ("Msvm_VirtualSystemSettingData", "VirtualSystemIdentifier"),
        ("Msvm_VirtualSystemSettingData", "LowMmioGapSize:uint64"),
        ("Msvm_ConcreteJob", "InstanceID"),
        ("Msvm_SyntheticMouse", "SetAbsolutePosition(horizontalPosition)"),
        ("Msvm_VirtualSystemManagementService", "ModifySystemSettings(SystemSettings)"),
        ("Msvm_VirtualSystemManagementService", "GetVirtualSystemThumbnailImage(TargetSystem)"),
    } <= found


def test_every_wmi_class_that_the_source_names_was_looked_up() -> None:
    texts = {p: p.read_text() for p in sources()} | {Path(n): t for n, t in scripts().items()}
    written = {
        name for text in texts.values() for name in re.findall(r"['\"](Msvm_\w+)['\"]", text)
    }
    assert written <= {named.wmi_class for named in NAMED}


@pytest.mark.parametrize("where", sorted(CALLS_METHODS))
def test_what_is_read_of_an_answer_is_a_property_or_comes_back_of_a_method(where: str) -> None:
    text = (ROOT / where).read_text()
    classes = [wmi_classes()[n.wmi_class] for n in NAMED]
    known = {RETURNED, *(p for c in classes for p in c["properties"])}
    known |= {
        p["name"]
        for c in classes
        for m in c.get("methods", {}).values()
        for p in m.get("params", ())
    }
    known |= {"HorizontalResolution", "VerticalResolution", "ResolutionType"}  # of Get-VMVideo
    read = set(re.findall(r"\.(?:integer|string)\(['\"](\w+)['\"]\)", text))
    assert read
    assert read <= known


@pytest.mark.parametrize(
    ("named", "build", "said"),
    [
        (Named("Msvm_Nothing", "", "x"), 20348, "no class"),
        (Named("Msvm_VirtualSystemSettingData", "LowMmioGap", "x"), 20348, "no property"),
        (Named("Msvm_VirtualSystemSettingData", "ConsoleMode", "x"), 9600, "no property"),
        (
            Named("Msvm_VirtualSystemSettingData", "LowMmioGapSize:uint32", "x"),
            9600,
            "is no uint32",
        ),
        (Named("Msvm_SyntheticMouse", "SetPosition(x)", "x"), 9600, "no method"),
        (Named("Msvm_SyntheticMouse", "SetAbsolutePosition(x)", "x"), 9600, "takes no x"),
    ],
)
def test_a_name_that_is_not_documented_is_found(named: Named, build: int, said: str) -> None:
    assert said in problem(named, build)
