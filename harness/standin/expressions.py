"""Expressions of the project's own scripts: operators, members, hashtables, casts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from harness.standin.scanner import Scanner, word_value
from harness.standin.syntax import (
    Binary,
    Cast,
    Expression,
    Grouped,
    Hash,
    ListOf,
    Member,
    Not,
    Pipeline,
    Statement,
    Variable,
)

_COMPARISON = re.compile(
    r"-(eq|ne|gt|lt|ge|le|like|notlike|match|notmatch|contains|notcontains|in|notin)(?![\w-])",
    re.IGNORECASE,
)
_LOGICAL = re.compile(r"-(and|or)(?![\w-])", re.IGNORECASE)


_Operand: TypeAlias = Callable[[], Expression]


class Statements(Protocol):
    """What an expression needs of the statement parser."""

    def statements(self) -> tuple[Statement, ...]:
        """Parse statements up to a closing bracket."""

    def pipeline(self) -> Pipeline:
        """Parse one pipeline."""


class Expressions:
    """Parses expressions at the scanner's place; ``-and``/``-or`` bind weakest."""

    def __init__(self, scan: Scanner, statements: Statements) -> None:
        self.scan, self.statements = scan, statements
        self._openings: Mapping[str, _Operand] = {
            "$": self._variable,
            "@{": self._hash,
            "@(": lambda: self._grouped(array=True),
            "(": lambda: self._grouped(array=False),
            "[": self._cast,
        }

    def expression(self) -> Expression:
        """Parse an expression with its operators."""
        return self._operators(_LOGICAL, self._comparison)

    def _comparison(self) -> Expression:
        return self._operators(_COMPARISON, self._list)

    def _operators(self, wanted: re.Pattern[str], operand: _Operand) -> Expression:
        found = operand()
        while operator := self._operator(wanted):
            found = Binary(operator, found, operand())
        return found

    def _operator(self, wanted: re.Pattern[str]) -> str:
        before = self.scan.at
        self.scan.skip()
        found = wanted.match(self.scan.text, self.scan.at)
        if found is None:
            self.scan.at = before
            return ""
        self.scan.at = found.end()
        self.scan.skip_space()
        return found[1].lower()

    def _list(self) -> Expression:
        items = [self._unary()]
        while self._comma():
            items.append(self._unary())
        return items[0] if len(items) == 1 else ListOf(tuple(items))

    def _comma(self) -> bool:
        before = self.scan.at
        self.scan.skip()
        if self.scan.take(","):
            self.scan.skip_space()
            return True
        self.scan.at = before
        return False

    def _unary(self) -> Expression:
        if self.scan.take_keyword("-not") or self.scan.take("!"):
            self.scan.skip()
            return Not(self._unary())
        return self.operand()

    def operand(self) -> Expression:
        """Parse one operand with the members that follow it."""
        found = self._primary()
        while self.scan.peek() == "." and self.scan.peek(2)[1:].isalpha():
            self.scan.take(".")
            found = Member(found, self.scan.identifier())
        return found

    def _primary(self) -> Expression:
        literal = self.scan.string() or self.scan.constant()
        if literal is not None:
            return literal
        for opening, parse in self._openings.items():
            if self.scan.take(opening):
                return parse()
        word = self.scan.word()
        if word is None or isinstance(word_value(word).value, str):
            raise self.scan.unexpected(word or "")
        return word_value(word)

    def _variable(self) -> Expression:
        return Variable(self.scan.identifier())

    def _grouped(self, *, array: bool) -> Expression:
        body = self.statements.statements()
        self.scan.expect(")", "MissingEndParenthesisInExpression")
        return Grouped(body, array)

    def _cast(self) -> Expression:
        end = self.scan.text.find("]", self.scan.at)
        if end < 0:
            self.scan.fail("EndSquareBracketExpectedAtEndOfType", "Missing ] at end of type token.")
        type_name = self.scan.text[self.scan.at : end].strip()
        self.scan.at = end + 1
        return Cast(type_name.lower(), self._unary())

    def _hash(self) -> Expression:
        entries = []
        self.scan.skip_lines()
        while not self.scan.take("}"):
            key = self._key()
            self.scan.skip()
            self.scan.expect("=", "MissingEqualsInHashLiteral")
            self.scan.skip_space()
            entries.append((key, self.statements.pipeline()))
            self.scan.skip()
            if not self.scan.at_statement_end():
                raise self.scan.unexpected()
            self.scan.skip_lines()
        return Hash(tuple(entries))

    def _key(self) -> str:
        quoted = self.scan.string()
        return str(quoted.value) if quoted is not None else self.scan.identifier()
