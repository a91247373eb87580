"""Reading PowerShell text character by character: blanks, comments, strings, words."""

from __future__ import annotations

import re
from typing import NoReturn

from harness.standin.api import Terminated
from harness.standin.literals import number
from harness.standin.refusals import parse_failed
from harness.standin.syntax import Literal

_BLANKS = re.compile(r"(?:[ \t\f]|`\r?\n|<#.*?#>|#[^\n]*)+", re.DOTALL)
_LINES = re.compile(r"(?:\s|`\r?\n|<#.*?#>|#[^\n]*|;)+", re.DOTALL)
_ANY_SPACE = re.compile(r"(?:\s|`\r?\n|<#.*?#>|#[^\n]*)+", re.DOTALL)
_WORD = re.compile(r"""[^\s;|&(){}<>"'`,$@#][^\s;|&(){}<>"'`,$]*""")
_IDENTIFIER = re.compile(r"[A-Za-z_][\w]*")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


class Scanner:
    """A text and a place in it."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def skip(self) -> None:
        """Skip blanks and comments within a line."""
        self._skip(_BLANKS)

    def skip_lines(self) -> None:
        """Skip blanks, comments, line ends and semicolons."""
        self._skip(_LINES)

    def skip_space(self) -> None:
        """Skip blanks, comments and line ends."""
        self._skip(_ANY_SPACE)

    def _skip(self, what: re.Pattern[str]) -> None:
        if found := what.match(self.text, self.at):
            self.at = found.end()

    def peek(self, ahead: int = 1) -> str:
        """Return the next characters without taking them."""
        return self.text[self.at : self.at + ahead]

    def take(self, wanted: str) -> bool:
        """Take the wanted characters if they are next; letters match in any case."""
        if self.peek(len(wanted)).lower() == wanted:
            self.at += len(wanted)
            return True
        return False

    def take_keyword(self, wanted: str) -> bool:
        """Take a whole word if it is next."""
        after = self.text[self.at + len(wanted) : self.at + len(wanted) + 1]
        return not (after.isalnum() or after in ("-", "_", ".", "\\")) and self.take(wanted)

    def expect(self, wanted: str, error_id: str = "UnexpectedToken") -> None:
        """Take the wanted character or end with a ParseException."""
        if not self.take(wanted):
            self.fail(error_id, f"Missing '{wanted}' in expression or statement.")

    def ended(self) -> bool:
        """Return whether nothing is left."""
        return self.at >= len(self.text)

    def at_statement_end(self) -> bool:
        """Return whether a statement ends here."""
        return self.ended() or self.peek() in ("\n", "\r", ";", "}", ")")

    def identifier(self) -> str:
        """Take a name, or end with a ParseException."""
        found = _IDENTIFIER.match(self.text, self.at)
        if not found:
            raise self.unexpected()
        self.at = found.end()
        return found[0]

    def word(self) -> str | None:
        """Take a bare word, or return None when none is here."""
        found = _WORD.match(self.text, self.at)
        if not found:
            return None
        self.at = found.end()
        return found[0]

    def string(self) -> Literal | None:
        """Take a quoted string, or return None when none is here."""
        if self.peek() == "'":
            return Literal(self._single_quoted())
        return Literal(self._double_quoted()) if self.peek() == '"' else None

    def _single_quoted(self) -> str:
        found = re.compile(r"'((?:[^']|'')*)'").match(self.text, self.at)
        if not found:
            self.fail("TerminatorExpectedAtEndOfString", "The string is missing the terminator: '.")
        self.at = found.end()
        return found[1].replace("''", "'")

    def _double_quoted(self) -> str:
        found = re.compile(r'"((?:[^"`]|""|`.)*)"', re.DOTALL).match(self.text, self.at)
        if not found:
            self.fail("TerminatorExpectedAtEndOfString", 'The string is missing the terminator: ".')
        if re.search(r"(?<!`)\$[\w({]", found[1]):
            raise self.unexpected("$")
        self.at = found.end()
        plain = found[1].replace('""', '"')
        return re.sub(r"`(.)", lambda e: _ESCAPES.get(e[1], e[1]), plain, flags=re.DOTALL)

    def constant(self) -> Literal | None:
        """Take $true, $false or $null, or return None."""
        for name, value in (("$true", True), ("$false", False), ("$null", None)):
            if self.take_keyword(name):
                return Literal(value)
        return None

    def unexpected(self, token: str = "") -> Terminated:
        """Return the ParseException for what stands here."""
        shown = token or (self.word() if not self.ended() else "") or self.peek() or "end of text"
        return parse_failed(
            "UnexpectedToken",
            f"Unexpected token '{shown}' in expression or statement. (The stand-in host runs"
            " commands with literal arguments and the project's own scripts, nothing else.)",
        )

    def fail(self, error_id: str, message: str) -> NoReturn:
        """End with a ParseException."""
        raise parse_failed(error_id, message)


def word_value(word: str) -> Literal:
    """Return a bare word as what it means: a number where it is one."""
    found = number(word)
    return Literal(word if found is None else found)
