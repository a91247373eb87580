"""A parser for the PowerShell text that clients send.

Any text may hold commands with literal arguments, joined by pipes. More of the language (``param``,
variables, conditions, loops) is only for the project's own scripts, whose texts are known by their
hash: a host that ran half of a foreign script would be worse than one that refuses it.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache

from harness.standin.contract_source import data_text
from harness.standin.expressions import Expressions
from harness.standin.scanner import Scanner, word_value
from harness.standin.syntax import (
    Argument,
    Assign,
    Command,
    Exit,
    Expression,
    Foreach,
    If,
    ListOf,
    Literal,
    Pipeline,
    Script,
    ScriptParameter,
    Statement,
    Throw,
)

_RESERVED = (
    "begin", "break", "catch", "class", "continue", "data", "do", "dynamicparam", "else", "elseif",
    "end", "enum", "filter", "finally", "for", "foreach", "from", "function", "if", "in", "param",
    "process", "return", "switch", "throw", "trap", "try", "until", "using", "while", "workflow",
)  # fmt: skip


@cache
def fixed_scripts() -> frozenset[str]:
    """Return the sha256 of every text that may use more of the language."""
    return frozenset(json.loads(data_text("fixed-scripts.json"))["scripts"].values())


@cache
def _native() -> dict[str, str]:
    """Return, by hash, what runs here in place of a script of ours that calls .NET itself."""
    found = json.loads(data_text("fixed-scripts.json"))
    return {found["scripts"][name]: text for name, text in found["native"].items()}


def script_hash(text: str) -> str:
    """Return the sha256 of a script's text, its line ends made one newline."""
    return hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()


def parse(text: str) -> Script:
    """Return the parsed text; raises Terminated with the ParseException of a real host."""
    digest = script_hash(text)
    return Parser(_native().get(digest, text), full=digest in fixed_scripts()).script()


class Parser:
    """Statements and commands; ``full`` allows what only the project's scripts may use."""

    def __init__(self, text: str, *, full: bool) -> None:
        self.scan = Scanner(text.replace("\r\n", "\n").removeprefix("\ufeff"))
        self.full = full
        self.expressions = Expressions(self.scan, self) if full else None

    def script(self) -> Script:
        """Parse the whole text."""
        self.scan.skip_lines()
        parameters = self._param_block() if self.full and self.scan.take_keyword("param") else ()
        body = self.statements()
        if not self.scan.ended():
            raise self.scan.unexpected()
        return Script(parameters, body)

    def statements(self) -> tuple[Statement, ...]:
        """Parse statements up to a closing bracket or the end."""
        found = []
        self.scan.skip_lines()
        while not self.scan.ended() and self.scan.peek() not in ("}", ")"):
            found.append(self._statement())
            self.scan.skip()
            if not self.scan.at_statement_end():
                raise self.scan.unexpected()
            self.scan.skip_lines()
        return tuple(found)

    def _statement(self) -> Statement:
        if self.scan.take_keyword("exit") or (self.full and self.scan.take_keyword("return")):
            return self._exit()
        if self.full:
            return self._full_statement()
        if any(self.scan.take_keyword(word) for word in _RESERVED):
            raise self.scan.unexpected()
        return self.pipeline()

    def _exit(self) -> Exit:
        self.scan.skip()
        if self.scan.take("$lastexitcode") or self.scan.at_statement_end():
            return Exit()
        return Exit(self.pipeline())

    def _full_statement(self) -> Statement:
        if self.scan.take_keyword("if"):
            return self._if()
        if self.scan.take_keyword("foreach"):
            return self._foreach()
        if self.scan.take_keyword("throw"):
            self.scan.skip()
            ended = self.scan.at_statement_end()
            return Throw(None if ended else self.expression())
        return self._assignment() or self.pipeline()

    def _assignment(self) -> Assign | None:
        start = self.scan.at
        if self.scan.take("$"):
            name = self.scan.identifier()
            self.scan.skip()
            if self.scan.peek() == "=":
                self.scan.take("=")
                self.scan.skip_space()
                return Assign(name, self.pipeline())
        self.scan.at = start
        return None

    def _if(self) -> If:
        branches: list[tuple[Pipeline | None, tuple[Statement, ...]]] = []
        condition: Pipeline | None = self._condition()
        while True:
            branches.append((condition, self._block()))
            if condition is None:
                break
            before = self.scan.at
            self.scan.skip_space()
            if self.scan.take_keyword("elseif"):
                condition = self._condition()
            elif self.scan.take_keyword("else"):
                condition = None
            else:
                self.scan.at = before
                break
        return If(tuple(branches))

    def _condition(self) -> Pipeline:
        self.scan.skip()
        self.scan.expect("(", "MissingOpenParenthesisInIfStatement")
        self.scan.skip_space()
        found = self.pipeline()
        self.scan.skip_space()
        self.scan.expect(")", "MissingEndParenthesisAfterStatement")
        return found

    def _block(self) -> tuple[Statement, ...]:
        self.scan.skip_space()
        self.scan.expect("{", "MissingStatementBlock")
        body = self.statements()
        self.scan.expect("}", "MissingEndCurlyBrace")
        return body

    def _foreach(self) -> Foreach:
        self.scan.skip()
        self.scan.expect("(", "MissingOpenParenthesisAfterKeyword")
        self.scan.skip_space()
        self.scan.expect("$")
        name = self.scan.identifier()
        self.scan.skip_space()
        if not self.scan.take_keyword("in"):
            self.scan.fail("MissingInInForeach", "Missing 'in' after variable in foreach loop.")
        self.scan.skip_space()
        items = self.pipeline()
        self.scan.skip_space()
        self.scan.expect(")", "MissingEndParenthesisAfterForeach")
        return Foreach(name, items, self._block())

    # --- param() ---------------------------------------------------------------------------------

    def _param_block(self) -> tuple[ScriptParameter, ...]:
        found = []
        self.scan.skip_space()
        self.scan.expect("(")
        self.scan.skip_space()
        while not self.scan.take(")"):
            found.append(self._script_parameter())
            self.scan.skip_space()
            if self.scan.take(","):
                self.scan.skip_space()
            elif self.scan.peek() != ")":
                self.scan.fail(
                    "MissingEndParenthesisInFunctionParameterList",
                    "Missing ')' in function parameter list.",
                )
        return tuple(found)

    def _script_parameter(self) -> ScriptParameter:
        mandatory, type_name = False, "object"
        while self.scan.take("["):
            words = self._attribute()
            if words.lower().startswith("parameter("):
                mandatory = "mandatory" in words.lower() and "$false" not in words.lower()
            else:
                type_name = words.lower()
            self.scan.skip_space()
        self.scan.expect("$")
        name = self.scan.identifier()
        self.scan.skip_space()
        default = None
        if self.scan.take("="):
            self.scan.skip_space()
            default = self.expression()
        return ScriptParameter(name, type_name, mandatory, default)

    def _attribute(self) -> str:
        end, depth = self.scan.at, 1
        text = self.scan.text
        while end < len(text) and depth:
            depth += {"[": 1, "]": -1}.get(text[end], 0)
            end += 1
        words, self.scan.at = text[self.scan.at : end - 1], end
        return words.strip()

    # --- pipelines -------------------------------------------------------------------------------

    def pipeline(self) -> Pipeline:
        """Parse commands joined by pipes; the first part may be an expression."""
        parts: list[Command | Expression] = [self._first_part()]
        self.scan.skip()
        while self.scan.take("|"):
            self.scan.skip_space()
            if self.scan.ended() or self.scan.peek() == "|":
                self.scan.fail("EmptyPipeElement", "An empty pipe element is not allowed.")
            parts.append(self._command())
            self.scan.skip()
        return Pipeline(tuple(parts))

    def _first_part(self) -> Command | Expression:
        here = self.scan.peek()
        if here in ("'", '"', "$") or self._number_here():
            return self.expression()
        if self.full and (here in ("@", "(", "[", "!") or self.scan.peek(4).lower() == "-not"):
            return self.expression()
        return self._command()

    def _number_here(self) -> bool:
        before = self.scan.at
        word = self.scan.word()
        self.scan.at = before
        return word is not None and _number_or_none(word) is not None

    def expression(self) -> Expression:
        """Parse an expression: of any kind in a full text, a literal or a list in others."""
        return self.expressions.expression() if self.expressions else self._literal()

    def _literal(self) -> Expression:
        found = self.scan.string() or self.scan.constant()
        if found is None and (word := self.scan.word()) is not None:
            found = _number_or_none(word)
        if found is None:
            raise self.scan.unexpected()
        return found

    def _command(self) -> Command:
        name = self.scan.word()
        if name is None or name.startswith(("-", "=", "[", "]", "!", "*", "/", "+")):
            raise self.scan.unexpected(name or "")
        arguments = []
        self.scan.skip()
        while not self.scan.at_statement_end() and self.scan.peek() != "|":
            arguments.append(self._argument())
            self.scan.skip()
        return Command(name, tuple(arguments))

    def _argument(self) -> Argument:
        if self.scan.peek() == "-" and self.scan.peek(2)[1:].isalpha():
            return self._parameter()
        return Argument(None, self._values())

    def _parameter(self) -> Argument:
        self.scan.take("-")
        name = self.scan.identifier()
        if not self.scan.take(":"):
            return Argument(name, None)
        self.scan.skip()
        return Argument(name, self._values())

    def _values(self) -> Expression:
        items = [self._value()]
        while True:
            before = self.scan.at
            self.scan.skip()
            if not self.scan.take(","):
                self.scan.at = before
                break
            self.scan.skip_space()
            items.append(self._value())
        return items[0] if len(items) == 1 else ListOf(tuple(items))

    def _value(self) -> Expression:
        found: Expression | None = self.scan.string() or self.scan.constant()
        if found is None and self.expressions is not None and self.scan.peek() in ("$", "(", "@"):
            return self.expressions.operand()
        if found is None and (word := self.scan.word()) is not None:
            return word_value(word)
        if found is None:
            raise self.scan.unexpected()
        return found


def _number_or_none(word: str) -> Literal | None:
    found = word_value(word)
    return None if isinstance(found.value, str) else found
