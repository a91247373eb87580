"""Reads every host call out of the harness's source: what it is called with, without running it.

A call is a cmdlet's name as a literal, with its parameters as literals: in ``Cmdlet("Get-VM",
{"Name": name})``, or handed to a function that forwards them (``_do(session, "New-VHD", Path=…)``).
``**more`` in a dictionary is followed to what the function assigned to it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"(?:[A-Z][a-z]+)-[A-Z][A-Za-z]+")
NO_CMDLETS = frozenset({"Content-Type"})
UNKNOWN = object()
Given = dict[str, object]


@dataclass(frozen=True)
class Written:
    """One way in which a call can be made; a value that is no literal is UNKNOWN.

    ``piped``: something comes to it through a pipe. ``where`` is for people.
    """

    cmdlet: str
    parameters: tuple[tuple[str, object], ...]
    piped: bool
    where: str


class Unreadable(AssertionError):
    """A call whose parameters cannot be read from the source."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(
            f"{where}: {what}; write cmdlet and parameters as literals where the call is made,"
            " so that this test can bind them on every Windows release"
        )


def sources() -> tuple[Path, ...]:
    """Return the harness's files that may call a host: checks and the database cannot."""
    found = sorted((ROOT / "harness").rglob("*.py"))
    others = ("standin", "checks", "database")
    return tuple(path for path in found if path.relative_to(ROOT).parts[1] not in others)


def calls_of(path: Path) -> Iterator[Written]:
    """Yield the calls of one file; raise Unreadable for one that hides its parameters."""
    yield from calls_in(ast.parse(path.read_text()), path.relative_to(ROOT).as_posix())


def calls_in(tree: ast.Module, name: str) -> Iterator[Written]:
    piped = set(_behind_a_pipe(tree))
    for function, call in _calls(tree):
        where = f"{name}:{call.lineno}"
        for cmdlet in _cmdlets_of(call):
            for given in _parameters(call, function, where):
                yield Written(cmdlet, tuple(given.items()), id(call) in piped, where)


def mentions_of(path: Path) -> Iterator[str]:
    """Yield literals of the form of a cmdlet's name, but for compared ones and errors' texts."""
    tree = ast.parse(path.read_text())
    only_told = {
        id(part) for node in ast.walk(tree) if _only_tells(node) for part in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and _names_one(node.value) and id(node) not in only_told:
            yield str(node.value)


def _only_tells(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).endswith("Error")
    return isinstance(node, ast.Compare)


def _calls(tree: ast.Module) -> Iterator[tuple[ast.AST, ast.Call]]:
    """Yield every call with the innermost function around it."""
    around: dict[int, ast.AST] = {}
    for function in ast.walk(tree):  # outer ones come first, so inner ones win
        if isinstance(function, ast.FunctionDef):
            around |= {id(n): function for n in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield around.get(id(node), tree), node


def _cmdlets_of(call: ast.Call) -> list[str]:
    if ast.unparse(call.func).endswith("Error"):
        return []  # an error that names a cmdlet does not call it
    names = (c for a in call.args for c in _choices(a) if isinstance(c, ast.Constant))
    return [str(name.value) for name in names if _names_one(name.value)]


def _choices(node: ast.expr) -> list[ast.expr]:
    return [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]


def _parameters(call: ast.Call, function: ast.AST, where: str) -> Iterator[Given]:
    """Yield each set of parameters with which the call may be made."""
    named: Given = {str(k.arg): _literal(k.value) for k in call.keywords if _is_parameter(k)}
    handed = [after for name, after in pairwise(call.args) if _is_name(name)]
    spread = [k.value for k in call.keywords if k.arg is None]
    ways = [list(_ways(node, function, where)) for node in (*handed, *spread)]
    for way in product(*ways):
        merged = dict(named)
        for part in way:
            merged |= part
        yield merged


def _is_parameter(keyword: ast.keyword) -> bool:
    return keyword.arg is not None and keyword.arg[:1].isupper()


def _is_name(node: ast.expr) -> bool:
    return any(isinstance(c, ast.Constant) and _names_one(c.value) for c in _choices(node))


def _names_one(value: object) -> bool:
    return isinstance(value, str) and bool(NAME.fullmatch(value)) and value not in NO_CMDLETS


def _ways(node: ast.expr, function: ast.AST, where: str) -> Iterator[Given]:
    """Yield what a dictionary may hold, ``**more`` and choices followed."""
    if isinstance(node, ast.IfExp):
        for choice in _choices(node):
            yield from _ways(choice, function, where)
    elif isinstance(node, ast.Name):
        assigned = list(_assigned(node.id, function))
        if not assigned:
            raise Unreadable(where, f"what {node.id} holds is not written in the function")
        for value in assigned:
            yield from _ways(value, function, where)
    elif isinstance(node, ast.Dict):
        yield from _of_dict(node, function, where)
    else:
        raise Unreadable(where, f"parameters come from {ast.unparse(node)}")


def _of_dict(node: ast.Dict, function: ast.AST, where: str) -> Iterator[Given]:
    parts: list[list[Given]] = []
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            parts.append(list(_ways(value, function, where)))
        elif isinstance(key, ast.Constant):
            parts.append([{str(key.value): _literal(value)}])
        else:
            raise Unreadable(where, f"a parameter is named by {ast.unparse(key)}")
    for way in product(*parts):
        yield {name: value for part in way for name, value in part.items()}


def _assigned(name: str, function: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            yield node.value


def _literal(node: ast.expr) -> object:
    return node.value if isinstance(node, ast.Constant) else UNKNOWN


def _behind_a_pipe(tree: ast.Module) -> Iterator[int]:
    """Yield the calls that are not the first in a ``Pipeline((…, …))``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Pipeline" and node.args:
            stages = getattr(node.args[0], "elts", [])
            yield from (id(stage) for stage in stages[1:])


def scripts() -> Mapping[str, str]:
    folder = ROOT / "harness" / "host" / "scripts"
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.ps1"))}


def calls_of_script(name: str, text: str) -> Iterator[Written]:
    """Yield the cmdlets of a fixed script with the parameters that are written with a hyphen."""
    text = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"'[^']*'|\"[^\"]*\"", lambda found: found[0].replace("-", " "), text)
    for found in re.finditer(
        rf"(?P<pipe>\|\s*)?(?<![\w-])(?P<name>{NAME.pattern})(?P<rest>[^|;\n)]*)", text
    ):
        given = dict.fromkeys(re.findall(r"\s-([A-Za-z]+)", found["rest"]), UNKNOWN)
        if found["name"] not in _own_functions(text):
            yield Written(found["name"], tuple(given.items()), bool(found["pipe"]), name)


def _own_functions(text: str) -> set[str]:
    return set(re.findall(r"^\s*function\s+([\w-]+)", text, re.MULTILINE | re.IGNORECASE))
