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
                cases = [c for d in node.decorator_list for c in _marks(d, "case")]
                for case in cases:
                    long = "long" if any(_is_mark(d, "long") for d in node.decorator_list) else ""
                    yield case, feature, long, node.name.removeprefix("test_").replace("_", " ")


def _mark(node: ast.AST, name: str) -> str:
    """Return the first argument of ``pytest.mark.<name>(…)`` anywhere in the node."""
    return next(iter(_marks(node, name)), "")


def _marks(node: ast.AST, name: str) -> list[str]:
    """Return the arguments of ``pytest.mark.<name>(…)`` anywhere in the node."""
    calls = (c for c in ast.walk(node) if isinstance(c, ast.Call) and _is_mark(c.func, name))
    return [str(a.value) for call in calls for a in call.args if isinstance(a, ast.Constant)]


def _is_mark(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == name and "mark" in ast.dump(node.value)
