r"""Read WQL: ``SELECT *|a, b FROM Class [WHERE …]``.

Strings are in ' or "; inside, a backslash takes the meaning of the next character away
(``'o\'neil'``, ``'a\\b'``). Operators: = <> != < > <= >= LIKE, IS [NOT] NULL, AND, OR, NOT and
parentheses. Names and strings compare without regard to case, as WMI does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.standin.values import Value

Row = Mapping[str, Value]
Test = Callable[[Row], bool]
TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<number>[-+]?\d+(?:\.\d+)?)
    | (?P<op><=|>=|<>|!=|=|<|>)
    | (?P<mark>[(),*])
    | (?P<word>[A-Za-z_]\w*)
    )""",
    re.VERBOSE | re.DOTALL,
)
WORDS = ("select", "from", "where", "and", "or", "not", "like", "is", "null")


class BadQuery(Exception):
    """The text is no WQL; WMI answers 0x80041017."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query; ``properties`` empty means all, ``used`` are those that the condition names."""

    properties: tuple[str, ...]
    class_name: str
    where: Test
    used: tuple[str, ...] = ()


def read(text: str) -> Query:
    """Read a whole query."""
    reader = _Reader(text)
    query = reader.query()
    reader.end()
    return query


def read_filter(text: str) -> Query:
    """Read what stands after WHERE (the -Filter of Get-CimInstance); the class is left empty."""
    reader = _Reader(text)
    test = reader.either()
    reader.end()
    return Query((), "", test, tuple(reader.used))


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self.used: list[str] = []

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        self._at += 1
        return token

    def _if(self, *wanted: str) -> bool:
        kind, text = self._peek()
        found = kind in ("word", "mark") and text.lower() in wanted
        self._at += found
        return found

    def _must(self, wanted: str) -> None:
        if not self._if(wanted):
            raise BadQuery(wanted)

    def end(self) -> None:
        if self._peek()[0] != "end":
            raise BadQuery(self._peek()[1])

    def query(self) -> Query:
        self._must("select")
        names: list[str] = []
        if not self._if("*"):
            names.append(self._name())
            while self._if(","):
                names.append(self._name())
        self._must("from")
        name = self._name()
        where = self.either() if self._if("where") else _always
        return Query(tuple(names), name, where, tuple(self.used))

    def _name(self) -> str:
        kind, text = self._take()
        if kind != "word" or text.lower() in WORDS:
            raise BadQuery(text)
        return text

    def either(self) -> Test:
        tests = [self._both()]
        while self._if("or"):
            tests.append(self._both())
        return lambda row: any(t(row) for t in tests)

    def _both(self) -> Test:
        tests = [self._single()]
        while self._if("and"):
            tests.append(self._single())
        return lambda row: all(t(row) for t in tests)

    def _single(self) -> Test:
        if self._if("not"):
            inner = self._single()
            return lambda row: not inner(row)
        if self._if("("):
            test = self.either()
            self._must(")")
            return test
        return self._comparison()

    def _comparison(self) -> Test:
        name = self._name()
        self.used.append(name)
        if self._if("is"):
            wanted = not self._if("not")
            self._must("null")
            return lambda row: (_of(row, name) is None) is wanted
        if self._if("like"):
            pattern = like(str(self._constant()))
            return lambda row: pattern.fullmatch(str(_of(row, name))) is not None
        kind, op = self._take()
        if kind != "op":
            raise BadQuery(op)
        value = self._constant()
        return lambda row: _compare(op, _of(row, name), value)

    def _constant(self) -> Value:
        kind, text = self._take()
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
        if kind == "number":
            return float(text) if "." in text else int(text)
        if kind == "word" and text.lower() in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[text.lower()]
        raise BadQuery(text)


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while text[at:].strip():
        match = TOKEN.match(text, at)
        if not match or not match.lastgroup:
            raise BadQuery(text[at:])
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


def _always(_: Row) -> bool:
    return True


def _of(row: Row, name: str) -> Value:
    wanted = name.casefold()
    return next((v for k, v in row.items() if k.casefold() == wanted), None)


def like(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a LIKE pattern: % any, _ one, [a-f] a set, [^…] its rest."""
    out = []
    for piece in re.findall(r"\[[^\]]+\]|.", pattern, re.DOTALL):
        if piece == "%":
            out.append(".*")
        elif piece == "_":
            out.append(".")
        elif len(piece) > 1:
            inside = re.sub(r"[\\\[\]&~|]", lambda m: "\\" + m[0], piece[1:-1])
            out.append(f"[{inside}]")
        else:
            out.append(re.escape(piece))
    return re.compile("".join(out), re.IGNORECASE | re.DOTALL)


def _compare(op: str, have: Value, wanted: Value) -> bool:
    if op in ("=", "<>", "!="):
        return _same(have, wanted) is (op == "=")
    numbers = _numbers(have, wanted)
    if numbers is None:
        return False
    a, b = numbers
    return {"<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}[op]


def _same(have: Value, wanted: Value) -> bool:
    if have is None or wanted is None:
        return have is wanted
    numbers = _numbers(have, wanted)
    if numbers:
        return numbers[0] == numbers[1]
    return str(have).casefold() == str(wanted).casefold()


def _numbers(have: Value, wanted: Value) -> tuple[float, float] | None:
    """Return both as numbers where the property is one (``"5" = 5`` holds in WMI)."""
    if isinstance(have, int | float):
        try:
            return have, float(wanted) if isinstance(wanted, str) else _number(wanted)
        except ValueError:
            return None
    return None


def _number(value: Value) -> float:
    if isinstance(value, int | float):
        return value
    raise ValueError(value)
