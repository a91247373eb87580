"""The parts of PowerShell text that the stand-in understands, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from harness.standin.values import Value


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that stands in the text: a word, a string, a number, $true, $false, $null."""

    value: Value


@dataclass(frozen=True, slots=True)
class Variable:
    """``$name``."""

    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """``target.Name``."""

    target: Expression
    name: str


@dataclass(frozen=True, slots=True)
class ListOf:
    """``a, b, c``."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Hash:
    """``@{ key = value }``; the order is kept."""

    entries: tuple[tuple[str, Pipeline], ...]


@dataclass(frozen=True, slots=True)
class Grouped:
    """``( pipeline )``, or ``@( statements )`` when ``array``."""

    body: tuple[Statement, ...]
    array: bool = False


@dataclass(frozen=True, slots=True)
class Cast:
    """``[type]operand``."""

    type_name: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    """``left -operator right``; the operator in lower case without its dash."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Not:
    """``-not operand`` or ``!operand``."""

    operand: Expression


Expression: TypeAlias = (
    "Literal | Variable | Member | ListOf | Hash | Grouped | Cast | Binary | Not"
)


@dataclass(frozen=True, slots=True)
class Argument:
    """One element after a command's name: ``-name``, ``-name:value`` or a value."""

    name: str | None
    value: Expression | None


@dataclass(frozen=True, slots=True)
class Command:
    """A command's name and what follows it."""

    name: str
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands joined by ``|``; the first part may be an expression."""

    parts: tuple[Command | Expression, ...]


@dataclass(frozen=True, slots=True)
class Assign:
    """``$name = pipeline``."""

    name: str
    value: Pipeline


@dataclass(frozen=True, slots=True)
class If:
    """Branches of (condition, body); the last condition is None for ``else``."""

    branches: tuple[tuple[Pipeline | None, tuple[Statement, ...]], ...]


@dataclass(frozen=True, slots=True)
class Foreach:
    """``foreach ($name in items) { body }``."""

    name: str
    items: Pipeline
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Throw:
    """``throw value``."""

    value: Expression | None


@dataclass(frozen=True, slots=True)
class Exit:
    """``exit`` or ``return``: ends the script."""

    value: Pipeline | None = None


Statement: TypeAlias = "Pipeline | Assign | If | Foreach | Throw | Exit"


@dataclass(frozen=True, slots=True)
class ScriptParameter:
    """One entry of a ``param()`` block."""

    name: str
    type_name: str
    mandatory: bool
    default: Expression | None


@dataclass(frozen=True, slots=True)
class Script:
    """A parsed text."""

    parameters: tuple[ScriptParameter, ...]
    body: tuple[Statement, ...]
