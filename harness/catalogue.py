"""Lists the certification cases by reading their source: no lab, no pytest, no inventory."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


def cases(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    """Yield (case id, feature, "long" or "", what it proves) of each case under the folder."""
    for path in sorted(folder.glob("test_*.py")):
        tree = ast.parse(path.read_text())
        feature = next((f for n in tree.body if (f := _mark(n, "feature"))), "")
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                case = next((c for d in node.decorator_list if (c := _mark(d, "case"))), "")
                if case:
                    long = "long" if any(_is_mark(d, "long") for d in node.decorator_list) else ""
                    yield case, feature, long, node.name.removeprefix("test_").replace("_", " ")


def _mark(node: ast.AST, name: str) -> str:
    """Return the first argument of ``pytest.mark.<name>(…)`` anywhere in the node."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and _is_mark(call.func, name) and call.args:
            first = call.args[0]
            if isinstance(first, ast.Constant):
                return str(first.value)
    return ""


def _is_mark(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == name and "mark" in ast.dump(node.value)
